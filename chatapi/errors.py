"""What a chat call may be refused with, and how each refusal is answered.

ChatError
├── KeyInvalid           missing, wrong, revoked or expired key; inactive user or tenant
│   └── KeyMissing       the same for the chat; the module envelope tells the two apart
├── SignatureInvalid     a webhook's request is not signed, or not as its flow says
├── AccessDenied         the model is the tenant's, but not for this user, or not for this key
├── HttpsRequired        the call came over plain http, which the installation does not serve
├── OriginRefused        a page of another site sent the call, and its site is not listed
├── ModelUnknown         unknown, foreign or un-published: the three read the same
├── ResponseUnknown      no such response is stored for this user, or for this key: deleted, pruned or never there
├── CompletionUnknown    no such completion is stored for this user, or for this key
├── UrlUnknown           an endpoint that is not served
├── MethodNotAllowed     the endpoint exists, but not for this method
├── FieldInvalid         a field of the body is unusable; names it and says why
├── BodyInvalid          the body is not JSON that can be used
├── BodyTooLarge         the body is larger than the operator allows
├── MediaTypeInvalid     the body is not declared as JSON
├── ResponseRunning      the response that the call goes on from is not there yet
├── EntityBusy           another turn of the entity was under way for as long as we wait
├── EntityQuotaExceeded  the user has as many entities of the Core as the operator allows
├── IdempotencyMismatch  the Idempotency-Key was used before, with another body
├── RateLimited          the key has as many streams open as one key may have
│   ├── TooManyRuns      the key or its tenant has as many runs under way as it may
│   └── LimitReached     a limit of requests or tokens a minute has too little left
│       └── QuotaExceeded a limit of a day, of a month or of money has
├── Overloaded           this server has as many runs under way, and calls in line, as it takes
├── ServerStopping       this server ends, and the call did not come to its end in the time that was left
├── CoreFailed           the Core ended with an error; nothing was committed
│   ├── ModelRateLimited the model's provider takes no more calls for a moment
│   ├── QuotaExhausted   the account at the model's provider has used up what it paid for
│   ├── ModelOverloaded  the model's provider has too much to do for a moment
│   ├── AnswerUnfit      the answer is not of the format that the caller asked for
│   ├── ContextTooLong   the conversation is longer than the model takes
│   └── ContentFiltered  a filter of the model's provider held back the question or the answer
├── CoreTimedOut         the Core ran past its deadline; nothing was committed
├── DatabaseUnavailable  the database did not answer in time
└── Unexpected           a defect of ours; the log has it under the request id
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from scaicore import RunFailed
from scaicore.services import Reason

LONGEST_WAIT_S: Final = 60  # SDKs wait no longer than that
NO_RETRY: Final = MappingProxyType({"x-should-retry": "false"})
SHORT_WAIT: Final = MappingProxyType({"retry-after": "2"})
SERVED: Final = (
    "Served are `POST /v1/chat/completions`, `POST /v1/responses`, `GET /v1/models` and `GET /v1/models/{model}`."
)


class ChatError(Exception):
    """A refusal: its HTTP status, its words in OpenAI's error object, and a sentence for the caller.

    The `module_…` words are those of the module envelope, where they differ. One refusal may bear another `message` or
    `code` than its class; `param` is the path of the field at fault.
    """

    status: ClassVar[int]
    type: ClassVar[str]
    code: str
    message: str
    headers: Mapping[str, str] = MappingProxyType({})
    module_status: ClassVar[int | None] = None
    module_code: ClassVar[str | None] = None
    module_message: ClassVar[str | None] = None

    def __init__(self, message: str = "", *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message or self.message
        self.code = code or self.code
        self.param = param


class KeyInvalid(ChatError):
    """The key opens nothing."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"
    message = "The API key is missing or not valid. Send it as `Authorization: Bearer sgk_…`."
    headers = {"www-authenticate": "Bearer"}
    module_code = "AUTH_TOKEN_INVALID"


class KeyMissing(KeyInvalid):
    """No key was sent."""

    module_code = "AUTH_TOKEN_MISSING"


class SignatureInvalid(ChatError):
    """A webhook's request is not signed, or not with the tenant's secret."""

    status = 401
    type = "authentication_error"
    code = "invalid_signature"
    message = (
        "The signature is missing or not right. Sign the body as it is sent, by HMAC-SHA256 in hexadecimal digits."
    )
    headers = {"www-authenticate": "HMAC-SHA256"}


class AccessDenied(ChatError):
    """The model is the tenant's, but the user is in none of its groups, or the key is limited to others."""

    status = 403
    type = "permission_error"
    code = "model_access_denied"
    message = "You are in none of the groups that may call this model. Ask an admin of your tenant for access."
    module_code = "AUTHZ_PERMISSION_DENIED"


