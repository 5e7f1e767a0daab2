"""A call of another Core, with the rights of the one who called this one."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunFailed
from scaicore.jsondata import Json
from scaicore.language.templates import Template, look
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program
from scaicore.services import CoreCall

MAX_DEPTH: Final = 8  # two Cores that call each other would never end
_TARGET: Final = re.compile(r"core://([a-z0-9][a-z0-9_-]*)/([a-z0-9][a-z0-9_-]*)")
_PASSED: Final = ("message", "messages", "params")  # of the own input, where no bindings say otherwise


class SubflowCall(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`target` is `core://tenant/slug`. `input_bindings` name the paths of the other Core's input, which is this one's
    own when there are none; `instance_key`, a template, is its entity id; `timeout` is in seconds."""

    target: Annotated[str, field("Target", "The Core that is called.", "core://acme/echo-agent")]
    input_bindings: Annotated[
        dict[str, str],
        field(
            "Input bindings", "Paths of what it is given; left out, the call's own input.", {"message": "draft"}, "path"
        ),
    ] = {}
    instance_key: Annotated[
        str | None,
        field("Instance key", "A path to the key of its memory, where it has one.", "input.customer", "path"),
    ] = None
    version: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None, field("Version", "That version of it; left out, the live one.", 3)
    ] = None
    timeout: Annotated[
        float | None, field("Called Core's time limit (seconds)", "It is stopped when it takes longer.", 60)
    ] = None


def _prepare(config: SubflowCall, _program: Program) -> Work:
    found = _TARGET.fullmatch(config.target)
    tenant, slug = found.groups() if found else ("", "")
    bindings = {name: tuple(path.split(".")) for name, path in config.input_bindings.items()}
    instance_key = None if config.instance_key is None else Template(config.instance_key)

    async def call(node_run: NodeRun) -> Json:
        services = node_run.services
        if services.cores is None:
            raise RunFailed("no_cores")
        if services.depth >= MAX_DEPTH:
            raise RunFailed("too_deep")
        request = CoreCall(
            tenant=tenant,
            slug=slug,
            input=_input(bindings, node_run),
            instance_key=None if instance_key is None else node_run.fill(instance_key),
            version=config.version,
            # Never longer than this run has left: nobody would read the answer.
            timeout_s=min(config.timeout or node_run.remaining(), node_run.remaining()),
            depth=services.depth + 1,
        )
        answer = await services.cores.call(request)
        if answer.prompt_tokens is not None or answer.completion_tokens is not None:
            node_run.spend(answer.prompt_tokens or 0, answer.completion_tokens or 0, is_counted=True)
        return answer.output

    return call


def _input(bindings: dict[str, tuple[str, ...]], node_run: NodeRun) -> dict[str, Json]:
    if not bindings:
        return {name: node_run.scope[name] for name in _PASSED if name in node_run.scope}
    return {name: look(path, node_run.scope) for name, path in bindings.items()}


def _check(config: SubflowCall, check: NodeCheck) -> Iterator[Diagnostic]:
    if not _TARGET.fullmatch(config.target):
        message = f"`{config.target[:80]}` does not name a Core; write the target as `core://tenant/slug`."
        yield check.error("bad_value", message, "target")
    for name, path in config.input_bindings.items():
        yield from check.path(path, f"input_bindings.{name}")
    yield from check.template(config.instance_key or "", "instance_key")


SUBFLOW_CALL = NodeKind(
    kind="subflow_call",
    label="Call a Core",
    category="flow",
    summary="Runs another Core with the caller's rights; its output is the result.",
    config=SubflowCall,
    prepare=_prepare,
    check=_check,
    waits=True,
)
