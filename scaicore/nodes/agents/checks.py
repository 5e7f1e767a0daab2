"""What is wrong with the tools of a model node in its flow. Which MCP servers there are is for the compiler to know."""

from collections import Counter
from collections.abc import Iterator, Sequence

from scaicore.diagnostics import Diagnostic
from scaicore.flow import Node
from scaicore.language import arguments
from scaicore.language.names import RESERVED, can_bind, shown
from scaicore.nodes.agents.tools import FUNCTION_NAME, KINDS, AgentTool, function_name, parameter_names, schema_of
from scaicore.nodes.checking import NodeCheck

CODE = "bad_tool"


def check(tools: Sequence[AgentTool], node_check: NodeCheck) -> Iterator[Diagnostic]:
    """The findings of each tool, and names that stand twice."""
    nodes = {node.id: node for node in node_check.flow.nodes}
    for index, tool in enumerate(tools):
        for key, message in _faults(tool, nodes, node_check):
            yield node_check.error(CODE, message, f"tools[{index}]{key and f'.{key}'}")
    offered = Counter(name for tool in tools for name in _names(tool))
    for name, count in offered.items():
        if count > 1:
            message = f"it has {count} tools called `{shown(name)}`; give each its own name."
            yield node_check.error(CODE, message, "tools")


def _names(tool: AgentTool) -> list[str]:
    return [function_name(name) for name in tool.tools] if tool.mcp is not None else [tool.name]


def _faults(tool: AgentTool, nodes: dict[str, Node], node_check: NodeCheck) -> Iterator[tuple[str, str]]:
    """The key at fault and what is wrong, of one tool."""
    if (tool.node is None) == (tool.mcp is None):
        yield "", "a tool is either a `node` of the flow or an `mcp` server with its `tools`; name one of the two."
    elif tool.mcp is not None:
        if not tool.tools:
            yield "tools", "name the tools of the MCP server that the model may call."
        if tool.name or tool.description or tool.parameters is not None:
            yield (
                "mcp",
                "an MCP server's tools bring their own names, descriptions and parameters; leave these out.",
            )
    else:
        yield from _node_faults(tool, nodes.get(tool.node or ""), node_check)


def _node_faults(tool: AgentTool, node: Node | None, node_check: NodeCheck) -> Iterator[tuple[str, str]]:
    if not FUNCTION_NAME.fullmatch(tool.name):
        yield "name", f"`{shown(tool.name)}` cannot name a tool; use 1 to 64 letters, digits, `_` and `-`."
    if not tool.description.strip():
        yield "description", "say what the tool is for: the model knows it by that alone."
    if tool.tools:
        yield "tools", "these belong to an MCP server; leave them out."
    if node is None:
        yield "node", f"there is no node `{shown(tool.node or '')}` to be a tool."
        return
    if node.type not in KINDS:
        kinds = ", ".join(f"`{kind}`" for kind in KINDS)
        yield "node", f"node `{shown(node.id)}` cannot be a tool; those of the kinds {kinds} can."
    if any(node.id in (edge.source.node, edge.target.node) for edge in node_check.flow.edges):
        yield "node", f"node `{shown(node.id)}` runs when the model calls it, so no edge may lead to it or from it."
    yield from _parameter_faults(tool, node, node_check)


def _parameter_faults(tool: AgentTool, node: Node, node_check: NodeCheck) -> Iterator[tuple[str, str]]:
    if fault := arguments.find_fault(schema_of(tool, node.type, node.config)):
        yield "parameters", f"they must be a JSON Schema of an object: {fault}."
        return
    for name in sorted(parameter_names(tool, node)):
        if name != "message" and (name in RESERVED or not can_bind(name)):
            yield "parameters", f"`{shown(name)}` cannot name a parameter; use a plain word that no run uses itself."
        elif name in node_check.names and name != "message":
            yield "parameters", f"the parameter `{shown(name)}` has the name of a node or of a result; give it another."
