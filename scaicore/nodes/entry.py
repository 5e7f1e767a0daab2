"""Entries: where a call comes in."""

from scaicore.jsondata import Json
from scaicore.nodes.base import NodeConfig, NodeKind, Visit, Work
from scaicore.program import Program


class EntryApi(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`method` and `path` describe the entry to people; a call reaches it by the Core's name."""

    method: str = "POST"
    path: str = "/"


def _prepare(_config: EntryApi, _program: Program) -> Work:
    return _accept


def _accept(visit: Visit) -> Json:
    return visit.input


ENTRY_API = NodeKind(
    kind="entry_api",
    label="API entry",
    category="entry",
    summary="Receives a call; its input becomes the scope.",
    config=EntryApi,
    prepare=_prepare,
)
