"""Why a run did not end well: a word that is counted with it, and the sentence that people read."""

from __future__ import annotations

from typing import Final, NamedTuple

import scaicore
from chatapi.errors import AnswerUnfit
from chatapi.models import Outcome
from scaicore.errors import REASONS

UNFIT: Final = "answer_unfit"
SENTENCES: Final = REASONS | {UNFIT: "The answer did not fit the `response_format` that the caller asked for."}
ENDINGS: Final[dict[str, str]] = {
    Outcome.OK: "It was answered.",
    Outcome.FAILED: "It failed; the server's log has the cause under the request id.",
    Outcome.TIMED_OUT: "It did not come to its end in the time that it had.",
    Outcome.CANCELLED: "The caller left before the answer was whole.",
}
LONGEST_NODE_ID: Final = 200


class Cause(NamedTuple):
    """Why a run failed, as a key of `SENTENCES`, and the id of the node at which it did; either may be empty."""

    reason: str = ""
    node_id: str = ""


NO_CAUSE: Final = Cause()


def find_cause(error: BaseException) -> Cause:
    """The cause in the error that a run ended with."""
    if isinstance(error, AnswerUnfit):
        return Cause(UNFIT)
    if isinstance(error, scaicore.RunFailed):
        return Cause(error.reason, (error.node_id or "")[:LONGEST_NODE_ID])
    if isinstance(error, scaicore.RunTimedOut):
        return Cause("", (error.node_id or "")[:LONGEST_NODE_ID])
    return NO_CAUSE


def explain(outcome: str, reason: str) -> str:
    """How a run ended, in a sentence for the flow's owner."""
    return SENTENCES.get(reason) or ENDINGS[outcome]
