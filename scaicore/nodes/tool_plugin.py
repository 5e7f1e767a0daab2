"""A call of a tool of an MCP server that the tenant has registered. What comes back is data, whatever it says."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunFailed
from scaicore.jsondata import Json
from scaicore.language import arguments
from scaicore.nodes import templated_values
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program
from scaicore.services import PluginAnswer, PluginCall, ServiceFailed

TIMEOUT_S: Final = 30.0
LONGEST_SAID: Final = 300


class ToolPlugin(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`plugin` is the ref of a registered MCP server, `method` the name of one of its accepted tools. Texts in `args`
    are templates; where the tool's schema wants a number, a list or an object, the filled text is read as JSON."""

    plugin: Annotated[str, field("Plugin", "The MCP server, as the tenant has registered it.", "crm")]
    method: Annotated[str, field("Method", "The tool of it, one that was accepted.", "find_customer")]
    args: Annotated[
        dict[str, Any], field("Args", "The tool's arguments; texts are templates.", {"name": "{{message}}"})
    ] = {}


def _prepare(config: ToolPlugin, _program: Program) -> Work:
    make = templated_values.maker(config.args)

    async def call(node_run: NodeRun) -> Json:
        plugins = node_run.services.plugins
        if plugins is None:
            raise RunFailed("no_plugins")
        found = (await plugins.find(config.plugin, [config.method])).get(config.method)
        if found is None:
            raise ServiceFailed("unconfigured")
        args = arguments.fitted(found.input_schema, make(node_run))
        if wrong := arguments.find_misfit(found.input_schema, args):
            raise RunFailed("arguments_unfit", said=wrong)
        timeout_s = min(config.timeout_s or TIMEOUT_S, node_run.remaining())
        answer = await plugins.call(PluginCall(config.plugin, config.method, args, timeout_s))
        if answer.is_error:
            raise RunFailed("tool_failed", said=answer.text[:LONGEST_SAID])
        return shown(answer)

    return call


def shown(answer: PluginAnswer) -> dict[str, Json]:
    """The result of a tool as a node has it: its text, and its structured content where there is any."""
    return {"text": answer.text} | ({} if answer.data is None else {"json": answer.data})


def _check(config: ToolPlugin, check: NodeCheck) -> Iterator[Diagnostic]:
    for name, value in config.args.items():
        for text in templated_values.texts(value):
            yield from check.template(text, f"args.{name}")


TOOL_PLUGIN = NodeKind(
    kind="tool_plugin",
    label="MCP tool",
    category="tool",
    summary="Calls a tool of an MCP server that the tenant has registered.",
    config=ToolPlugin,
    prepare=_prepare,
    check=_check,
    waits=True,
)
