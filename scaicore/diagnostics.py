"""What a compile finds in a document: sentences for its author, each with the place that it is about."""

from typing import Final, Literal

import msgspec

Severity = Literal["error", "warning"]

# Every code that a diagnostic may have, and what it means. Pages and documents read this table.
CODES: Final[dict[str, str]] = {
    "bad_arguments": "a node calls a tool of an MCP server without an argument that it needs, or with another",
    "bad_condition": "a condition is missing, unreadable or not true-or-false",
    "bad_expression": "an expression is unreadable or too costly",
    "bad_schema": "an `output_schema` is no JSON Schema, or uses what cannot be used here",
    "bad_template": "a template is unreadable",
    "bad_tool": "a tool of a model node cannot be one, or is not described as one must be",
    "bad_value": "a field has a value that it cannot have",
    "bad_variable_type": "a variable declares a type that does not exist",
    "client_tools_unheard": "a node calls the caller's tools where nobody would answer the call",
    "cycle": "nodes wait for each other in a circle",
    "dangling_edge": "an edge leads from or to a node that does not exist",
    "dangling_port": "an edge uses a port that its node does not declare",
    "decision_without_conditions": "a decision has no conditional edges, or others among them",
    "duplicate_else": "a node has two `else` branches",
    "duplicate_id": "two nodes, edges, ports, variables or roles have the same name",
    "edge_into_entry": "an edge leads into an entry",
    "entity_never_received": "entity mode without an entry that a caller reaches",
    "equal_bindings": "two nodes that may both run call their results the same",
    "ignored_condition": "an edge that is always taken has a condition",
    "impossible_capability": "the flow declares that it can do what none of its nodes could",
    "invalid_shape": "a part of the document has the wrong shape",
    "kind_not_available": "a node kind that this installation cannot run",
    "loop_leak": "an edge leads into or out of the body of a loop, but not through the loop",
    "loop_without_body": "a loop without anything behind its port `body`",
    "loop_without_limit": "a while-loop without `max_iterations`",
    "memory_without_variables": "a Core with memory declares no variable, so it keeps nothing",
    "multiple_entries": "more than one `entry_api`, or more than one `entry_webhook`",
    "needs_entity_mode": "a checkpoint in a flow whose instance mode is not `entity`",
    "no_entry": "the flow has no entry",
    "not_plain_data": "the document holds something that is not plain JSON text, number, list or object",
    "publish_without_entry_api": "publishing needs an `entry_api`",
    "reserved_name": "a name that the runtime itself uses",
    "result_not_there": "a template or expression reads a node's result where no run has it",
    "test_unusable": "an entry of `tests` cannot be run as a test",
    "too_large": "the document is larger than a flow may be",
    "undeclared_model_role": "a node uses a model role that the flow does not declare",
    "undeclared_variable": "a variable that the flow does not declare",
    "unfit_condition": "a condition compares the message with what is no text",
    "unknown_model_provider": "a model names a provider that does not exist here",
    "unknown_name": "a template or expression reads a name that nothing in the flow produces",
    "unknown_node_kind": "a node kind that is not part of the language",
    "unknown_tool": "a node names an MCP server or a tool of it that the tenant does not have",
    "unreachable_node": "no edge leads from the entry to this node",
    "webhook_without_auth": "an `entry_webhook` that no request reaches, since nothing says how it is signed",
    "wrong_type": "a value has another type than its variable declares",
}


class Diagnostic(msgspec.Struct, frozen=True):
    """One finding: an error blocks a deploy, a warning does not. `path` is a part such as `nodes[2].config`."""

    severity: Severity
    code: str
    message: str
    path: str = ""
    node_id: str | None = None
    edge_id: str | None = None


def error(code: str, message: str, path: str = "", *, node: str | None = None, edge: str | None = None) -> Diagnostic:
    """A finding that blocks the deploy."""
    return Diagnostic("error", code, message, path, node, edge)


def warning(code: str, message: str, path: str = "", *, node: str | None = None, edge: str | None = None) -> Diagnostic:
    """A finding that does not block the deploy."""
    return Diagnostic("warning", code, message, path, node, edge)


def has_errors(diagnostics: list[Diagnostic]) -> bool:
    """Whether one of them blocks the deploy."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)
