"""The node kinds: a table of those that run here, and one of those that do not, with what they lack."""

from collections.abc import Mapping
from typing import Final

import msgspec

from scaicore.jsondata import Json
from scaicore.nodes.base import EnteredBy, NodeKind, Regions
from scaicore.nodes.checkpoint import CHECKPOINT, HITL_DECISION
from scaicore.nodes.data_variable_set import DATA_VARIABLE_SET
from scaicore.nodes.entry import ENTRY_API, ENTRY_SCHEDULE, ENTRY_WEBHOOK
from scaicore.nodes.llm_flexible import LLM_FLEXIBLE
from scaicore.nodes.llm_guarded import LLM_GUARDED
from scaicore.nodes.llm_rigid import LLM_RIGID
from scaicore.nodes.logic_decision import LOGIC_DECISION
from scaicore.nodes.logic_loop import LOGIC_LOOP
from scaicore.nodes.logic_parallel import LOGIC_PARALLEL
from scaicore.nodes.subflow_call import SUBFLOW_CALL
from scaicore.nodes.tool_http import TOOL_HTTP
from scaicore.nodes.tool_plugin import TOOL_PLUGIN

# In the order in which editors and documents list them.
KINDS: Final[dict[str, NodeKind]] = {
    kind.kind: kind
    for kind in (
        ENTRY_API,
        ENTRY_WEBHOOK,
        ENTRY_SCHEDULE,
        LLM_RIGID,
        LLM_FLEXIBLE,
        LLM_GUARDED,
        LOGIC_DECISION,
        LOGIC_LOOP,
        LOGIC_PARALLEL,
        DATA_VARIABLE_SET,
        TOOL_HTTP,
        TOOL_PLUGIN,
        SUBFLOW_CALL,
        CHECKPOINT,
        HITL_DECISION,
    )
}

_QUEUE: Final = "it needs a ScaiQueue connection, which this installation does not have"
_COMPUTE: Final = "it needs a ScaiBunker connection, which this installation does not have"

# kind → what is missing, as the second half of a sentence
UNAVAILABLE: Final[dict[str, str]] = {
    "hitl_review": _QUEUE,
    "queue_publish": _QUEUE,
    "queue_consume": _QUEUE,
    "queue_escalation": _QUEUE,
    "compute_provision": _COMPUTE,
    "compute_exec": _COMPUTE,
    "compute_file_upload": _COMPUTE,
    "compute_file_download": _COMPUTE,
    "compute_destroy": _COMPUTE,
}


def entered_by(kind: str) -> EnteredBy | None:
    """What starts a run at a node of this kind; None when nothing does, and for a kind that does not run here."""
    return KINDS[kind].entered_by if kind in KINDS else None


def may_ask(kind: str) -> bool:
    """Whether a node of this kind may end the turn with a question."""
    return kind in KINDS and KINDS[kind].asks


def region_owners(kinds: Mapping[str, str]) -> dict[str, Regions]:
    """Node id → the regions that the node runs, for those that run any; `kinds` is node id → kind."""
    found = ((node_id, KINDS[kind].regions) for node_id, kind in kinds.items() if kind in KINDS)
    return {node_id: regions for node_id, regions in found if regions is not None}


def describe() -> list[dict[str, Json]]:
    """Every kind that runs here for editors: with the JSON Schema of its config, the ports of a new node, and the type
    of a new edge out of it."""
    return [
        {
            "kind": kind.kind,
            "label": kind.label,
            "category": kind.category,
            "summary": kind.summary,
            "inputs": list(kind.inputs),
            "outputs": list(kind.outputs),
            "edge_type": kind.edge_type,
            "config_schema": msgspec.json.schema(kind.config),
        }
        for kind in KINDS.values()
    ]
