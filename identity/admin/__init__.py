"""Tenants, users, groups, keys and the audit log, as staff see them. Django's admin imports this package."""

import django.contrib.auth.admin  # noqa: F401  registers what is taken away below
from django.contrib import admin
from django.contrib.auth.models import Group as DjangoGroup

from identity.admin.audit import AuditEntryAdmin
from identity.admin.groups import GroupAdmin
from identity.admin.keys import ApiKeyAdmin
from identity.admin.tenants import TenantAdmin
from identity.admin.users import UserAdmin

# Permission rows decide nothing here, and a second kind of group would only mislead.
admin.site.unregister(DjangoGroup)

__all__ = ["ApiKeyAdmin", "AuditEntryAdmin", "GroupAdmin", "TenantAdmin", "UserAdmin"]
