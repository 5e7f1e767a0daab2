"""The calls of tools in an answer, as servers really write them: in pieces, whole, without ids, without an index."""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec

from scaicore.services import ServiceFailed, ToolCallPart

MOST_CALLS: Final = 128
LONGEST_ID: Final = 200


class _Known:
    """A call that has begun: its number here, its id and its name."""

    __slots__ = ("id", "index", "name")

    def __init__(self, index: int, given_id: str) -> None:
        self.index = index
        self.id = given_id
        self.name = ""


class CallReader:
    """Reads the calls of one answer. A call is passed on once its name is known; whatever stays nameless is none."""

    def __init__(self) -> None:
        self._calls: list[_Known] = []
        self._by_place: dict[Any, _Known] = {}  # by the server's own index

    @property
    def has_begun(self) -> bool:
        """Whether there is a call."""
        return bool(self._calls)

    def take(self, given: Any) -> list[ToolCallPart]:
        """What a message's or a chunk's `tool_calls` add."""
        parts = [self._part(each) for each in (given if isinstance(given, list) else ()) if isinstance(each, dict)]
        return [part for part in parts if part is not None]

    def finish(self) -> None:
        """Nothing follows: raises ServiceFailed when a call has no name."""
        if any(not call.name for call in self._calls):
            raise ServiceFailed("upstream_failed", said="a call of a tool without a name")

    def _part(self, given: dict[str, Any]) -> ToolCallPart | None:
        function = given.get("function")
        fields: dict[str, Any] = function if isinstance(function, dict) else {}
        call = self._find(given, has_name=bool(fields.get("name")))
        arguments = _text(fields.get("arguments"))
        if not call.name:
            call.name = fields["name"] if isinstance(fields.get("name"), str) else ""
            if not call.name and arguments:
                raise ServiceFailed("upstream_failed", said="a call of a tool without a name")
            return ToolCallPart(call.index, call.id, call.name, arguments) if call.name else None
        return ToolCallPart(call.index, arguments=arguments) if arguments else None

    def _find(self, given: dict[str, Any], *, has_name: bool) -> _Known:
        """The call that this belongs to, by the server's index. A new id with a name begins another one; without a name
        it is a server's that makes up an id for each piece."""
        place, sent_id = given.get("index"), given.get("id")
        given_id = sent_id[:LONGEST_ID] if isinstance(sent_id, str) else ""
        known = self._by_place.get(place) if isinstance(place, int) else self._last(given_id, has_name=has_name)
        if known is not None and not (has_name and known.name and given_id not in ("", known.id)):
            return known
        if len(self._calls) == MOST_CALLS:
            raise ServiceFailed("too_large", said=f"more than {MOST_CALLS} calls of tools")
        known = _Known(len(self._calls), given_id or f"call_{secrets.token_hex(12)}")
        self._calls.append(known)
        if isinstance(place, int):
            self._by_place[place] = known
        return known

    def _last(self, given_id: str, *, has_name: bool) -> _Known | None:
        """Where a server names no index: the call of this id, or the last one for a piece without name or id."""
        named = next((call for call in self._calls if given_id and call.id == given_id), None)
        return named or (self._calls[-1] if self._calls and not has_name else None)


def _text(arguments: Any) -> str:
    """The arguments as the text that they are in the protocol; some servers send the object itself."""
    if isinstance(arguments, str):
        return arguments.encode(errors="replace").decode()  # half a character cannot be sent on
    return "" if arguments is None else msgspec.json.encode(arguments).decode()
