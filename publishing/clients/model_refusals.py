"""What a model server says when it does not answer, and what that means for the call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from publishing.clients import lenient_json
from publishing.clients.refusal_bodies import error_object, retry_after, sentence
from scaicore.masking import HIDDEN, Mask
from scaicore.services import Reason, ServiceFailed

LONGEST_SENTENCE: Final = 300

_STATUSES: Final[dict[int, Reason]] = {
    **dict.fromkeys((401, 402, 403, 407, 451), "denied"),
    **dict.fromkeys((404, 405, 410, 421, 426), "missing"),
    **dict.fromkeys((408, 504, 522, 524), "timed_out"),
    **dict.fromkeys((413, 414), "too_long"),
    **dict.fromkeys((400, 422), "rejected"),
    **dict.fromkeys((409, 423, 425, 503, 529), "overloaded"),
    429: "rate_limited",
}
_CODES: Final[tuple[tuple[Reason, re.Pattern[str]], ...]] = (
    ("quota_exhausted", re.compile("insufficient_quota|billing_hard_limit|quota_exhausted")),
    ("too_long", re.compile("context_length|context_size|context_window|string_above_max_length")),
    ("filtered", re.compile("content_filter|content_policy|responsibleaipolicy|data_inspection|moderation")),
    ("rate_limited", re.compile("rate_limit|too_many_requests|resource_exhausted|throttl")),
    ("overloaded", re.compile("overloaded|service_unavailable|^unavailable$")),
    ("denied", re.compile("authentication|invalid_api_key|api_key_invalid|permission|unauthori|forbidden")),
    ("missing", re.compile("model_not_found|model_decommissioned|deploymentnotfound|not_found_error")),
)
# What is said in words where the status says no more than 400; several servers say it with 422 or 500.
_SENTENCE_REASONS: Final[tuple[tuple[Reason, re.Pattern[str]], ...]] = (
    (
        "too_long",
        re.compile(
            r"context.?(length|window|size|limit|overflow)|maximum (prompt|model|context|input|sequence) length"
            r"|(prompt|input|request|conversation|message)s? (is|are|has been|length)? ?(too (long|large|many)|exceed)"
            r"|too many (input |prompt )?tokens|token count.{0,40}exceeds|too large for model"
            r"|tokens.{0,60}must (be <=|have less)|must have less than \d+ tokens|longer than the (model|maximum)"
            r"|reduce (the|your) (length|prompt|input)|context the overflows"
        ),
    ),
    (
        "filtered",
        re.compile(
            r"content (management|filter|polic)|content_filter|safety system|flagged|prohibited (content|use)"
            r"|inappropriate content|usage polic|blocked (by|due to)"
        ),
    ),
    (
        "denied",
        re.compile(
            r"api[ _-]?key|credit balance|insufficient (credit|balance|fund)|billing|payment required|unauthori[sz]ed"
            r"|not authori[sz]ed|authenticat|account.{0,40}(suspended|disabled|deactivated|overdue)"
        ),
    ),
    (
        "missing",
        re.compile(
            r"model.{0,100}(not found|n't found|not exist|n't exist|not available|decommissioned|no longer)"
            r"|(invalid|unknown|no such|unsupported) model|not a valid model|deployment.{0,60}not (exist|found)"
        ),
    ),
)
_UNCLEAR: Final = frozenset((None, 400, 422, 500))

# Keys in the shapes in which the field hands them out, with stars in their middle or without.
_KEYS: Final = re.compile(
    r"(?i)\b(?:sk|gsk|pk|rk|xai|hf|nvapi|r8)[-_][\w*.~+/=-]{6,}|\b(?:bearer|basic)\s+[\w*.~+/=-]{8,}"
    r"|\b(?:key|tok|token)[-_](?=[\w-]*\d)[\w*.-]{6,}|\beyJ[\w-]{8,}(?:\.[\w-]*)*|\bA(?:KIA|IZA)[\w-]{12,}"
    r"|\b(?=\w*\d)(?=\w*[a-z])\w{32,}|[\w-]+\*{3,}[\w*-]*|(?<=://)[^/\s@]+(?=@)"
)


class ProviderRefused(Exception):
    """The server answered, but not the question. `status` is None where only an event of a stream says so; `field` is
    the one it names as the reason, `code` its own word for that. The text of this is the server's: never shown."""

    def __init__(self, status: int | None, sentence: str, *, field: str = "", code: str = "") -> None:
        super().__init__("A model server refused.")
        self.status = status
        self.sentence = sentence
        self.field = field
        self.code = code
        self.retry_after_s: float | None = None

    @property
    def words(self) -> str:
        """All that it said, in lower case and without the marks around names."""
        return re.sub(r"""[\\"'`’‘]+""", "'", f"{self.sentence} [{self.field}] [{self.code}]".lower())

    @property
    def reason(self) -> Reason:
        """What it means for the call."""
        if self.status in (413, 414):
            return "too_long"
        named = next((reason for reason, pattern in _CODES if pattern.search(self.code.lower())), None)
        if named is not None:
            return named
        if self.status in _UNCLEAR and (reason := _spoken(self.sentence, self.status)):
            return reason
        return "upstream_failed" if self.status is None else status_reason(self.status) or "upstream_failed"

    def failure(self, key: str) -> ServiceFailed:
        """The failure of the call; what the server said is cut, and cleaned of `key` and of whatever looks like one."""
        reason = self.reason
        is_final = reason in ("rejected", "too_long") or (reason == "filtered" and self.status in (400, 422))
        head = " ".join(filter(None, (str(self.status or ""), self.code)))
        said = clean(f"{head}: {self.sentence}", key)
        return ServiceFailed(reason, said=said, retry_after_s=self.retry_after_s, is_final=is_final)


def clean(said: str, key: str) -> str:
    """A server's words as one short line that may be logged."""
    shown = _KEYS.sub(HIDDEN, Mask([key]).text(" ".join(said.split())))[:LONGEST_SENTENCE]
    return "".join(char if char.isprintable() else "\ufffd" for char in shown)


def status_reason(status: int) -> Reason | None:
    """What a status says went wrong; None when an answer follows."""
    if 200 <= status < 300:
        return None
    return _STATUSES.get(status, "upstream_failed")


def read_refusal(status: int, headers: Mapping[str, str], body: bytes) -> ProviderRefused:
    """The refusal in an answer whose status says that it is none."""
    try:
        said = lenient_json.loads(body)
    except ValueError:
        said = body.decode(errors="replace")
    refused = refusal_in(said, status)
    refused.retry_after_s = retry_after(headers, body)
    return refused


def refusal_in(said: Any, status: int | None = None) -> ProviderRefused:
    """The refusal in a JSON value or a text; without a status of the answer, the number in the error is one."""
    error = error_object(said)
    number = str(error.get("code") or error.get("status"))
    if status is None and number.isdecimal() and 400 <= int(number[:4]) < 600:
        status = int(number)
    field = error.get("param")
    code = _words(error, "code", "type", "status", "error_type")
    return ProviderRefused(status, sentence(said), field=field if isinstance(field, str) else "", code=code)


def _spoken(sentence: str, status: int | None) -> Reason | None:
    """The reason that stands in words. A server that failed says other things than one that refused."""
    reason = next((reason for reason, pattern in _SENTENCE_REASONS if pattern.search(sentence.lower())), None)
    return reason if status != 500 or reason == "too_long" else None


def _words(error: Mapping[str, Any], *names: str) -> str:
    """The short words that the error has under these names."""
    found = (error.get(name) for name in names)
    return " ".join(word[:80] for word in found if isinstance(word, str) and not word.isdecimal())
