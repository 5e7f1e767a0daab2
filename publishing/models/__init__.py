"""What the control plane keeps: flows and Cores, publications and grants, memory."""

from publishing.models.flows import Core, CoreVersion, Flow, FlowVersion, core_id, flow_id
from publishing.models.memory import Entity, Partition, Turn
from publishing.models.providers import ModelProvider, Secret
from publishing.models.publications import Access, Grant, Hold, LastVisibility, Publication, Visibility
from publishing.models.requests import AccessRequest, Decision, Refusal
from publishing.models.schedules import Schedule

__all__ = [
    "Access",
    "AccessRequest",
    "Core",
    "CoreVersion",
    "Decision",
    "Entity",
    "Flow",
    "FlowVersion",
    "Grant",
    "Hold",
    "LastVisibility",
    "ModelProvider",
    "Partition",
    "Publication",
    "Refusal",
    "Schedule",
    "Secret",
    "Turn",
    "Visibility",
    "core_id",
    "flow_id",
]
