"""What a chat call may be refused with, and the one table from refusal to answer.

ChatError
├── KeyInvalid           missing, wrong, revoked or expired key; inactive user or tenant
├── SignatureInvalid     a webhook's request is not signed, or not as its flow says
├── AccessDenied         the model is the tenant's, but not for this user, or not for this key
├── ModelUnknown         unknown, foreign or un-published: the three read the same
├── UrlUnknown           an endpoint that is not served
├── MethodNotAllowed     the endpoint exists, but not for this method
├── FieldInvalid         a field of the body is unusable; names it and says why
├── BodyInvalid          the body is not JSON that can be used
├── BodyTooLarge         the body is larger than the operator allows
├── MediaTypeInvalid     the body is not declared as JSON
├── EntityBusy           another turn of the entity was under way for as long as we wait
├── IdempotencyMismatch  the Idempotency-Key was used before, with another body
├── CoreFailed           the Core ended with an error; nothing was committed
├── CoreTimedOut         the Core ran past its deadline; nothing was committed
├── DatabaseUnavailable  the database did not answer in time
└── Unexpected           a defect of ours; the log has it under the request id
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec


class ChatError(Exception):
    """A refusal with a sentence for the caller. `param` is the path of the field at fault, if one is."""

    def __init__(self, message: str = "", *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class KeyInvalid(ChatError):
    """The key opens nothing."""


class SignatureInvalid(ChatError):
    """A webhook's request is not signed, or not with the tenant's secret."""


class AccessDenied(ChatError):
    """The model is the tenant's, but the user is in none of its groups, or the key is limited to others."""


class ModelUnknown(ChatError):
    """The user's tenant publishes no model of this name."""

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= 200 else name[:200] + "…"
        super().__init__(f"The model `{shown}` does not exist or you do not have access to it.", param="model")


class UrlUnknown(ChatError):
    """The URL is not served."""


class MethodNotAllowed(ChatError):
    """The URL is served, but not for this method."""


class FieldInvalid(ChatError):
    """A field is unusable; `code` says in which way."""


class BodyInvalid(ChatError):
    """The body is not JSON that can be used."""


class BodyTooLarge(ChatError):
    """The body is larger than the operator allows."""


class MediaTypeInvalid(ChatError):
    """The body is not declared as JSON."""


class EntityBusy(ChatError):
    """Another turn of the entity was under way for as long as we wait."""


class IdempotencyMismatch(ChatError):
    """The Idempotency-Key was used before, with another body."""


class CoreFailed(ChatError):
    """The Core ended with an error."""


class CoreTimedOut(ChatError):
    """The Core ran past its deadline."""


class DatabaseUnavailable(ChatError):
    """The database did not answer in time."""


class Unexpected(ChatError):
    """A defect of ours."""


class ErrorSpec(NamedTuple):
    """How a refusal is answered. `message` speaks when the refusal itself carries none."""

    status: int
    type: str
    code: str
    message: str
    headers: Mapping[str, str] = MappingProxyType({})


ANSWERS: dict[type[ChatError], ErrorSpec] = {
    KeyInvalid: ErrorSpec(
        401,
        "authentication_error",
        "invalid_api_key",
        "The API key is missing or not valid. Send it as `Authorization: Bearer sgk_…`.",
        {"www-authenticate": "Bearer"},
    ),
    SignatureInvalid: ErrorSpec(
        401,
        "authentication_error",
        "invalid_signature",
        "The signature is missing or not right. Sign the body as it is sent, by HMAC-SHA256 in hexadecimal digits.",
        {"www-authenticate": "HMAC-SHA256"},
    ),
    AccessDenied: ErrorSpec(
        403,
        "permission_error",
        "model_access_denied",
        "You are in none of the groups that may call this model. Ask an admin of your tenant for access.",
    ),
    ModelUnknown: ErrorSpec(404, "not_found_error", "model_not_found", ""),
    UrlUnknown: ErrorSpec(404, "not_found_error", "unknown_url", "This URL is not served. See the API documentation."),
    MethodNotAllowed: ErrorSpec(
        405, "invalid_request_error", "method_not_allowed", "This URL does not take this method."
    ),
    FieldInvalid: ErrorSpec(400, "invalid_request_error", "invalid_value", "A field of the request is not usable."),
    BodyInvalid: ErrorSpec(400, "invalid_request_error", "invalid_json", "The body is not valid JSON."),
    BodyTooLarge: ErrorSpec(
        413, "invalid_request_error", "request_too_large", "The body is larger than this server takes."
    ),
    MediaTypeInvalid: ErrorSpec(
        415, "invalid_request_error", "unsupported_media_type", "Send the body as `Content-Type: application/json`."
    ),
    EntityBusy: ErrorSpec(
        409,
        "conflict_error",
        "entity_busy",
        "Another call of this entity is under way. Try again when it has ended.",
        {"retry-after": "1"},
    ),
    IdempotencyMismatch: ErrorSpec(
        422,
        "invalid_request_error",
        "idempotency_mismatch",
        "This Idempotency-Key was used for another request. Send a new key with a new request.",
    ),
    CoreFailed: ErrorSpec(502, "api_error", "core_error", "The model failed to answer. Nothing was stored; try again."),
    CoreTimedOut: ErrorSpec(
        504, "api_error", "core_timeout", "The model did not answer in time. Nothing was stored; try again."
    ),
    DatabaseUnavailable: ErrorSpec(
        503,
        "overloaded_error",
        "database_unavailable",
        "The service is not available for a moment. Try again.",
        {"retry-after": "1", "x-should-retry": "true"},
    ),
    Unexpected: ErrorSpec(
        500, "api_error", "internal_error", "Something went wrong on our side. The log has the details."
    ),
}


def body(error: ChatError) -> bytes:
    """The error object that every failing answer and every failing stream carries."""
    row = ANSWERS[type(error)]
    told = {
        "message": error.message or row.message,
        "type": row.type,
        "param": error.param,
        "code": error.code or row.code,
    }
    return msgspec.json.encode({"error": told})


def refused_field(param: str, message: str, code: str = "invalid_value") -> FieldInvalid:
    """The refusal of the field at `param`, a path such as `messages[2].role`."""
    return FieldInvalid(message, param=param, code=code)
