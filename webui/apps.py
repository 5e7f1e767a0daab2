"""Floor 3: the web pages."""

from django.apps import AppConfig


class WebuiConfig(AppConfig):
    """Every page for people who are signed in; the staff's admin is declared next to its models."""

    name = "webui"
