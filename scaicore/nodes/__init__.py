"""The node kinds: one table of those that run here, one of those that do not, with what they miss."""

from typing import Final

import msgspec

from scaicore.jsondata import Json
from scaicore.nodes.base import NodeKind
from scaicore.nodes.data_variable_set import DATA_VARIABLE_SET
from scaicore.nodes.entry import ENTRY_API
from scaicore.nodes.llm_rigid import LLM_RIGID
from scaicore.nodes.logic_decision import LOGIC_DECISION

KINDS: Final[dict[str, NodeKind]] = {
    kind.kind: kind
    for kind in (
        ENTRY_API,
        LLM_RIGID,
        LOGIC_DECISION,
        DATA_VARIABLE_SET,
    )
}

_RUNTIME: Final = "this version of the runtime does not run it yet"
_QUEUE: Final = "it needs a ScaiQueue connection, which this installation does not have"
_COMPUTE: Final = "it needs a ScaiBunker connection, which this installation does not have"

# kind → what is missing, as the second half of a sentence
UNAVAILABLE: Final[dict[str, str]] = {
    "entry_webhook": _RUNTIME,
    "entry_schedule": _RUNTIME,
    "llm_flexible": _RUNTIME,
    "llm_guarded": _RUNTIME,
    "logic_loop": _RUNTIME,
    "logic_parallel": _RUNTIME,
    "tool_http": _RUNTIME,
    "tool_plugin": "it needs a connection to plugin servers, which this installation does not have",
    "checkpoint": _RUNTIME,
    "hitl_decision": _RUNTIME,
    "hitl_review": _QUEUE,
    "queue_publish": _QUEUE,
    "queue_consume": _QUEUE,
    "queue_escalation": _QUEUE,
    "compute_provision": _COMPUTE,
    "compute_exec": _COMPUTE,
    "compute_file_upload": _COMPUTE,
    "compute_file_download": _COMPUTE,
    "compute_destroy": _COMPUTE,
    "subflow_call": _RUNTIME,
}


def describe() -> list[dict[str, Json]]:
    """Every kind that runs here with the JSON Schema of its config, for editors and documents."""
    return [
        {
            "kind": kind.kind,
            "label": kind.label,
            "category": kind.category,
            "summary": kind.summary,
            "config_schema": msgspec.json.schema(kind.config),
        }
        for kind in KINDS.values()
    ]
