"""The one table from exception to answer, and its two renderers: the module envelope and `/api/v1`'s.

Every sentence is fixed or comes from a refusal that was written for the person who asked. What is not in the table
is a defect of ours: it is logged under the request id and told by a fixed sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, RawPostDataException, UnreadablePostError
from rest_framework import exceptions

from identity.errors import Conflict, Invalid, KeyLimited, NotAllowed, NotFound, Problem
from publishing.errors import (
    CoreNotFound,
    DoesNotCompile,
    FlowNotFound,
    MemoryAtStake,
    NotPublished,
    SlugTaken,
    StaleSave,
    StillPublished,
)
from publishing.strict_json import InvalidJson

log = logging.getLogger(__name__)


class NotAnObject(Exception):
    """The body is JSON, but a list, text, number, true, false or null."""


class BaseVersionMissing(Exception):
    """A save does not say which version it is based on."""


class RefusalSpec(NamedTuple):
    """How a refusal is answered. Without a `message` the refusal's own sentence speaks.

    `api`: status and error of `/api/v1` where they are not the module's status and its code in lower case.
    """

    status: int
    code: str
    message: str
    fix: str
    api: tuple[int, str] | None = None
    headers: Mapping[str, str] = MappingProxyType({})


SEND_KEY = "Send `Authorization: Bearer sgk_…` with a key that is live."
SEND_OBJECT = "Send a JSON object, such as {}."
SEE_DETAILS = "Correct the fields that `details` names."
SEE_DOCS = "See /api/docs/ for the URLs and methods that exist."
TRY_AGAIN = "Try again in a moment."

ANSWERS: dict[type[Exception], RefusalSpec] = {
    exceptions.NotAuthenticated: RefusalSpec(
        401, "AUTH_TOKEN_MISSING", "The request carries no API key.", SEND_KEY, headers={"WWW-Authenticate": "Bearer"}
    ),
    exceptions.AuthenticationFailed: RefusalSpec(
        401, "AUTH_TOKEN_INVALID", "The API key is not valid.", SEND_KEY, headers={"WWW-Authenticate": "Bearer"}
    ),
    # The session's CSRF check is the only one that raises this here.
    exceptions.PermissionDenied: RefusalSpec(
        403, "CSRF_FAILED", "The CSRF token is missing or wrong.", "Load the page again, or send an API key."
    ),
    KeyLimited: RefusalSpec(403, "AUTHZ_PERMISSION_DENIED", "", "Send a key without a limit."),
    NotAllowed: RefusalSpec(403, "AUTHZ_PERMISSION_DENIED", "", "Ask an admin of your tenant to do it."),
    CoreNotFound: RefusalSpec(404, "CORE_NOT_FOUND", "", "List the Cores of your tenant for their ids."),
    FlowNotFound: RefusalSpec(404, "FLOW_NOT_FOUND", "", "List the flows of your tenant for their ids."),
    NotPublished: RefusalSpec(404, "NOT_PUBLISHED", "", "Publish the Core first."),
    NotFound: RefusalSpec(404, "NOT_FOUND", "", "List what exists for its ids."),
    Http404: RefusalSpec(404, "UNKNOWN_URL", "This URL is not served.", SEE_DOCS),
    exceptions.MethodNotAllowed: RefusalSpec(
        405, "METHOD_NOT_ALLOWED", "This URL does not take this method.", SEE_DOCS
    ),
    StaleSave: RefusalSpec(409, "STALE_SAVE", "", "Load the current version, apply your change to it, and save again."),
    SlugTaken: RefusalSpec(409, "SLUG_CONFLICT", "", "Choose another slug, or leave it out to have one made."),
    MemoryAtStake: RefusalSpec(
        409,
        "MEMORY_AT_STAKE",
        "",
        "Send `accept_memory_change`: true to deploy all the same; the memories stay stored.",
    ),
    StillPublished: RefusalSpec(409, "STILL_PUBLISHED", "", "Un-publish its Core first."),
    Conflict: RefusalSpec(409, "CONFLICT", "", "Look at the current state and try again."),
    RequestDataTooBig: RefusalSpec(
        413, "REQUEST_TOO_LARGE", "The body is larger than this server takes.", "Send less."
    ),
    exceptions.UnsupportedMediaType: RefusalSpec(
        415, "UNSUPPORTED_MEDIA_TYPE", "The body is not declared as JSON.", "Send `Content-Type: application/json`."
    ),
    # Only a form that was read before us leaves a body that cannot be read again.
    RawPostDataException: RefusalSpec(
        415, "UNSUPPORTED_MEDIA_TYPE", "The body is not declared as JSON.", "Send `Content-Type: application/json`."
    ),
    InvalidJson: RefusalSpec(422, "VALIDATION_ERROR", "", SEND_OBJECT, api=(400, "invalid_json")),
    NotAnObject: RefusalSpec(
        422, "VALIDATION_ERROR", "The body is not a JSON object.", SEND_OBJECT, api=(400, "invalid_json")
    ),
    DoesNotCompile: RefusalSpec(
        422, "VALIDATION_ERROR", "", "Correct what `diagnostics` names.", api=(400, "compile_error")
    ),
    exceptions.ValidationError: RefusalSpec(422, "VALIDATION_ERROR", "Some fields are not usable.", SEE_DETAILS),
    Invalid: RefusalSpec(422, "VALIDATION_ERROR", "", SEE_DETAILS),
    BaseVersionMissing: RefusalSpec(
        428,
        "BASE_VERSION_REQUIRED",
        "The save does not say which version it is based on.",
        "Send that version as `base_version`, or as the `If-Match` header.",
    ),
    DisallowedHost: RefusalSpec(
        400,
        "HOST_UNKNOWN",
        "This server does not answer under the host name of the request.",
        "Ask the operator to set PUBLIC_URL or ALLOWED_HOSTS.",
    ),
    SuspiciousOperation: RefusalSpec(400, "BAD_REQUEST", "The request is malformed.", SEE_DOCS),
    UnreadablePostError: RefusalSpec(400, "BODY_UNREADABLE", "The body did not arrive whole.", "Send it again."),
    OperationalError: RefusalSpec(
        503,
        "SERVICE_UNAVAILABLE",
        "The database is not available for a moment.",
        TRY_AGAIN,
        headers={"Retry-After": "1"},
    ),
    InterfaceError: RefusalSpec(
        503,
        "SERVICE_UNAVAILABLE",
        "The database is not available for a moment.",
        TRY_AGAIN,
        headers={"Retry-After": "1"},
    ),
    Exception: RefusalSpec(
        500, "INTERNAL_ERROR", "Something went wrong on our side.", "Tell the operator the request id; the log has it."
    ),
}


def module(request: HttpRequest, error: Exception) -> JsonResponse:
    """`{"status": "error", "error": {"code", "message", "details"}, "meta"}`."""
    row = _row(request, error)
    told = {"code": row.code, "message": row.message or str(error), "details": _details(error)}
    meta = {"request_id": request_id(request)}
    return _json({"status": "error", "error": told, "meta": meta}, row.status, row)


def api(request: HttpRequest, error: Exception) -> JsonResponse:
    """`{"detail": {"error", "message", "fix"}}`, with `details`, `diagnostics` or `current_version` where they help."""
    row = _row(request, error)
    status, code = row.api or (row.status, row.code.lower())
    told = {"error": code, "message": row.message or str(error), "fix": row.fix} | _more(error)
    return _json({"detail": told}, status, row)


def request_id(request: HttpRequest) -> str:
    """The id under which the log speaks of this request."""
    return str(getattr(request, "request_id", ""))


def _json(body: dict[str, Any], status: int, row: RefusalSpec) -> JsonResponse:
    """Whatever renderers the view has: an answer that refuses is always JSON."""
    return JsonResponse(body, status=status, headers=row.headers, json_dumps_params={"ensure_ascii": False})


def _row(request: HttpRequest, error: Exception) -> RefusalSpec:
    row = next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)
    if row.status >= 500:
        log.error("api.failed request_id=%s", request_id(request), exc_info=error)
    return row


def _more(error: Exception) -> dict[str, Any]:
    if isinstance(error, DoesNotCompile):
        return {"diagnostics": msgspec.to_builtins(error.diagnostics)}
    if isinstance(error, StaleSave):
        return {"current_version": error.current}
    details = _details(error)
    return {"details": details} if details else {}


def _details(error: Exception) -> list[dict[str, str]]:
    if isinstance(error, Invalid):
        problems = error.problems
    elif isinstance(error, exceptions.ValidationError):
        problems = _problems("", error.detail)
    elif isinstance(error, (InvalidJson, NotAnObject)):
        problems = [Problem("body", SEND_OBJECT)]
    else:
        problems = []
    return [{"field": problem.field, "message": problem.message} for problem in problems]


def _problems(path: str, found: Any) -> list[Problem]:
    """What DRF's validation found, one problem for each sentence, each under its path."""
    if isinstance(found, dict):
        return [problem for name, inner in found.items() for problem in _problems(f"{path}.{name}".strip("."), inner)]
    if isinstance(found, list):
        return [problem for inner in found for problem in _problems(path, inner)]
    return [Problem(path, str(found))]
