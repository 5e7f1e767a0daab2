"""Flows, Cores and publications, as staff see them. Django's admin imports this package, which registers each page."""

from publishing.admin.cores import CoreAdmin
from publishing.admin.flows import FlowAdmin
from publishing.admin.publications import PublicationAdmin

__all__ = ["CoreAdmin", "FlowAdmin", "PublicationAdmin"]
