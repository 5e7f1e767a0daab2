"""What can go wrong while a Core runs.

ScaicoreError
├── SourceUnreadable       a template or expression of the flow cannot be read (found by compile)
├── ProgramUnreadable      a stored program is not one that this version understands
├── RunFailed              the run cannot go on               (core_error)
└── RunTimedOut            the run crossed its deadline       (core_timeout)

`str(error)` is a fixed sentence that may be shown to any client: it never holds text of a caller, of a flow or of
another exception. `reason` and `detail` are for the owner of the flow.
"""

from typing import ClassVar, Final

# reason → what the flow's owner reads in the run's trace. Fixed sentences, like those for clients.
REASONS: Final[dict[str, str]] = {
    "node_failed": "The node stopped on an unexpected error; the server's log has it under the request id.",
    "no_branch": "None of the conditions held and there is no `else` branch. Add an edge with the condition `else`.",
    "expression_failed": "The expression could not be evaluated on this input. Guard missing fields with `has(...)`.",
    "expression_not_boolean": "The condition was neither true nor false. Compare it with a value.",
    "expression_too_costly": "The expression would take too long on input of this size. Use fewer nested loops in it.",
    "not_plain_data": "A value is not plain JSON data, or nests too deeply.",
    "wrong_type": "The value has another type than the variable declares.",
    "too_many_steps": "The request took more steps than it may take, in all of its runs together.",
    "too_much_data": "The request collected more data than it may hold, in all of its runs together.",
    "too_many_runs": "The request ran more Cores than `MAX_RUNS_PER_REQUEST` allows.",
    "too_many_tokens": "The models used more tokens for the request than `MAX_TOKENS_PER_REQUEST` allows.",
    "state_too_large": "The memory of the Core would be larger than 1 MiB of JSON.",
    "resume_too_large": "At the checkpoint, the run holds more data than can be kept until the decision.",
    "too_many_items": "The loop's `items` are more than its `max_iterations`.",
    "not_a_list": "The loop's `items` did not give a list.",
    "no_models": "The node asks a language model, but this run may not use any.",
    "no_http": "The node calls another server, but this run may not call any.",
    "no_cores": "The node calls another Core, but this run may not call any.",
    "model_refused": "The model declined to answer, at a node that does not write the reply.",
    "output_unfit": "The model's answer did not fit the `output_schema`, not even the second time.",
    "too_many_turns": "The model went on calling tools when it had used up its `max_turns`.",
    "guard_refused": "The node's `guard` did not hold, and it has no fallback.",
    "validation_refused": "The model's answer did not pass the node's `validate`, and it has no fallback.",
    "bad_url": "A value left a part of the URL's path empty, made it lead elsewhere, or made the URL too long.",
    "unexpected_status": "The server answered with a status that the node does not expect; see `expect_status`.",
    "no_plugins": "The node calls a tool of an MCP server, but this run may not call any.",
    "arguments_unfit": "The arguments do not fit the tool's input schema.",
    "tool_failed": "The tool says that it failed.",
    "too_deep": "Cores call each other more than 8 levels deep.",
    "service_unreachable": "A server that the node calls could not be reached, or the connection broke.",
    "service_refused_address": "The node calls an address that this installation does not call.",
    "service_timed_out": "A server that the node calls did not answer in time.",
    "service_rate_limited": "A server that the node calls refused because of too many requests.",
    "service_quota_exhausted": "A server that the node calls refused because its account has used up what it paid for.",
    "service_overloaded": "A server that the node calls has too much to do at the moment.",
    "service_upstream_failed": "A server that the node calls failed, or gave an answer that cannot be read.",
    "service_denied": "A server that the node calls does not accept the key, or the account behind it may not do that.",
    "service_missing": "A server that the node calls knows no such model, or nothing at that URL.",
    "service_rejected": "A server that the node calls refused the request.",
    "service_too_long": "The conversation is longer than the model takes.",
    "service_filtered": "The model's provider filtered the question or the answer.",
    "service_no_text": "The model answered without any text.",
    "service_too_large": "A server that the node calls sent an answer that is too large.",
    "service_unconfigured": "A provider, Core, tool or secret that the node names does not exist, or may not be used.",
}


class ScaicoreError(Exception):
    """The runtime could not do what it was asked to; `code` is the name of the error on the wire."""

    code: ClassVar[str] = "core_error"


class SourceUnreadable(ScaicoreError):
    """A template or expression of the flow cannot be read; the text says why, to the flow's author alone."""


class ProgramUnreadable(ScaicoreError):
    """The stored program was written by another format of this library; deploy the flow again."""

    def __init__(self) -> None:
        super().__init__("The stored program of the Core cannot be read. Deploy the flow again.")


class RunFailed(ScaicoreError):
    """The run cannot go on, and nothing of it may be kept. `reason` is a key of `REASONS`. Where a service failed,
    `said` is what it said of that, for admins and the log alone, and `retry_after_s` how long it asks to wait."""

    def __init__(
        self,
        reason: str = "node_failed",
        node_id: str | None = None,
        *,
        said: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__("The Core failed while it was running.")
        self.reason = reason
        self.node_id = node_id
        self.said = said
        self.retry_after_s = retry_after_s

    @property
    def detail(self) -> str:
        """A fixed sentence for the flow's owner."""
        return REASONS[self.reason]


class RunTimedOut(ScaicoreError):
    """The run crossed its deadline; every node of it was stopped."""

    code: ClassVar[str] = "core_timeout"

    def __init__(self, node_id: str | None = None) -> None:
        super().__init__("The Core did not answer in time.")
        self.node_id = node_id
