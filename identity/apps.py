"""Floor 0: who asks."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Tenants, users, groups, keys, audit."""

    name = "identity"
    default_auto_field = "django.db.models.BigAutoField"
