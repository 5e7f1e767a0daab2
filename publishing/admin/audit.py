"""The audit log with what publishing knows of it: which entries let somebody new call."""

from __future__ import annotations

from django.contrib import admin

from identity.admin import AuditEntryAdmin
from identity.models import AuditEntry
from publishing.admin.filters import WidenedFilter

admin.site.unregister(AuditEntry)


@admin.register(AuditEntry)
class PublishingAuditAdmin(AuditEntryAdmin):
    """Who changed what, when; narrowed to what widened, if asked."""

    list_filter = (*AuditEntryAdmin.list_filter, WidenedFilter)
