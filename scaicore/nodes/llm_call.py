"""Asking a language model: one chat call, its text read as it comes, its tokens counted."""

from contextlib import aclosing
from typing import Any, Final

from scaicore.errors import RunFailed
from scaicore.flow import ModelRole
from scaicore.jsondata import Json
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program
from scaicore.services import ModelCall, ModelChoice, ModelText

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


async def ask(node_run: NodeRun, call: ModelCall, *, streams: bool) -> str:
    """The whole text of the answer, streamed while it comes if it is the response."""
    texts: list[str] = []
    length = 0
    async with aclosing(node_run.services.models.stream(call)) as parts:
        async for part in parts:
            if isinstance(part, ModelText):
                texts.append(part.text)
                # The provider is not trusted either: it could send text until the memory is full.
                length += len(part.text)
                if length > MAX_ANSWER:
                    raise RunFailed("too_much_data")
                if streams:
                    await node_run.stream_text(part.text)
                continue
            node_run.finish_reason = "length" if part.finish_reason == "length" else "stop"
            if part.prompt_tokens is not None or part.completion_tokens is not None:
                node_run.spend(part.prompt_tokens or 0, part.completion_tokens or 0)
    return "".join(texts)
