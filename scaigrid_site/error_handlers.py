"""What fails before it reaches a view: answered in the envelope of its prefix, and on the web pages by a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from chatapi import responses
from chatapi.errors import ChatError, FieldInvalid, Unexpected
from publishing.api import errors

BAD_REQUEST = "The request is malformed, or names a host that this server does not answer under."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a host name that is not ours, or a request that Django will not read."""
    return _answer(request, exception, FieldInvalid(BAD_REQUEST, code="bad_request")) or defaults.bad_request(
        request, exception
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a defect outside the views; Django has logged it."""
    return _answer(request, Exception(), Unexpected()) or defaults.server_error(request)


def _answer(request: HttpRequest, error: Exception, chat_error: ChatError) -> HttpResponse | None:
    if request.path.startswith(("/v1/modules/", "/hooks/")):
        return errors.module(request, error)
    if request.path.startswith("/api/"):
        return errors.api(request, error)
    if request.path.startswith(("/v1/", "/oai/v1/")):
        whole = responses.render_refusal(chat_error, errors.request_id(request))
        return HttpResponse(whole.body, status=whole.status, headers=whole.headers)
    return None
