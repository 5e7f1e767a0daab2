"""What the control plane keeps: flows and Cores, publications and grants, memory."""

from publishing.models.flows import Core, CoreVersion, Flow, FlowVersion, VersionLabel, core_id, flow_id
from publishing.models.limits import Each, LimitCell, Measure, Per, Price, UsageLimit
from publishing.models.mcp_servers import McpServer
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
    "Each",
    "Entity",
    "Flow",
    "FlowVersion",
    "Grant",
    "Hold",
    "LastVisibility",
    "LimitCell",
    "McpServer",
    "Measure",
    "ModelProvider",
    "Partition",
    "Per",
    "Price",
    "Publication",
    "Refusal",
    "Schedule",
    "Secret",
    "Turn",
    "UsageLimit",
    "VersionLabel",
    "Visibility",
    "core_id",
    "flow_id",
]