class HttpsRequired(ChatError):
    """The call came over plain http, where anybody between could have read its key."""

    status = 403
    type = "permission_error"
    code = "https_required"
    message = "This server is called by https only. Use an https URL, and replace the key: it was sent in the clear."


class OriginRefused(ChatError):
    """A browser sent the call for a page of another site, which the operator has not listed."""

    status = 403
    type = "permission_error"
    code = "origin_refused"
    message = "Pages of this origin may not call. Ask the operator to list it in CORS_ALLOWED_ORIGINS."


class ModelUnknown(ChatError):
    """The user's tenant publishes no model of this name."""

    status = 404
    type = "not_found_error"
    code = "model_not_found"
    message = "The model does not exist or you do not have access to it."
    module_code = "CORE_NOT_FOUND"
    module_message = "The Core does not exist, or it is not published."

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= 200 else name[:200] + "…"
        super().__init__(f"The model `{shown}` does not exist or you do not have access to it.", param="model")


class ResponseUnknown(ChatError):
    """Nothing of this id is stored for this user: somebody else's reads like one that never was."""

    status = 404
    type = "not_found_error"
    code = "response_not_found"
    message = "No such response is stored for you: it was deleted, has become too old, or was never stored."


class CompletionUnknown(ChatError):
    """Nothing of this id is stored for this user: somebody else's reads like one that never was."""

    status = 404
    type = "not_found_error"
    code = "completion_not_found"
    message = "No such completion is stored for you: it was deleted, has become too old, or was never stored."


class UrlUnknown(ChatError):
    """The URL is not served."""

    status = 404
    type = "not_found_error"
    code = "unknown_url"
    message = "This URL is not served. See the API documentation."


class MethodNotAllowed(ChatError):
    """The URL is served, but not for this method."""

    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"
    message = "This URL does not take this method."


class FieldInvalid(ChatError):
    """A field is unusable; `code` says in which way."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_value"
    message = "A field of the request is not usable."
    module_status = 422
    module_code = "VALIDATION_ERROR"


class BodyInvalid(ChatError):
    """The body is not JSON that can be used."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_json"
    message = "The body is not valid JSON."
    module_status = 422
    module_code = "VALIDATION_ERROR"


class BodyTooLarge(ChatError):
    """The body is larger than the operator allows."""

    status = 413
    type = "invalid_request_error"
    code = "request_too_large"
    message = "The body is larger than this server takes."


class MediaTypeInvalid(ChatError):
    """The body is not declared as JSON."""

    status = 415
    type = "invalid_request_error"
    code = "unsupported_media_type"
    message = "Send the body as `Content-Type: application/json`."


class ResponseRunning(ChatError):
    """The response that the call goes on from is not there yet."""

    status = 409
    type = "conflict_error"
    code = "response_in_progress"
    message = "The response that this call goes on from is still under way. Try again when it has ended."
    headers = {"retry-after": "1"}


class EntityBusy(ChatError):
    """Another turn of the entity was under way for as long as we wait."""

    status = 409
    type = "conflict_error"
    code = "entity_busy"
    message = "Another call of this entity is under way. Try again when it has ended."
    headers = {"retry-after": "1"}


class EntityQuotaExceeded(ChatError):
    """The user has as many entities of this Core as the operator allows."""

    status = 429
    type = "rate_limit_error"
    code = "insufficient_quota"
    message = "This model keeps no more entities for you. Erase some that you no longer need, or reuse one."
    headers = {"x-should-retry": "false"}
    module_code = "ENTITY_QUOTA_EXCEEDED"


class IdempotencyMismatch(ChatError):
    """The Idempotency-Key was used before, with another body."""

    status = 422
    type = "invalid_request_error"
    code = "idempotency_mismatch"
    message = "This Idempotency-Key was used for another request. Send a new key with a new request."


