"""URLs as they are called: read by one parser, refused when two programs could read them differently."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

import httpx2
from django.conf import settings

from publishing.outbound.addresses import is_public

Allowed = frozenset[str]
PORTS: Final = {"http": 80, "https": 443}
LONGEST_URL: Final = 8_000

_HOST: Final = re.compile(
    r"(?=.{1,253}\.?\Z)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?"
)
# What a resolver would take for a number: 127.1, 0x7f000001, 2130706433, 0177.0.0.1.
_NUMERIC: Final = re.compile(r"(?:.*\.)?(?:0x[0-9a-f]*|[0-9]+)\.?")


class UrlRefused(ValueError):
    """The URL is not one that is called from here; the text says why, and does not hold the URL."""


def read(text: str) -> httpx2.URL:
    """The URL in `text`; UrlRefused unless it is plain http or https to a host written in one way only."""
    if len(text) > LONGEST_URL:
        raise UrlRefused("The URL is too long.")
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError):
        raise UrlRefused("This is no URL; write one such as https://api.example.com/v1.") from None
    return checked(url)


def checked(url: httpx2.URL) -> httpx2.URL:
    """`url` itself; UrlRefused as by `read`."""
    host = url.raw_host.decode("ascii")
    if url.scheme not in PORTS:
        raise UrlRefused("Only http:// and https:// are called.")
    if url.userinfo:
        raise UrlRefused("A URL with a user name or password in it is not called.")
    if not 0 < port(url) < 65536:
        raise UrlRefused("The port is not one from 1 to 65535.")
    if not _is_literal(host) and (not _HOST.fullmatch(host) or _NUMERIC.fullmatch(host)):
        raise UrlRefused("The host is not a name, nor an IP address in its usual spelling.")
    return url


def port(url: httpx2.URL) -> int:
    """The port that a connection goes to."""
    return PORTS[url.scheme] if url.port is None else url.port


def listed() -> Allowed:
    """The hosts, each `host` or `host:port`, that the operator lets tenants call though they are not public."""
    return frozenset(entry.lower() for entry in settings.OUTBOUND_ALLOWED_HOSTS)


def named(url: httpx2.URL) -> Allowed:
    """The host and port of `url`, as such a list has them."""
    host = url.raw_host.decode("ascii")
    return frozenset((f"[{host}]:{port(url)}" if ":" in host else f"{host}:{port(url)}",))


def is_listed(host: str, port: int, hosts: Allowed) -> bool:
    """Whether `hosts` names the host, with this port or without one."""
    name = host.rstrip(".")
    name = f"[{name}]" if ":" in name else name
    return name in hosts or f"{name}:{port}" in hosts


def may_connect(host: str, port: int, addresses: Iterable[str], hosts: Allowed) -> bool:
    """Whether a connection to `host`, known by `addresses`, is one that this installation makes."""
    return is_listed(host, port, hosts) or (is_web_port(port) and all(is_public(address) for address in addresses))


def is_web_port(port: int) -> bool:
    """Whether web servers use the port. The other low ones are of mail, shells and the like, which would obey."""
    return port in PORTS.values() or port >= 1024


def is_hopeless(url: httpx2.URL, hosts: Allowed) -> bool:
    """Whether it is plain without asking any resolver that `url` is never called."""
    host = url.raw_host.decode("ascii")
    known = [host] if _is_literal(host) else ["127.0.0.1"] if _is_local_name(host) else []
    return not may_connect(host, port(url), known, hosts)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone is a matter of one machine's links


def _is_local_name(host: str) -> bool:
    return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")
