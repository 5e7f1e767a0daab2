"""Under which host names the site answers."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

# Only a key or a signature opens these, never a cookie, so a foreign page can do nothing with them under its own name.
KEY_PATHS: Final = ("/v1/", "/oai/v1/", "/hooks/", "/mcp/", "/healthz")


class HostNames(CommonMiddleware):
    """Django's check of the host name, for the URLs that a session opens."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Refuse a page under a host name that is not in PUBLIC_URL or ALLOWED_HOSTS."""
        if f"{request.path}/".startswith(KEY_PATHS):
            return None
        return super().process_request(request)
