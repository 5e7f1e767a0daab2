"""What fails before or outside a view: answered in the envelope of its prefix, and on the web pages by a page."""

from __future__ import annotations

import logging
import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults

from chatapi import responses
from chatapi.errors import FieldInvalid, Unexpected
from publishing.api import errors
from publishing.db import outages

log = logging.getLogger(__name__)

BAD_REQUEST = "The request is malformed. Check its URL, its headers and its body."
HOST_UNKNOWN = (
    "The pages are not served under this host name. Open them under the address in PUBLIC_URL, "
    "or add this host name to ALLOWED_HOSTS."
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a host name that is not ours, or a request that Django will not read."""
    answer = _answer(request, exception, FieldInvalid(BAD_REQUEST, code="bad_request"))
    if answer is None:
        message = HOST_UNKNOWN if isinstance(exception, DisallowedHost) else BAD_REQUEST
        answer = HttpResponse(loader.render_to_string("400.html", {"message": message}), status=400)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a defect, which Django logs; 503 where the database is away. Django calls this in its `except` block."""
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and outages.is_outage(error):
        return _unavailable(request, error)
    return _answer(request, Exception(), Unexpected()) or defaults.server_error(request)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    if answer := _answer(request, error, error):
        return answer
    log.error("database.unavailable request_id=%s: %s", errors.request_id(request), outages.explain(error))
    page = defaults.server_error(request, "503.html")
    page.status_code = 503
    page.headers["Retry-After"] = "1"
    return page


def _answer(request: HttpRequest, error: Exception, chat_error: Exception) -> HttpResponse | None:
    if request.path.startswith(("/v1/modules/", "/hooks/")):
        return errors.module(request, error)
    if request.path.startswith("/api/"):
        return errors.api(request, error)
    if request.path.startswith(("/v1/", "/oai/v1/")):
        whole = responses.render_refusal(chat_error, errors.request_id(request))
        return HttpResponse(whole.body, status=whole.status, headers=whole.headers)
    return None
