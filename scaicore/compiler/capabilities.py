"""What a flow can do for its callers: derived from its nodes, and from what it says of its models.

What no node of it could do cannot be declared: a caller would be let in with a question that nobody answers.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from scaicore.capabilities import CAPABILITIES, DECLARED, canonical
from scaicore.diagnostics import Diagnostic, error
from scaicore.flow import FlowDocument
from scaicore.language.names import shown
from scaicore.nodes import KINDS, may_ask
from scaicore.program import RESPONSE, Program, ProgramNode

_PATH: Final = "config.capabilities"
# Why a flow cannot do what it declares: the second half of a sentence that says what would help.
_LACKING: Final[dict[str, str]] = {
    "tools": "no node of it calls them; set `client_tools` on the `llm_flexible` node that writes the response",
    "structured_output": "every node that may write the response must be a language model's, in every case",
    "web_search": "no language model writes its response; let an `llm_flexible` node do that",
    "reasoning": "no language model writes its response; let an `llm_flexible` node do that",
} | dict.fromkeys(
    ("images", "audio", "files"),
    "nothing in it would look at them; add a node that asks a language model with the conversation, or another server",
)


def complete(program: Program) -> Program:
    """The program with all that it can do, by what it declares and by what its nodes show."""
    possible = _possible(program)
    wanted = {*canonical(program.capabilities), *_evident(program)}
    found = tuple(name for name in CAPABILITIES if name in wanted and name in possible)
    return msgspec.structs.replace(program, capabilities=found)


def check(program: Program, flow: FlowDocument) -> Iterator[Diagnostic]:
    """What the flow declares and could not do."""
    yield from _unheard_calls(program, flow)
    possible = _possible(program)
    for name in canonical(program.capabilities):
        if name not in CAPABILITIES:
            known = ", ".join(f"`{each}`" for each in CAPABILITIES)
            message = f"`{shown(name)}` is no capability. Those that there are: {known}."
            yield error("bad_value", message, _PATH)
        elif name not in possible:
            message = f"The flow declares `{name}`, which it cannot do: {_LACKING[name]}. Or leave it out."
            yield error("impossible_capability", message, _PATH)


def _unheard_calls(program: Program, flow: FlowDocument) -> Iterator[Diagnostic]:
    """Nodes that would call tools of the caller in place of an answer that nobody reads."""
    indices = {node.id: index for index, node in enumerate(flow.nodes)}
    for node in program.nodes:
        if node.config.get("client_tools") and node.id not in program.responders:
            message = (
                f"Node `{node.id}`: it may call the caller's tools, but its text is not certain to be the response. "
                "Switch `client_tools` off, or let this node alone write the response."
            )
            path = f"nodes[{indices[node.id]}].config.client_tools"
            yield error("client_tools_unheard", message, path, node=node.id)


def _possible(program: Program) -> set[str]:
    possible = {"tools"} if any(node.config.get("client_tools") for node in program.nodes) else set[str]()
    writers = _writers(program)
    if _answers_in_json(program, writers):
        possible.add("structured_output")
    if any(KINDS[node.kind].replies for node in writers):
        possible |= {"web_search", "reasoning"}
    if any(KINDS[node.kind].waits and node.config.get("include_history", True) for node in program.nodes):
        possible |= {"images", "audio", "files"}
    return possible


def _evident(program: Program) -> Iterator[str]:
    """What needs no word of the flow's author."""
    yield from (name for name in CAPABILITIES if name not in DECLARED)
    if any(_shows_thoughts(node, program) for node in _writers(program)):
        yield "reasoning"


def _writers(program: Program) -> list[ProgramNode]:
    return [node for node in program.nodes if node.id in program.writers]


def _answers_in_json(program: Program, writers: list[ProgramNode]) -> bool:
    """Whether the caller's format reaches a model, whichever way a run takes. A question of a checkpoint has none."""
    if not writers or any(may_ask(node.kind) for node in program.nodes):
        return False
    return all(
        KINDS[node.kind].replies and (node.id in program.responders or node.config.get("result_binding") == RESPONSE)
        for node in writers
    )


def _shows_thoughts(node: ProgramNode, program: Program) -> bool:
    if not KINDS[node.kind].replies:
        return False
    role: Any = node.config.get("llm_role")
    return any(
        "pass" in (model.options.thinking, *(spare.options.thinking for spare in model.fallback))
        for model in program.models
        if role in (None, model.role)
    )
