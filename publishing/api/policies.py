"""Who is let in, and what a request may carry: keys, sessions, JSON. `settings.REST_FRAMEWORK` names these policies.

DRF reads those settings while it is imported, so nothing here may import DRF's views; ours are in `base`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from identity import keys
from identity.errors import KeyLimited
from identity.models import LiveKey, User
from publishing import strict_json

if TYPE_CHECKING:
    from rest_framework.views import APIView

JSON = "application/json"


class BodyEncoded(UnsupportedMediaType):
    """The body is compressed."""


class BearerAuthentication(BaseAuthentication):
    """An API key as `Authorization: Bearer sgk_…`. Gives the key's user, and the key as `request.auth`."""

    def authenticate(self, request: Request) -> tuple[User, LiveKey] | None:
        """The key's user; None when the header is missing or is of another scheme."""
        secret = keys.bearer(request.headers.get("authorization"))
        if secret is None:
            return None
        live = keys.find(secret)
        if live is None:
            raise AuthenticationFailed
        keys.touch(live, at=timezone.now())
        return live.user, live

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


class SignedInAuthentication(SessionAuthentication):
    """The session of the web UI, with its CSRF check. For `/api/v1` only: cookies never open `/v1`."""

    def enforce_csrf(self, request: Request) -> None:
        """Django's check on Django's request: given DRF's, it would parse the body to look for a form field."""
        super().enforce_csrf(cast(Request, request._request))


class KeyHasNoLimit(BasePermission):
    """Keeps out the keys that open the chat alone: those limited to chosen models, and the playground's."""

    opens_to_playground = False

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether no key was sent, or one without a limit; `KeyLimited` otherwise."""
        if isinstance(request.auth, LiveKey):
            is_playground = keys.is_for_playground(request.auth.key) and not self.opens_to_playground
            if request.auth.models is not None or is_playground:
                raise KeyLimited
        return True


class KeyMayReadRuns(KeyHasNoLimit):
    """The same for the runs: the playground shows what the nodes of its own calls did."""

    opens_to_playground = True


class StrictJSONParser(BaseParser):
    """JSON that is safe to store (`publishing.strict_json`)."""

    media_type = JSON

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The value in the body."""
        return strict_json.loads(stream.read())


class IgnoreAccept(DefaultContentNegotiation):
    """Every caller gets the first renderer: clients send every kind of `Accept` and read JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str | None]:
        """The first renderer, whatever was asked for."""
        first = next(iter(renderers))
        return first, first.media_type


def read_json(request: Request) -> Any:
    """The JSON value in the body, `{}` when there is none.

    DRF's own `request.data` takes a body without a declared length for no body, which would turn a list of groups
    that was sent in chunks into a list that was left out.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_BODY_BYTES:
        raise RequestDataTooBig
    body = request.body
    if body and request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise BodyEncoded(request.headers["content-encoding"])
    if body and (request.content_type or "").partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType(request.content_type)
    return strict_json.loads(body) if body else {}
