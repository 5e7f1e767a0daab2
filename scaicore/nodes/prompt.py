"""The messages for a language model: the flow's own text first, then the conversation, which never has the authority of
the flow."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from scaicore.flow import ModelRole
from scaicore.jsondata import Json, compact
from scaicore.language.templates import Template
from scaicore.messages import Message, is_empty, joined, message, plain_text, simplest
from scaicore.nodes.node_run import NodeRun

_FROM_CALLER: Final = "The caller asks for this besides; it counts as far as it agrees with all of the above:"


class Prompt:
    """The fixed part of a node's messages, read once."""

    def __init__(
        self,
        model: ModelRole,
        *,
        texts: Iterable[str],
        examples: Iterable[tuple[Json, Json]],
        inputs: dict[str, str],
        context: dict[str, str],
        has_history: bool,
        has_calls: bool,
        schema: dict[str, Any] | None,
    ) -> None:
        self._system = model.system_context or ""
        self._texts = [Template(text) for text in texts if text]
        self._examples = [
            said
            for given, wanted in examples
            for said in (message("user", compact(given)), message("assistant", compact(wanted)))
        ]
        self._inputs = _bindings(inputs)
        self._context = _bindings(context)
        self._has_history = has_history
        self._has_calls = has_calls
        self._format = f"Answer with one JSON value that fits this JSON Schema: {compact(schema)}" if schema else ""

    def messages(self, node_run: NodeRun) -> list[Message]:
        """The call's messages: system text, examples, then the conversation or what is bound in its place."""
        said_before = node_run.scope.get("messages") if self._has_history else None
        history = list(_conversation(said_before, has_calls=self._has_calls))
        asked = [said["content"] for said in history if said and said["role"] == "system"]
        talk = [said if said and said["role"] != "system" else None for said in history]
        if self._inputs:
            _replace_question(talk, message("user", _bound(self._inputs, node_run)))
        elif not any(talk):
            talk.append(message("user", compact(node_run.scope.get("message", ""))))
        system = self._system_text(node_run, asked)
        return [*([message("system", system)] if system else []), *self._examples, *_closed(talk)]

    def _system_text(self, node_run: NodeRun, asked: list[Json]) -> str:
        parts = [self._system, *(node_run.fill(text) for text in self._texts)]
        if self._context:
            parts.append("Context:\n" + _bound(self._context, node_run))
        parts.append(self._format)
        if words := "\n".join(map(plain_text, asked)):
            parts.append(f"{_FROM_CALLER}\n{words}")
        return "\n\n".join(part for part in parts if part)


def _bindings(paths: dict[str, str]) -> dict[str, Template]:
    return {name: Template(f"{{{{{path}}}}}") for name, path in paths.items()}


def _bound(bindings: dict[str, Template], node_run: NodeRun) -> str:
    """A sole value as it is; several as lines, each behind its name."""
    if len(bindings) == 1:
        return node_run.fill(next(iter(bindings.values())))
    return "\n".join(f"{name}: {node_run.fill(path)}" for name, path in bindings.items())


def _conversation(messages: Json, *, has_calls: bool) -> Iterator[Message | None]:
    """What was said, with None for what is left out: calls of tools and their results where they are no part of the
    flow, and turns without content, since a strict server refuses them, and every later call that holds one."""
    for said in messages if isinstance(messages, list) else ():
        if has_calls and (exchange := _exchange(said)) is not None:
            yield exchange
            continue
        role, content = _role(said), _content(said)
        yield None if role is None or is_empty(content) else message(role, simplest(content))


def _exchange(said: Json) -> Message | None:
    """An assistant's message with calls of tools, or the result of one; None for any other message."""
    if not isinstance(said, dict):
        return None
    content = simplest(_content(said))
    if said.get("role") == "tool":
        return message("tool", content) | {"tool_call_id": said.get("tool_call_id")}
    if said.get("role") == "assistant" and said.get("tool_calls"):
        return message("assistant", None if is_empty(content) else content) | {"tool_calls": said["tool_calls"]}
    return None


def _role(said: Json) -> str | None:
    role = said.get("role") if isinstance(said, dict) else None
    if role in ("system", "developer"):
        return "system"
    return role if role in ("user", "assistant") else None


def _content(said: Json) -> Json:
    """What a message says; an assistant that declined said its refusal."""
    if not isinstance(said, dict):
        return ""
    content = said.get("refusal") if said.get("content") is None else said["content"]
    return content if isinstance(content, str | list) else ""


def _replace_question(talk: list[Message | None], question: Message) -> None:
    """Put the question in the place of what was asked last; the results of tools that came since stay behind it."""
    end = len(talk)
    while end and (talk[end - 1] is None or _is_exchange(talk[end - 1])):
        end -= 1
    last = talk[end - 1] if end else None
    begin = end - 1 if last and last["role"] == "user" else end
    talk[begin:] = [question, *(said for said in talk[end:] if said is not None)]


def _is_exchange(said: Message | None) -> bool:
    return said is not None and ("tool_calls" in said or said["role"] == "tool")


def _closed(talk: Iterable[Message | None]) -> list[Message]:
    """The messages; neighbours of one role become one where something between them was left out."""
    closed: list[Message] = []
    has_gap = False
    for said in talk:
        if said is not None and has_gap and closed and _may_join(closed[-1], said):
            closed[-1] = message(said["role"], joined(closed[-1]["content"], said["content"]))
        elif said is not None:
            closed.append(said)
        has_gap = said is None
    return closed


def _may_join(one: Message, other: Message) -> bool:
    return one["role"] == other["role"] and not _is_exchange(one) and not _is_exchange(other)
