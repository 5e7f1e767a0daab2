"""The tools of a model node: other nodes of the flow, and accepted tools of MCP servers, offered as functions."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from scaicore.errors import RunFailed
from scaicore.flow import FlowDocument, Node
from scaicore.jsondata import Json
from scaicore.nodes.base import field
from scaicore.nodes.node_run import NodeRun, ToolUse
from scaicore.nodes.tool_plugin import LONGEST_SAID, TIMEOUT_S, shown
from scaicore.program import Program
from scaicore.services import PluginCall, PluginTool

# The kinds whose nodes may be tools: each calls something, and gives its answer.
KINDS: Final = ("tool_http", "tool_plugin", "subflow_call")
MOST_TURNS: Final = 50
MOST_TOOLS: Final = 64
FUNCTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
NOTHING: Final[dict[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": False}
MESSAGE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"message": {"type": "string", "description": "What to ask or tell it."}},
    "required": ["message"],
    "additionalProperties": False,
}


class AgentTool(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Either a `node` of the flow under a `name`, with a `description` and the `parameters` that the model fills, a
    JSON Schema: they stand in that node's scope under their names. Or `tools` of the MCP server `mcp`."""

    name: Annotated[str, field("Name", "What the model calls the tool.", "weather")] = ""
    description: Annotated[
        str, field("Description", "What it is for; the model goes by that.", "The weather of a town.")
    ] = ""
    node: Annotated[str | None, field("Node", "The node that runs, one without edges.", "weather")] = None
    parameters: Annotated[
        dict[str, Any] | None,
        field(
            "Parameters",
            "The JSON Schema of what the model fills in.",
            {"type": "object", "properties": {"town": {"type": "string"}}},
        ),
    ] = None
    mcp: Annotated[
        str | None, field("MCP server", "In place of a node: the server whose tools are offered.", "crm")
    ] = None
    tools: Annotated[list[str], field("Tools of the server", "Which of its tools.", ["find_customer"])] = []


Turns = Annotated[int, msgspec.Meta(ge=1, le=MOST_TURNS)]


@dataclass(frozen=True, slots=True)
class OwnTool:
    """A tool as the model reads of it, and what runs when the model calls it."""

    name: str
    description: str
    schema: dict[str, Any]
    use: Callable[[dict[str, Json], str], ToolUse]  # of its arguments and the id of the call

    def offer(self) -> dict[str, Any]:
        """The tool in the words of the chat."""
        function = {"name": self.name, "description": self.description, "parameters": self.schema}
        return {"type": "function", "function": function}


def used_nodes(kind: str, config: Mapping[str, Any] | None) -> Iterator[str]:
    """The ids of the nodes that a node of this kind and config uses as tools; the config may be anything."""
    tools = (config or {}).get("tools") if kind in ("llm_flexible", "llm_guarded") else None
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and isinstance(tool.get("node"), str):
            yield tool["node"]


def find_used(nodes: Iterable[tuple[str, Mapping[str, Any] | None]]) -> frozenset[str]:
    """The ids of all nodes that others of these, each a kind and a config, use as tools."""
    return frozenset(node_id for kind, config in nodes for node_id in used_nodes(kind, config))


def named_plugins(nodes: Iterable[tuple[Any, Any]]) -> dict[str, set[str]]:
    """By the ref of an MCP server, the tools of it that these nodes name, each a kind and a config that may be
    anything."""
    found: dict[str, set[str]] = {}
    for kind, config in nodes:
        if not isinstance(config, dict):
            continue
        pairs: list[tuple[Json, Json]] = []
        if kind == "tool_plugin":
            pairs.append((config.get("plugin"), [config.get("method")]))
        tools = config.get("tools")
        pairs += [(tool.get("mcp"), tool.get("tools")) for tool in _listed(tools) if isinstance(tool, dict)]
        for ref, names in pairs:
            if isinstance(ref, str):
                found.setdefault(ref, set()).update(name for name in _listed(names) if isinstance(name, str))
    return found


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def used_in(flow: FlowDocument) -> frozenset[str]:
    """The ids of the nodes of a document that others use as tools."""
    return find_used((node.type, node.config) for node in flow.nodes)


def schema_of(tool: AgentTool, kind: str, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the model is told of the arguments of a node of this kind and config. Names that are not listed are refused:
    what a model writes must not stand in a node's scope under any name."""
    if tool.parameters is None:
        is_whole_call = kind == "subflow_call" and not (config or {}).get("input_bindings")
        return MESSAGE if is_whole_call else NOTHING
    return {**tool.parameters, "additionalProperties": False}


def parameter_names(tool: AgentTool, node: Node) -> frozenset[str]:
    """The names under which the arguments stand in the scope of the tool's node."""
    properties = schema_of(tool, node.type, node.config).get("properties")
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


def prepare(tools: Iterable[AgentTool], program: Program) -> list[OwnTool]:
    """The tools that are nodes of the program."""
    nodes = {node.id: node for node in program.nodes}
    return [
        OwnTool(
            tool.name,
            tool.description,
            schema_of(tool, nodes[tool.node].kind, nodes[tool.node].config),
            _node_use(tool.node, nodes[tool.node].kind),
        )
        for tool in tools
        if tool.node is not None
    ]


async def find_plugins(tools: Iterable[AgentTool], node_run: NodeRun) -> list[OwnTool]:
    """The tools of MCP servers that may be used now; the owner is told of the others."""
    found: list[OwnTool] = []
    for tool in tools:
        if tool.mcp is None:
            continue
        if node_run.services.plugins is None:
            raise RunFailed("no_plugins")
        usable: dict[str, PluginTool] = await node_run.services.plugins.find(tool.mcp, tool.tools)
        for name in tool.tools:
            if name in usable:
                found.append(_plugin_tool(tool.mcp, usable[name]))
            else:
                node_run.warnings.append(f"The MCP server `{tool.mcp[:80]}` has no accepted tool `{name[:80]}` now.")
    return found


def function_name(name: str) -> str:
    """The name of an MCP server's tool, as models take names."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]


def _node_use(node_id: str, kind: str) -> Callable[[dict[str, Json], str], ToolUse]:
    return lambda arguments, call: ToolUse(node_id, kind, arguments, call)


def _plugin_tool(ref: str, tool: PluginTool) -> OwnTool:
    def use(arguments: dict[str, Json], call: str) -> ToolUse:
        async def work(node_run: NodeRun) -> Json:
            timeout_s = min(TIMEOUT_S, node_run.remaining())
            answer = await node_run.services.plugins.call(PluginCall(ref, tool.name, arguments, timeout_s))
            if answer.is_error:
                raise RunFailed("tool_failed", said=answer.text[:LONGEST_SAID])
            return shown(answer)

        return ToolUse(f"{ref}/{tool.name}", "tool_plugin", arguments, call, work)

    return OwnTool(function_name(tool.name), tool.description, tool.input_schema, use)
