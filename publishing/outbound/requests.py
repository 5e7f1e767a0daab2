"""Requests as they leave: framed by us alone, so that nothing in a value can end a header or begin another request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import httpcore2
import httpx2

from publishing.outbound import destinations
from scaicore.services import ServiceFailed

USER_AGENT: Final = "scaigrid-publish"
REDIRECTS: Final = 3

# How a request is framed, to whom it goes and how its answer is packed is ours to say; browsers leave these out, too.
_OURS: Final = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
# What may go on to another server. Any other header may hold a secret, under whatever name.
_HARMLESS: Final = frozenset(("accept", "accept-language", "content-type", "user-agent"))
_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_BREAKING: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


class Outgoing(NamedTuple):
    """A request to one URL. `headers` may hold secrets, so it is never logged."""

    method: str
    url: httpx2.URL
    headers: dict[str, str]
    body: bytes | None

    def __repr__(self) -> str:
        return f"<Outgoing {self.method}>"

    def framed(self) -> httpcore2.Request:
        """The request as httpcore2 sends it."""
        length = {} if self.body is None else {"content-length": str(len(self.body))}
        ours = {"host": self.url.netloc.decode("ascii"), "accept-encoding": "identity", **length}
        named = {"accept": "*/*", "user-agent": USER_AGENT, **self.headers, **ours}
        url = self.url
        return httpcore2.Request(
            self.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=[(name.encode(), value.encode()) for name, value in named.items()],
            content=self.body,
            extensions={"timeout": {"connect": 10.0}},
        )

    def redirected(self, status: int, location: str) -> Outgoing:
        """The request that an answer with this `Location` asks for."""
        url = _read_location(self.url, location)
        if self.url.scheme == "https" and url.scheme == "http":
            raise ServiceFailed("refused_address")
        is_read_anew = status == 303 or (status in (301, 302) and self.method == "POST")
        drops_body = is_read_anew and self.method != "HEAD"
        headers = self.headers if _is_same_server(self.url, url) else _kept(self.headers, _HARMLESS)
        if not drops_body:
            return Outgoing(self.method, url, headers, self.body)
        return Outgoing("GET", url, {name: headers[name] for name in headers if name != "content-type"}, None)


def outgoing(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Outgoing:
    """The request, checked. Raises ServiceFailed when it is none that is sent from here."""
    if not _METHOD.fullmatch(method) or method in ("CONNECT", "TRACE"):
        raise ServiceFailed("rejected")
    try:
        target = destinations.read(url)
    except destinations.UrlRefused:
        raise ServiceFailed("refused_address") from None
    return Outgoing(method, target, _checked(headers), body)


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    if any(not _NAME.fullmatch(name) or _BREAKING.search(value) for name, value in headers.items()):
        raise ServiceFailed("rejected")
    return {name.lower(): value.strip() for name, value in headers.items() if name.lower() not in _OURS}


def _kept(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in names}


def _read_location(base: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return destinations.checked(base.join(location).copy_with(fragment=None))
    except (destinations.UrlRefused, httpx2.InvalidURL, ValueError):
        raise ServiceFailed("refused_address") from None


def _is_same_server(one: httpx2.URL, other: httpx2.URL) -> bool:
    ports = destinations.port(one), destinations.port(other)
    is_upgrade = (one.scheme, other.scheme, *ports) == ("http", "https", 80, 443)
    return one.raw_host == other.raw_host and (is_upgrade or (one.scheme == other.scheme and ports[0] == ports[1]))
