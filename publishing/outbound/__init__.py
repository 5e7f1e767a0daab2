"""Everything that leaves this installation: language models, HTTP nodes, Cores that live elsewhere.

    request = outbound.outgoing("POST", url, headers, body)
    async with outbound.answered(request, hosts=outbound.listed(), until=…, most_bytes=…) as answer:
        while (piece := await answer.piece(until)) is not None: …

The host's addresses are looked up once, all of them checked, and the connection goes to a checked one; so does every
redirect. Whatever fails raises `scaicore.services.ServiceFailed` with a reason and nothing of what was sent.
"""

from publishing.outbound.client import answered, close
from publishing.outbound.destinations import Allowed, UrlRefused, is_hopeless, is_web_port, listed, named, port, read
from publishing.outbound.requests import Outgoing, outgoing
from publishing.outbound.responses import OutboundResponse

__all__ = [
    "Allowed",
    "OutboundResponse",
    "Outgoing",
    "UrlRefused",
    "answered",
    "close",
    "is_hopeless",
    "is_web_port",
    "listed",
    "named",
    "outgoing",
    "port",
    "read",
]
