"""Server-sent events, read as the HTML standard says, out of bytes that come in pieces of any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_MARK: Final = b"\xef\xbb\xbf"


class EventTooLarge(Exception):
    """One event, or one line of it, is longer than was agreed."""


class EventStream:
    """Gives the data of each event as soon as the event is complete; its comments, names and ids are passed over."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._is_new = True
        self._ends_in_cr = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of the events that `piece` completes."""
        for line in self._lines(piece):
            if line:
                self._take(line)
            elif self._data:
                yield self._event()

    def rest(self) -> Iterator[bytes]:
        """The data that stood at the end of the stream without the blank line that completes an event."""
        yield from self.feed(b"\n\n")

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        if self._ends_in_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        self._ends_in_cr = piece.endswith(b"\r")
        *complete, begun = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for end in complete:
            line = bytes(self._line) + end
            self._line.clear()
            yield self._unmarked(line)
        self._line += begun
        if len(self._line) > self._most_bytes:
            raise EventTooLarge

    def _unmarked(self, line: bytes) -> bytes:
        is_first, self._is_new = self._is_new, False
        return line.removeprefix(_MARK) if is_first else line

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value) + 1
            if self._size > self._most_bytes:
                raise EventTooLarge

    def _event(self) -> bytes:
        data = b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        return data
