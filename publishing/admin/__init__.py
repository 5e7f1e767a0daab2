"""What is published and who may call it, as staff see it. Django's admin imports this package, which registers all."""

from publishing.admin.audit import PublishingAuditAdmin
from publishing.admin.cores import CoreAdmin
from publishing.admin.flows import FlowAdmin
from publishing.admin.limits import PriceAdmin, UsageLimitAdmin
from publishing.admin.people import CallerAdmin, OpeningGroupAdmin
from publishing.admin.providers import ProviderAdmin, SecretAdmin
from publishing.admin.publications import PublicationAdmin
from publishing.admin.requests import AccessRequestAdmin, RefusalAdmin

__all__ = [
    "AccessRequestAdmin",
    "CallerAdmin",
    "CoreAdmin",
    "FlowAdmin",
    "OpeningGroupAdmin",
    "PriceAdmin",
    "ProviderAdmin",
    "PublicationAdmin",
    "PublishingAuditAdmin",
    "RefusalAdmin",
    "SecretAdmin",
    "UsageLimitAdmin",
]
