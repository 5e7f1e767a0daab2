"""Floor 4: wires the others together, decides nothing."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site's own commands."""

    name = "scaigrid_site"
