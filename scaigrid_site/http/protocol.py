"""What a connection may send before anybody has looked at its key: uvicorn's protocol, with bounds."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any, Final, NamedTuple, cast

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from scaigrid_site.http.connection_sweep import ConnectionSweep
from scaigrid_site.http.joined_writes import JoinedWrites

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADER_LINES: Final = 200
# A parser that is fed more at once would have taken far too much before we could count it.
_PIECE: Final = 16_384
# A request that was sent before its caller could know that the server ends is on its way for no longer than this.
ON_ITS_WAY_S: Final = 0.5
_NO_LINGER: Final = struct.pack("ii", 1, 0)


class EarlyAnswer(NamedTuple):
    """The answer to a request that is not served."""

    status: int
    code: str
    message: str

    def render(self) -> bytes:
        """The whole answer, in OpenAI's envelope: which URL was meant may not be known yet."""
        error = {"message": self.message, "type": "invalid_request_error", "param": None, "code": self.code}
        body = json.dumps({"error": error}).encode()
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        return STATUS_LINE[self.status] + head + body


class HeadRefused(Exception):
    """The head of a request cannot be served."""

    def __init__(self, refusal: EarlyAnswer) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


TOO_LARGE: Final = EarlyAnswer(
    431,
    "request_head_too_large",
    "The request's URL and headers are too long. Send at most 64 KB and 200 header lines.",
)
TOO_SLOW: Final = EarlyAnswer(408, "request_timeout", "The request did not arrive whole in time. Send it again.")
MALFORMED: Final = EarlyAnswer(400, "bad_request", "This is not a valid HTTP/1.1 request.")
NO_TUNNEL: Final = EarlyAnswer(405, "method_not_allowed", "This server is no proxy. Send the request without CONNECT.")

SWEEP: Final = ConnectionSweep()


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 for one connection.

    Bytes that bring neither a head nor a body on are counted, so a head, a trailer and a chunk's extension are all
    cut at the same length. Until a request is whole its connection has a deadline, which the sweep looks at.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_bytes = 0
        self._has_offer = False
        self._has_spoken = False
        self._is_refused = False
        self._is_in_head = True
        self._deadline: float | None = None
        self._unsent = 0
        self._read_at = 0.0
        # Read once: each of them is looked up at length, and a connection brings many requests.
        self._head_timeout_s, self._body_timeout_s = settings.HEAD_TIMEOUT_S, settings.BODY_TIMEOUT_S
        self._is_ending = False
        self._most_unfinished = settings.MAX_UNFINISHED_REQUESTS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._answers = JoinedWrites(transport)
        SWEEP.add(self, self.loop)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        SWEEP.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, in pieces that are small enough to stop in time."""
        self._unset_keepalive_if_required()
        self._has_spoken = True
        if self._deadline is None:
            self._await_request()
        for start in range(0, len(data), _PIECE):
            if self._is_refused:
                return
            self._feed(data[start : start + _PIECE] if len(data) > _PIECE else data)

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._deadline is None:
            self._await_request()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start to serve the request, unless its head is too long or offers another protocol."""
        self._check_head()
        self._idle_bytes = 0
        if self.parser.should_upgrade():
            self._has_offer = True
            return
        self._is_in_head = False
        if self._deadline is not None:
            self._deadline += self._body_timeout_s
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", self._answers)  # it has all that a cycle uses of one
        if self._is_ending:
            self.cycle.keep_alive = False
        # The parser reports trailers as headers. They come too late to be any, so nobody reads this list.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of the body arrived."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole. One with an offer only seems to be: its body follows."""
        if not self._has_offer:
            self._is_in_head = True
            self._deadline = None
            SWEEP.end_waiting(self)
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is whole."""
        self._answers.end()
        super().on_response_complete()

    def shutdown(self) -> None:
        """The server ends: what is on its way is still read and answered, and then the connection is closed.

        Closed at once, it would be reset under a proxy that has just sent a call, and may not send it elsewhere.
        """
        self._is_ending = True
        if self._is_idle():
            self.loop.call_later(ON_ITS_WAY_S, self._close_if_idle)
        else:
            super().shutdown()

    def check(self, now: float) -> None:
        """Hang up if the rest of a request, or a reader of the answer, was waited for long enough."""
        if self._deadline is not None and now > self._deadline and not self._is_held_up():
            self.give_up()
        elif self._seconds_unread(now) > settings.READER_TIMEOUT_S:
            self._drop()

    def give_up(self) -> None:
        """Hang up on a request that is not whole."""
        self._deadline = None
        self._refuse(TOO_SLOW)

    def _feed(self, data: bytes) -> None:
        self._idle_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._feed_without_offer(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.refusal if isinstance(cause, HeadRefused) else MALFORMED)
        else:
            if self._idle_bytes > MAX_HEAD_BYTES:
                self._refuse(TOO_LARGE)

    def _check_head(self) -> None:
        if len(self.headers) > MAX_HEADER_LINES:
            raise HeadRefused(TOO_LARGE)
        # What lies in the piece that ended an earlier request was not counted; of most heads it is clear all the same.
        if self._idle_bytes + _PIECE > MAX_HEAD_BYTES:
            size = len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers])
            if size > MAX_HEAD_BYTES:
                raise HeadRefused(TOO_LARGE)
        if self.parser.get_method() == b"CONNECT":
            raise HeadRefused(NO_TUNNEL)

    def _feed_without_offer(self, rest: bytes) -> None:
        """Read the request again without its `Upgrade`: the parser believes that the other protocol has begun."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._has_offer = False
        self._feed(b"".join(lines) + b"\r\n")
        if not self._is_refused:
            self._feed(rest)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _await_request(self) -> None:
        self._deadline = self.loop.time() + self._head_timeout_s
        SWEEP.begin_waiting(self, self._most_unfinished)

    def _is_held_up(self) -> bool:
        """Whether it is we who do not read on: an earlier request is being answered, or a body waits to be taken."""
        is_answering = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        return self.flow.read_paused or is_answering

    def _seconds_unread(self, now: float) -> float:
        """How long the caller has read nothing, although there is more than the buffer should hold."""
        unsent = self.transport.get_write_buffer_size()
        is_waiting = self.flow.write_paused or self.transport.is_closing()
        if not unsent or unsent < self._unsent or not is_waiting:
            self._read_at = now
        self._unsent = unsent
        return now - self._read_at

    def _drop(self) -> None:
        """Close at once. What the kernel still holds for the caller goes too, which else would wait for minutes."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def _refuse(self, answer: EarlyAnswer) -> None:
        """Answer where that is still possible, and hang up; an answer that has begun is cut, not mixed with this."""
        self._is_refused = True
        if self._may_answer():
            self.transport.write(answer.render())
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _may_answer(self) -> bool:
        if self._is_in_head:
            return self._has_spoken and (self.cycle is None or self.cycle.response_complete)
        return not self.cycle.response_started
