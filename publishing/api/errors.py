"""From an exception to its answer: two renderers, and a table for the exceptions of Django, DRF and the database.

A refusal of our own says on its class how it is answered (identity/errors.py, publishing/errors.py). Whatever is in
neither place is a defect of ours: it is logged under the request id and answered by the last row, a fixed sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, RawPostDataException, UnreadablePostError
from rest_framework import exceptions

from identity.errors import ActionRefused, Invalid, Problem
from publishing.api.policies import BodyEncoded
from publishing.db import outages

log = logging.getLogger(__name__)


class RefusalSpec(NamedTuple):
    """How an exception that is not ours is answered; the fields are those of `ActionRefused`."""

    status: int
    code: str
    message: str
    fix: str
    headers: Mapping[str, str] = MappingProxyType({})
    api: tuple[int, str] | None = None


SEND_KEY = "Send `Authorization: Bearer sgk_…` with a key that is live."
SEE_DOCS = "See /api/docs/ for the URLs and methods that exist."
BEARER = {"WWW-Authenticate": "Bearer"}
NOT_DECLARED_AS_JSON = RefusalSpec(
    415, "UNSUPPORTED_MEDIA_TYPE", "The body is not declared as JSON.", "Send `Content-Type: application/json`."
)
NO_DATABASE = RefusalSpec(
    503,
    "SERVICE_UNAVAILABLE",
    "The database is not available for a moment.",
    "Try again in a moment.",
    {"Retry-After": "1"},
)

FOREIGN: dict[type[Exception], RefusalSpec] = {
    exceptions.NotAuthenticated: RefusalSpec(
        401, "AUTH_TOKEN_MISSING", "The request carries no API key.", SEND_KEY, BEARER
    ),
    exceptions.AuthenticationFailed: RefusalSpec(
        401, "AUTH_TOKEN_INVALID", "The API key is not valid.", SEND_KEY, BEARER
    ),
    # The session's CSRF check is the only one that raises this here.
    exceptions.PermissionDenied: RefusalSpec(
        403, "CSRF_FAILED", "The CSRF token is missing or wrong.", "Load the page again, or send an API key."
    ),
    Http404: RefusalSpec(404, "UNKNOWN_URL", "This URL is not served.", SEE_DOCS),
    exceptions.MethodNotAllowed: RefusalSpec(
        405, "METHOD_NOT_ALLOWED", "This URL does not take this method.", SEE_DOCS
    ),
    RequestDataTooBig: RefusalSpec(
        413, "REQUEST_TOO_LARGE", "The body is larger than this server takes.", "Send less."
    ),
    BodyEncoded: RefusalSpec(
        415, "UNSUPPORTED_MEDIA_TYPE", "The body is compressed.", "Send it as it is, without `Content-Encoding`."
    ),
    exceptions.UnsupportedMediaType: NOT_DECLARED_AS_JSON,
    # Only a form that was parsed before our view ran leaves a body that cannot be read again.
    RawPostDataException: NOT_DECLARED_AS_JSON,
    exceptions.ValidationError: RefusalSpec(Invalid.status, Invalid.code, "Some fields are not usable.", Invalid.fix),
    DisallowedHost: RefusalSpec(
        400,
        "HOST_UNKNOWN",
        "This server does not answer under the host name of the request.",
        "Ask the operator to set PUBLIC_URL or ALLOWED_HOSTS.",
    ),
    SuspiciousOperation: RefusalSpec(400, "BAD_REQUEST", "The request is malformed.", SEE_DOCS),
    UnreadablePostError: RefusalSpec(400, "BODY_UNREADABLE", "The body did not arrive whole.", "Send it again."),
    OperationalError: NO_DATABASE,
    InterfaceError: NO_DATABASE,
    Exception: RefusalSpec(
        500, "INTERNAL_ERROR", "Something went wrong on our side.", "Tell the operator the request id; the log has it."
    ),
}


def module(request: HttpRequest, error: Exception) -> JsonResponse:
    """`{"status": "error", "error": {"code", "message", "details"}, "meta"}`."""
    spec = _spec(request, error)
    shown = {"code": spec.code, "message": spec.message, "details": _details(error)}
    meta = {"request_id": request_id(request)}
    return _json({"status": "error", "error": shown, "meta": meta}, spec.status, spec.headers)


def api(request: HttpRequest, error: Exception) -> JsonResponse:
    """`{"detail": {"error", "message", "fix"}}`, with `details`, `diagnostics` or `current_version` where they help."""
    spec = _spec(request, error)
    status, code = spec.api or (spec.status, spec.code.lower())
    shown = {"error": code, "message": spec.message, "fix": spec.fix} | _extras(error)
    return _json({"detail": shown}, status, spec.headers)


def request_id(request: HttpRequest) -> str:
    """The id under which the log speaks of this request."""
    return str(getattr(request, "request_id", ""))


def _json(body: dict[str, Any], status: int, headers: Mapping[str, str]) -> JsonResponse:
    """Whatever renderers the view has: an answer that refuses is always JSON."""
    return JsonResponse(body, status=status, headers=headers, json_dumps_params={"ensure_ascii": False})


def _spec(request: HttpRequest, error: Exception) -> RefusalSpec | ActionRefused:
    if isinstance(error, ActionRefused):
        return error
    if outages.is_outage(error):
        log.error("database.unavailable request_id=%s: %s", request_id(request), outages.explain(error))
        return NO_DATABASE
    spec = next(FOREIGN[kind] for kind in type(error).__mro__ if kind in FOREIGN)
    if spec.status >= 500:
        log.error("api.failed request_id=%s", request_id(request), exc_info=error)
    return spec


def _extras(error: Exception) -> dict[str, Any]:
    if isinstance(error, ActionRefused) and (extras := error.extras()):
        return extras
    details = _details(error)
    return {"details": details} if details else {}


def _details(error: Exception) -> list[dict[str, str]]:
    return [{"field": problem.field, "message": problem.message} for problem in _problems(error)]


def _problems(error: Exception) -> Sequence[Problem]:
    if isinstance(error, ActionRefused):
        return error.problems
    return _flattened("", error.detail) if isinstance(error, exceptions.ValidationError) else ()


def _flattened(path: str, found: Any) -> list[Problem]:
    """What DRF's validation found, one problem for each sentence, each under its path."""
    if isinstance(found, dict):
        return [problem for name, inner in found.items() for problem in _flattened(f"{path}.{name}".strip("."), inner)]
    if isinstance(found, list):
        return [problem for inner in found for problem in _flattened(path, inner)]
    return [Problem(path, str(found))]
