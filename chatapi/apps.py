"""Floor 2: the data plane."""

from django.apps import AppConfig


class ChatapiConfig(AppConfig):
    """The OpenAI-compatible API."""

    name = "chatapi"
    verbose_name = "Chat"
    default_auto_field = "django.db.models.BigAutoField"