class RateLimited(ChatError):
    """The key has as many streams open as one key may have."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    message = "This key has too many streams open. Wait until one has ended, then try again."
    headers: Mapping[str, str] = {"retry-after": "1"}


class TooManyRuns(RateLimited):
    """The key, or its tenant, has as many runs under way as it may."""

    message = "Too many calls of this key or its tenant are under way. Wait until one has ended, then try again."


class LimitReached(RateLimited):
    """A limit that an admin has set has too little left for the call, for a moment. `more`: further headers."""

    message = "A limit is used up. Try again in a moment, or ask an admin of your tenant."

    def __init__(self, message: str = "", *, more: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.headers = {**type(self).headers, **more}


class QuotaExceeded(LimitReached):
    """A limit of a day, of a month or of money has too little left: there is no use in trying again soon."""

    code = "insufficient_quota"
    message = "A limit is used up. Wait until it begins anew, or ask an admin of your tenant."
    headers: Mapping[str, str] = NO_RETRY


class Overloaded(ChatError):
    """This server has as many runs under way, and calls that wait for one of them to end, as it takes."""

    status = 503
    type = "overloaded_error"
    code = "overloaded"
    message = "This server has too much to do for a moment. Try again in a moment."
    headers = {"retry-after": "1"}


class ServerStopping(ChatError):
    """The server ends, and the call did not come to its end in the time that was left for it."""

    status = 503
    type = "overloaded_error"
    code = "server_stopping"
    message = "This server is being restarted, and the call could not be finished. Nothing was stored; try again."
    headers = {"retry-after": "1"}


class CoreFailed(ChatError):
    """The Core ended with an error. `reason` is for another Core that called it; `retry_after_s` is how many seconds a
    service of the Core asks to wait."""

    status = 502
    type = "api_error"
    code = "core_error"
    message = "The model failed to answer. Nothing was stored; try again."
    reason: Reason = "upstream_failed"
    retry_after_s: float | None = None


class ModelRateLimited(CoreFailed):
    """The model's provider takes no more calls for a moment."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    message = "The model's provider takes no more calls for a moment. Nothing was stored; try again then."
    headers = SHORT_WAIT
    reason = "rate_limited"


class QuotaExhausted(CoreFailed):
    """The account at the model's provider has used up what it paid for."""

    status = 429
    type = "rate_limit_error"
    code = "insufficient_quota"
    message = "The account at the model's provider has used up what it paid for. Ask an admin of your tenant."
    headers = NO_RETRY
    reason = "quota_exhausted"


class ModelOverloaded(CoreFailed):
    """The model's provider has too much to do for a moment."""

    status = 503
    type = "overloaded_error"
    code = "model_overloaded"
    message = "The model's provider has too much to do for a moment. Nothing was stored; try again then."
    headers = SHORT_WAIT
    reason = "overloaded"


class AnswerUnfit(CoreFailed):
    """The answer is not of the format that the caller asked for."""

    message = "The model's answer did not fit the `response_format`. Nothing was stored; try again."


class ContextTooLong(CoreFailed):
    """The conversation is longer than the model takes."""

    status = 400
    type = "invalid_request_error"
    code = "context_length_exceeded"
    message = "The conversation is longer than the model takes. Send less of it."
    headers = NO_RETRY
    reason = "too_long"


class ContentFiltered(CoreFailed):
    """A filter of the model's provider held back the question or the answer."""

    status = 400
    type = "invalid_request_error"
    code = "content_filter"
    message = "A filter of the model's provider held back the question or the answer. Ask in other words."
    headers = NO_RETRY
    reason = "filtered"


class CoreTimedOut(ChatError):
    """The Core ran past its deadline."""

    status = 504
    type = "api_error"
    code = "core_timeout"
    message = "The model did not answer in time. Nothing was stored; try again."


class DatabaseUnavailable(ChatError):
    """The database did not answer in time."""

    status = 503
    type = "overloaded_error"
    code = "database_unavailable"
    message = "The service is not available for a moment. Try again."
    headers = {"retry-after": "1", "x-should-retry": "true"}


class Unexpected(ChatError):
    """A defect of ours."""

    status = 500
    type = "api_error"
    code = "internal_error"
    message = "Something went wrong on our side. The log has the details."


_FAILURES: Final[dict[str, type[CoreFailed]]] = {
    "service_rate_limited": ModelRateLimited,
    "service_quota_exhausted": QuotaExhausted,
    "service_overloaded": ModelOverloaded,
    "service_too_long": ContextTooLong,
    "service_filtered": ContentFiltered,
}
# Failures that would come again.
_LASTING: Final = frozenset(
    (
        "no_models",
        "service_denied",
        "service_missing",
        "service_rejected",
        "service_refused_address",
        "service_unconfigured",
    )
)
_LASTING_MESSAGE: Final = (
    "The model cannot answer this call, and trying again would not help. Nothing was stored; "
    "ask an admin of your tenant."
)


def core_failure(failed: RunFailed) -> CoreFailed:
    """How the caller is told that a run failed: by a fixed sentence, and whether and when to try again."""
    if failed.reason in _LASTING:
        refusal = CoreFailed(_LASTING_MESSAGE)
        refusal.headers, refusal.reason = NO_RETRY, "rejected"
        return refusal
    refusal = _FAILURES.get(failed.reason, CoreFailed)()
    if failed.retry_after_s is not None and "retry-after" in refusal.headers:
        refusal.retry_after_s = failed.retry_after_s
        refusal.headers = {"retry-after": str(max(1, min(LONGEST_WAIT_S, math.ceil(failed.retry_after_s))))}
    return refusal


def refused_field(param: str, message: str, code: str = "invalid_value") -> FieldInvalid:
    """The refusal of the field at `param`, a path such as `messages[2].role`."""
    return FieldInvalid(message, param=param, code=code)
