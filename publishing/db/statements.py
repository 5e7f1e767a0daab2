"""A connection for statements that come again and again: each is prepared once and sent by libpq's own calls.

psycopg makes the connection, turns values into PostgreSQL's and back, and knows its errors. Left out are its cursor and
its way of waiting, which cost four times what a small statement costs itself: here the socket is watched for as long
as the connection lives, and a statement waits for one future.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Self

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from publishing.db.time_limits import DatabaseSilent

Values = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]

_PLACEHOLDER: Final = re.compile(r"%(?:s|\((\w+)\)s|%)")
_ESCAPED: Final = re.compile(r'(["\\])')
_ESCAPE: Final = r"\\\1"
_GOOD: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
# What was prepared here is not known there any more, or was planned for a table that has changed since. Nothing ran.
FORGOTTEN: Final = (errors.InvalidSqlStatementName, errors.FeatureNotSupported)


class OpenAtExit(psycopg.AsyncConnection[Any]):
    """A connection of psycopg that may be open when the program ends, which is normal for one of a pool."""

    _pool = None


class StatementConnection:
    """One connection, in autocommit. It sends one statement at a time; an unfinished one makes it unusable.

    `expires_at`: when it is to be replaced, by the monotonic clock; whoever keeps it sets that and looks at it.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.expires_at = math.inf
        self._connection = connection
        self._libpq = connection.pgconn
        self._adapting = Transformer(connection)
        self._prepared: dict[tuple[bytes, tuple[int, ...] | None], bytes] = {}
        self._names = 0
        self._results: list[PGresult] = []
        self._answer: asyncio.Future[list[PGresult]] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = self._libpq.socket
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def connect(cls, parameters: Mapping[str, Any]) -> Self:
        """A new connection; the caller bounds the time that this takes."""
        return cls(await OpenAtExit.connect(**parameters))

    @property
    def is_open(self) -> bool:
        """Whether it is still there, as far as is known."""
        return self._libpq.status == ConnStatus.OK

    @property
    def is_at_rest(self) -> bool:
        """Whether it can take a statement."""
        return self.is_open and self._libpq.transaction_status == TransactionStatus.IDLE

    async def rows(self, statement: str, values: Values, deadline: float) -> list[Row]:
        """The rows that `statement` gives, by `deadline` of the monotonic clock; `DatabaseSilent` beyond it.

        Placeholders are psycopg's, `%s` or `%(name)s`.
        """
        text, names = _numbered(statement)
        given = [values[name] for name in names] if isinstance(values, Mapping) else values
        adapting = self._adapting
        parameters = adapting.dump_sequence(given, [PyFormat.AUTO] * len(given))
        formats, kind = adapting.formats, (text, adapting.types)
        # `None` and a number of another size make it another statement to PostgreSQL.
        name = self._prepared.get(kind)
        if name is None:
            # A name is never used again: whoever asked may have left before it was known that there is one.
            self._names += 1
            name = b"s%d" % self._names
            self._libpq.send_prepare(name, text, adapting.types)
            await self._result(deadline)
            self._prepared[kind] = name
        self._libpq.send_query_prepared(name, parameters, formats)
        result = await self._result(deadline)
        if not result.nfields:
            return []
        adapting.set_pgresult(result)
        return adapting.load_rows(0, result.ntuples, tuple)

    def close(self) -> None:
        """Hang up at once: neither a last word nor a cancellation may wait for a server that says nothing."""
        self._stop_watching()
        self._libpq.finish()

    async def _result(self, deadline: float) -> PGresult:
        """The one result of what was just sent."""
        self._results = []
        self._answer = self._loop.create_future()
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._write)
        timer = self._loop.call_later(deadline - time.monotonic(), self._fail, DatabaseSilent("no answer in time"))
        try:
            results = await self._answer
        finally:
            self._answer = None
            timer.cancel()
        result = results[-1]
        if result.status not in _GOOD:
            raise errors.error_from_result(result, self._connection.info.encoding)
        return result

    def _read(self) -> None:
        """Take what the server sent: an answer, or in between the news that the connection ends."""
        libpq = self._libpq
        try:
            libpq.consume_input()
            while not libpq.is_busy():
                result = libpq.get_result()
                if result is None:
                    self._succeed()
                    return
                self._results.append(result)
        except psycopg.Error as error:
            self._stop_watching()
            self._fail(error)

    def _write(self) -> None:
        """Send the rest of a statement that did not go out in one piece."""
        try:
            if not self._libpq.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._stop_watching()
            self._fail(error)

    def _succeed(self) -> None:
        if self._answer is not None and not self._answer.done() and self._results:
            self._answer.set_result(self._results)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _stop_watching(self) -> None:
        if self._socket >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = -1


def array_text(items: Sequence[bytes | str]) -> str:
    """PostgreSQL's text for an array of these, where a placeholder has a cast. psycopg looks at lists at length."""
    return f"{{{','.join(map(_item_text, items))}}}"


def _item_text(item: bytes | str) -> str:
    return f'"{_ESCAPED.sub(_ESCAPE, item)}"' if isinstance(item, str) else f'"\\\\x{item.hex()}"'


@lru_cache(maxsize=512)
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """`statement` with PostgreSQL's own placeholders, and the names of its values, if they have names."""
    found = [match[1] for match in _PLACEHOLDER.finditer(statement) if match[0] != "%%"]
    names = list(dict.fromkeys(name for name in found if name))
    numbers = iter(range(1, len(found) + 1))

    def put(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${names.index(match[1]) + 1 if match[1] else next(numbers)}"

    return _PLACEHOLDER.sub(put, statement).encode(), tuple(names)
