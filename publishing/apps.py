"""Floor 1: the control plane."""

from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """Flows, Cores, publications, the access decision."""

    name = "publishing"
    default_auto_field = "django.db.models.BigAutoField"
