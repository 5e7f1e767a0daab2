"""Floor 0: who asks."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class IdentityConfig(AppConfig):
    """Tenants, users, groups, keys, audit."""

    name = "identity"
    verbose_name = "People and keys"
    default = True
    default_auto_field = "django.db.models.BigAutoField"


class StaffConfig(admin_apps.AdminConfig):
    """Django admin with the staff's own site."""

    default = False
    default_site = "identity.admin_site.StaffSite"
