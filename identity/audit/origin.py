"""Where a request came from: its id and its address, which the audit log notes beside who asked.

They are kept beside the request and not in the actor: whoever acts is the same from wherever, and an actor is made in
many places that see no request.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, NamedTuple


class RequestOrigin(NamedTuple):
    """The id under which the log speaks of a request, and the address that it came from; empty where there is none."""

    request_id: str = ""
    address: str = ""


NOWHERE: Final = RequestOrigin()
current: ContextVar[RequestOrigin] = ContextVar("origin", default=NOWHERE)
