"""Asking a language model: one chat call, its text read as it comes, its tokens counted."""

from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from scaicore import tokens
from scaicore.errors import RunFailed
from scaicore.flow import ModelRole
from scaicore.jsondata import Json
from scaicore.messages import plain_text
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program
from scaicore.services import (
    ModelCall,
    ModelChoice,
    ModelEnd,
    ModelPart,
    ModelRefusal,
    ModelText,
    ModelThought,
    TextKind,
    ToolCall,
    ToolCallPart,
)
from scaicore.stop_sequences import StopFilter

MAX_ANSWER: Final = 4_000_000  # characters
# The fields of a caller that shape a reply. Those that say who calls or what the provider stores are left out: they
# concern the flow's owner, whose key is used.
_SHAPING: Final = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "seed",
    "reasoning_effort",
    "verbosity",
    "stop",
    "response_format",
    "web_search_options",
)
_OFFERS: Final = ("tools", "tool_choice", "parallel_tool_calls")
_LIMITS: Final = ("max_completion_tokens", "max_tokens")


def role(program: Program, name: str | None) -> ModelRole:
    """The model of this role; the first that the flow declares when a node names none."""
    return next(model for model in program.models if name in (None, model.role))


def choices(model: ModelRole) -> tuple[ModelChoice, ...]:
    """The model, then its fallbacks."""
    spares = (ModelChoice(spare.ref, spare.model, spare.options) for spare in model.fallback)
    return (ModelChoice(model.ref, model.model, model.options), *spares)


def params(model: ModelRole, max_tokens: int | None, caller: Json) -> dict[str, Any]:
    """The sampling fields: the flow's own, then the caller's over them; of two limits the lower one counts.

    `caller` is None at a node that does not write the reply: what was asked of the reply is not asked of it.
    """
    fields: dict[str, Any] = {} if model.temperature is None else {"temperature": model.temperature}
    given = caller if isinstance(caller, dict) else {}
    fields |= {name: given[name] for name in _SHAPING if given.get(name) is not None}
    limits = {name: given[name] for name in _LIMITS if type(given.get(name)) is int}
    bounds = [*limits.values(), *([] if max_tokens is None else [max_tokens])]
    return fields | ({next(iter(limits), "max_tokens"): min(bounds)} if bounds else {})


def offers(caller: Json) -> dict[str, Any]:
    """The caller's tools, and how they are to be called; nothing where the caller has none."""
    if not isinstance(caller, dict) or not caller.get("tools"):
        return {}
    return {name: caller[name] for name in _OFFERS if caller.get(name) is not None}


async def ask(
    node_run: NodeRun,
    call: ModelCall,
    *,
    streams: bool,
    is_reply: bool,
    callers: Collection[str] | None = None,
    lead: str = "",
) -> str:
    """The whole text of the answer, cut at the call's stop sequences, streamed while it comes if it is the response.
    Calls of tools stay with the node's run. `callers` are the names of those that the caller hears of; None: all of
    them. `lead` stands before the text where something was streamed before it.

    Raises ServiceFailed when there is none, and RunFailed when the model declines at a node that is not to reply.
    """
    hearing = _Hearing(node_run, call, streams=streams, is_reply=is_reply, callers=callers, lead=lead)
    async with aclosing(node_run.services.models.stream(call)) as parts:
        async for part in parts:
            await hearing.take(part)
            if hearing.is_stopped:
                break  # hangs up: whatever the model would say now is not read, and need not be paid for
    return await hearing.finish()


@dataclass(slots=True)
class _HeardCall:
    """A call of which more may come."""

    id: str
    name: str
    arguments: list[str]


class _Hearing:
    """What was heard of one answer."""

    def __init__(
        self,
        node_run: NodeRun,
        call: ModelCall,
        *,
        streams: bool,
        is_reply: bool,
        callers: Collection[str] | None,
        lead: str,
    ) -> None:
        self._node_run = node_run
        self._callers = callers
        self._lead = lead
        self._told: dict[int, int] = {}  # index of a call that the caller hears of → its index there
        self._call = call
        self._streams = streams
        self._is_reply = is_reply
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._calls: dict[int, _HeardCall] = {}
        self._length = 0
        self._stops = StopFilter(_stops(call.params.get("stop")))
        node_run.refusal, node_run.tool_calls = "", ()  # of an answer that was not taken

    @property
    def is_stopped(self) -> bool:
        """Whether the text has met a stop sequence."""
        return self._stops.is_stopped

    async def take(self, part: ModelPart) -> None:
        """Hear one part."""
        if isinstance(part, ModelText):
            await self._add(self._stops.feed(part.text))
        elif isinstance(part, ModelRefusal):
            if not self._is_reply:
                raise RunFailed("model_refused")
            self._refusals.append(part.text)
            await self._add(part.text, "refusal")
        elif isinstance(part, ToolCallPart):
            await self._add_call(part)
        elif isinstance(part, ModelThought):
            if self._streams:
                await self._node_run.stream_text(part.text, "thought")
        else:
            self._end(part)

    async def finish(self) -> str:
        """The whole text, now that nothing follows."""
        if self.is_stopped:
            # The provider's own figures come at the end, which nobody waits for.
            prompt = sum(tokens.count(plain_text(said["content"])) for said in self._call.messages)
            self._node_run.spend(prompt, tokens.count("".join(self._texts)))
        await self._add(self._stops.rest())
        self._node_run.refusal = "".join(self._refusals)
        self._node_run.tool_calls = tuple(
            ToolCall(call.id, call.name, "".join(call.arguments)) for call in self._calls.values()
        )
        self._warn_of_strangers()
        return "".join(self._texts)

    async def _add(self, text: str, kind: TextKind = "content") -> None:
        self._texts.append(text)
        self._grow(len(text))
        if self._streams and text:
            lead, self._lead = self._lead, ""
            await self._node_run.stream_text(lead)
            await self._node_run.stream_text(text, kind)

    async def _add_call(self, part: ToolCallPart) -> None:
        call = self._calls.setdefault(part.index, _HeardCall(part.id, part.name, []))
        call.arguments.append(part.arguments)
        self._grow(len(part.id) + len(part.name) + len(part.arguments))
        if self._streams and (self._callers is None or call.name in self._callers):
            index = self._told.setdefault(part.index, len(self._told))
            await self._node_run.stream_call(msgspec.structs.replace(part, index=index))

    def _grow(self, characters: int) -> None:
        self._length += characters
        if self._length > MAX_ANSWER:
            raise RunFailed("too_much_data")

    def _warn_of_strangers(self) -> None:
        """Tell the owner of calls that the caller will not know: they are handed on, as the model made them."""
        if self._callers is not None:
            return  # whoever runs the calls tells the model
        offered = {_name(tool) for tool in self._call.params.get("tools", ())}
        strange = dict.fromkeys(call.name for call in self._calls.values() if call.name not in offered)
        self._node_run.warnings.extend(f"The model called `{name[:64]}`, which nobody offered." for name in strange)

    def _end(self, end: ModelEnd) -> None:
        self._node_run.finish_reason = end.finish_reason
        self._node_run.provider_errors.extend(end.failures)
        if end.prompt_tokens is not None or end.completion_tokens is not None:
            self._node_run.spend(end.prompt_tokens or 0, end.completion_tokens or 0)


def _name(tool: Json) -> Json:
    function = tool.get("function") if isinstance(tool, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def _stops(stop: Json) -> tuple[str, ...]:
    """The stop sequences of a call's `stop`, a text or a list of them."""
    given = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    return tuple(text for text in given if isinstance(text, str) and text)
