"""The checks of what a flow calls by name: tools of the tenant's MCP servers."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from scaicore.compiler.node_checks import Configs
from scaicore.diagnostics import Diagnostic, error
from scaicore.flow import FlowDocument
from scaicore.language.names import shown
from scaicore.nodes.llm_flexible import LlmFlexible
from scaicore.nodes.tool_plugin import ToolPlugin

# By the ref of a server and the name of a tool that flows may use: its input schema.
Plugins = Mapping[str, Mapping[str, dict[str, Any]]]
_SHOWN: Final = 10


def check_plugins(flow: FlowDocument, configs: Configs, plugins: Plugins) -> Iterator[Diagnostic]:
    """Servers and tools that the tenant does not have, or may not use, and arguments that a tool lacks."""
    for index, config in configs.items():
        if isinstance(config, LlmFlexible):
            yield from _check_agent(config, flow.nodes[index].id, f"nodes[{index}].config", plugins)
        if isinstance(config, ToolPlugin):
            about = f"Node `{flow.nodes[index].id}`"
            path = f"nodes[{index}].config"
            found = list(_find_unknown(config.plugin, [config.method], plugins))
            for key, message in found:
                yield error("unknown_tool", f"{about}: {message}", f"{path}.{key}", node=flow.nodes[index].id)
            if not found and (wrong := _find_wrong(config, plugins[config.plugin][config.method])):
                yield error("bad_arguments", f"{about}: {wrong}", f"{path}.args", node=flow.nodes[index].id)


def _check_agent(config: LlmFlexible, node_id: str, path: str, plugins: Plugins) -> Iterator[Diagnostic]:
    for index, tool in enumerate(config.tools):
        if tool.mcp is not None:
            for key, message in _find_unknown(tool.mcp, tool.tools, plugins):
                where = f"{path}.tools[{index}].{'mcp' if key == 'plugin' else 'tools'}"
                yield error("unknown_tool", f"Node `{node_id}`: {message}", where, node=node_id)


def _find_unknown(ref: str, names: list[str], plugins: Plugins) -> Iterator[tuple[str, str]]:
    """The key at fault and what is wrong with it, for a server and each tool of it."""
    if ref not in plugins:
        yield "plugin", f"there is no MCP server `{shown(ref)}`. Register it, or name one of: {_some(plugins)}."
        return
    for name in names:
        if name not in plugins[ref]:
            yield (
                "method",
                f"the MCP server `{shown(ref)}` has no accepted tool `{shown(name)}`. It has: {_some(plugins[ref])}.",
            )


def _find_wrong(config: ToolPlugin, schema: dict[str, Any]) -> str:
    required = schema.get("required")
    missing = [str(name) for name in required if name not in config.args] if isinstance(required, list) else []
    if missing:
        return f"the tool `{config.method}` needs the arguments {', '.join(f'`{shown(name)}`' for name in missing)}."
    properties = schema.get("properties")
    if schema.get("additionalProperties") is False and isinstance(properties, dict):
        for name in config.args:
            if name not in properties:
                return f"the tool `{config.method}` takes no argument `{shown(name)}`. It takes: {_some(properties)}."
    return ""


def _some(names: Mapping[str, Any]) -> str:
    listed = [f"`{shown(name)}`" for name in sorted(names)[:_SHOWN]]
    return ", ".join([*listed, *(["…"] if len(names) > _SHOWN else [])]) or "none yet"
