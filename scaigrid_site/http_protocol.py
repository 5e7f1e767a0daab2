"""What a connection may send before anybody has looked at its key: uvicorn's protocol, with bounds."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADER_LINES: Final = 200
# A parser that is fed more at once would have taken far too much before we could count it.
_PIECE: Final = 16_384


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
MALFORMED: Final = EarlyAnswer(400, "bad_request", "This is not a valid HTTP/1.1 request.")
NO_TUNNEL: Final = EarlyAnswer(405, "method_not_allowed", "This server is no proxy. Send the request without CONNECT.")


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 for one connection.

    Bytes that bring neither a head nor a body on are counted, so a head, a trailer and a chunk's extension are all
    cut at the same length.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_bytes = 0
        self._has_offer = False
        self._is_refused = False

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, in pieces that are small enough to stop in time."""
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _PIECE):
            if self._is_refused:
                return
            self._feed(data[start : start + _PIECE] if len(data) > _PIECE else data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._idle_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start to serve the request, unless its head is too long or offers another protocol."""
        self._check_head()
        self._idle_bytes = 0
        if self.parser.should_upgrade():
            self._has_offer = True
            return
        super().on_headers_complete()
        # The parser reports trailers as headers. They come too late to be any, so nobody reads this list.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of the body arrived."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole. One with an offer only seems to be: its body follows."""
        if not self._has_offer:
            super().on_message_complete()

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
        size = len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers])
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADER_LINES:
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

    def _refuse(self, refusal: EarlyAnswer) -> None:
        """Answer and hang up; an answer that is under way to an earlier request is cut, not mixed with this one."""
        self._is_refused = True
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(refusal.render())
        self.transport.close()
