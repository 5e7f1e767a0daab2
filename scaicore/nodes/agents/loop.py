"""The loop of a model that calls tools of the flow: it asks, the tools run, their results go back, until it answers.

A call that cannot be run (no such tool, arguments that are no JSON or do not fit, a tool that fails) goes back as an
error that the model can read. Bounds of the request are no such error: they end the run.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from scaicore.errors import REASONS, RunFailed
from scaicore.jsondata import Json, compact
from scaicore.language import arguments
from scaicore.messages import Message
from scaicore.nodes import llm_call
from scaicore.nodes.agents.tools import OwnTool
from scaicore.nodes.node_run import NodeRun
from scaicore.services import ModelCall, ServiceFailed, ToolCall

MAX_TURNS: Final = 8
MOST_CALLS: Final = 8  # of one answer
LONGEST_RESULT: Final = 50_000  # characters that the model reads
LONGEST_ARGUMENTS: Final = 100_000
# Bounds of the request: behind one of them nothing goes on.
BOUNDS: Final = frozenset(("too_many_steps", "too_much_data", "too_many_runs", "too_many_tokens"))
TELLING: Final = frozenset(("tool_failed", "arguments_unfit"))  # what was said of these is for the model
BETWEEN: Final = "\n\n"  # what a model says before it calls, and what it says then


async def ask(
    node_run: NodeRun,
    call: ModelCall,
    own: Mapping[str, OwnTool],
    *,
    max_turns: int,
    streams: bool,
    is_reply: bool,
) -> tuple[str, list[Message]]:
    """The text of the answer, and the messages that led to it. Calls of the caller's tools stay with the node's run,
    and end it; those of the flow's own never do.

    In the last turn the model may call no more.
    """
    callers = [tool for tool in call.params.get("tools", ()) if tool["function"]["name"] not in own]
    names = frozenset(tool["function"]["name"] for tool in callers)
    tools = [*(tool.offer() for tool in own.values()), *callers]
    messages, said = list(call.messages), list[str]()
    is_shown = streams and node_run.emit_text is not None
    for turn in range(max_turns):
        is_last = turn == max_turns - 1
        params = call.params | {"tools": tools} | ({"tool_choice": "none"} if is_last else {})
        asked = msgspec.structs.replace(call, messages=messages, params=params, timeout_s=node_run.remaining())
        text = await llm_call.ask(
            node_run, asked, streams=streams, is_reply=is_reply, callers=names, lead=BETWEEN if said else ""
        )
        calls = node_run.tool_calls
        node_run.tool_calls = tuple(one for one in calls if one.name in names)
        if is_shown and text:
            said.append(text)
        if node_run.tool_calls or not calls:
            return BETWEEN.join(said) if is_shown else text, messages
        if is_last:
            break
        results = await _run_all(node_run, calls, own)
        messages = [*messages, _called(text, calls), *results]
    raise RunFailed("too_many_turns")


def _called(text: str, calls: tuple[ToolCall, ...]) -> Message:
    return {"role": "assistant", "content": text or None, "tool_calls": [call.as_message_part() for call in calls]}


async def _run_all(node_run: NodeRun, calls: tuple[ToolCall, ...], own: Mapping[str, OwnTool]) -> list[Message]:
    """The results of calls that were made at once, in their order."""
    running = [
        _run(node_run, call, own) if index < MOST_CALLS else _refuse(f"At most {MOST_CALLS} calls run at once.")
        for index, call in enumerate(calls)
    ]
    results = await asyncio.gather(*running, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [
        {"role": "tool", "tool_call_id": call.id, "content": _cut(compact(result))}
        for call, result in zip(calls, results, strict=True)
    ]


async def _run(node_run: NodeRun, call: ToolCall, own: Mapping[str, OwnTool]) -> Json:
    tool = own.get(call.name)
    if tool is None:
        return _error(f"There is no tool `{call.name[:64]}`. There are: {', '.join(own)}.")
    given, wrong = _read(call.arguments, tool.schema)
    if wrong:
        return _error(f"The arguments of `{call.name}` cannot be used: {wrong}.")
    if node_run.run_tool is None:
        return _error(REASONS["node_failed"])
    try:
        return await node_run.run_tool(tool.use(given, call.id))
    except ServiceFailed as failed:
        return _error(REASONS[f"service_{failed.reason}"])
    except RunFailed as failed:
        if failed.reason in BOUNDS:
            raise
        return _error(f"{failed.detail} {failed.said if failed.reason in TELLING else ''}".strip())


async def _refuse(sentence: str) -> Json:
    return _error(sentence)


def _read(text: str, schema: dict[str, Any]) -> tuple[dict[str, Json], str]:
    """The arguments that a model wrote, and what is wrong with them."""
    if len(text) > LONGEST_ARGUMENTS:
        return {}, "they are too long"
    try:
        given = msgspec.json.decode(text) if text.strip() else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}, "they are not JSON"
    return given, arguments.find_misfit(schema, given)


def _error(sentence: str) -> dict[str, Json]:
    return {"error": sentence}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_RESULT else f"{text[:LONGEST_RESULT]}… (cut; {len(text)} characters in all)"
