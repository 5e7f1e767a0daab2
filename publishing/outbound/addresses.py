"""Which addresses of the Internet a tenant may have called from here: the public ones, and nothing else.

The ranges are IANA's special-purpose registries, written out because Python's own flags differ between versions.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_V4_REFUSED: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers; some clouds keep their metadata here
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a public address that answers inside one cloud only, with machine secrets
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Everything outside global unicast is refused: loopback, link-local, unique local, multicast, what is unassigned.
_V6_GLOBAL: Final = ip_network("2000::/3")
_V6_REFUSED: Final = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them: an IPv4 address hides in it
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address hides in it
        "3fff::/20",  # documentation
    )
)
# Networks without IPv4 reach public IPv4 servers by this prefix, so what it wraps decides.
_NAT64: Final = ip_network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Whether `text` is an IP address that everybody on the Internet reaches alike."""
    try:
        address = _unwrapped(ip_address(text))
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4_REFUSED)
    # An address with a zone belongs to one link.
    is_global = address in _V6_GLOBAL and address.scope_id is None
    return is_global and not any(address in network for network in _V6_REFUSED)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, if a connection to it would go there."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address
