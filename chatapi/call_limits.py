"""What a call takes of its limits, as its caller reads it: a refusal, headers, a warning; and what is settled after."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from chatapi import usage
from chatapi.chat_request import ChatRequest
from chatapi.errors import LONGEST_WAIT_S, LimitReached, QuotaExceeded
from publishing import limits
from publishing.limits import Estimate, Taken
from publishing.registry import AllowedCall

CHARACTERS_PER_TOKEN: Final = 4
# More than any limit can hold, and few enough for the database to add up.
MOST_TOKENS: Final = 10**9
# The names that OpenAI's clients know; money has none.
HEADER_MEASURES: Final = ("requests", "tokens")
PER: Final = {"minute": "a minute", "day": "a day", "month": "a month"}


def estimate(request: ChatRequest) -> Estimate:
    """What the call may need: its texts, and as much of an answer as it asks for."""
    asked = request.params.get("max_completion_tokens") or request.params.get("max_tokens") or 0
    return Estimate(sum(map(len, request.texts)) // CHARACTERS_PER_TOKEN + 1, min(int(asked), MOST_TOKENS))


def check(caller: AllowedCall) -> None:
    """Refuse a call for which a limit has too little left, and give back what it got of the others."""
    refusing = [one for one in caller.taken if one.refuses]
    if refusing:
        give_back(caller)
        # The one that lasts longest: there is no use in waiting for another.
        raise _refusal(max(refusing, key=_wait_s))


def give_back(caller: AllowedCall) -> None:
    """Of a call that did not run, nothing counts."""
    for row in limits.give_back(caller.taken, caller.core_id):
        usage.settle(row)


def settle(caller: AllowedCall, *, prompt: int, completion: int) -> None:
    """Count what a run used, in tokens, in place of what it was thought to need."""
    for row in limits.settle(caller.taken, caller.core_id, prompt=prompt, completion=completion):
        usage.settle(row)


def headers(taken: Sequence[Taken]) -> dict[str, str]:
    """How much is left, by OpenAI's headers: of the limit of which least is; and a warning beyond a soft one."""
    found: dict[str, str] = {}
    for measure in HEADER_MEASURES:
        of_this = [one for one in taken if one.measure == measure and not one.is_soft]
        if of_this:
            found |= _left(min(of_this, key=lambda one: one.remaining / one.amount))
    if beyond := [one for one in taken if one.is_soft and not one.is_within]:
        found["x-scai-limit-warning"] = "; ".join(f"{_number(one.used)} of {_words(one)}" for one in beyond)
    return found


def _left(one: Taken) -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{one.measure}": _number(one.amount),
        f"x-ratelimit-remaining-{one.measure}": str(math.floor(one.remaining)),
        f"x-ratelimit-reset-{one.measure}": _duration(one.resets_s),
    }


def _refusal(one: Taken) -> LimitReached:
    if one.cost > one.amount:
        message = f"This call needs more than the limit of {_words(one)} ever gives. Make it smaller."
        return QuotaExceeded(message, more=headers([one]))
    wait_s = max(1, math.ceil(_wait_s(one)))
    kind = LimitReached if one.per == "minute" and one.measure != "money" else QuotaExceeded
    message = (
        f"The limit of {_words(one)} is used up. Try again in {_duration(wait_s)}, or ask an admin of your tenant."
    )
    return kind(message, more=headers([one]) | {"retry-after": str(min(wait_s, LONGEST_WAIT_S))})


def _wait_s(one: Taken) -> float:
    """Until there is enough again. A minute's limit comes back evenly."""
    if one.per != "minute":
        return one.resets_s
    return max(0.0, (one.used + one.cost - one.amount) * 60 / one.amount)


def _words(one: Taken) -> str:
    return f"{_number(one.amount)} {'of money' if one.measure == 'money' else one.measure} {PER[one.per]}"


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _duration(seconds: float) -> str:
    """As OpenAI writes it: `1s`, `6m0s`, `2h5m0s`."""
    whole = math.ceil(seconds)
    hours, minutes, left = whole // 3600, whole // 60 % 60, whole % 60
    shown: Iterable[str] = (f"{hours}h" * bool(hours), f"{minutes}m" * bool(hours or minutes), f"{left}s")
    return "".join(shown)
