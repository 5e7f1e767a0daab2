"""Django's settings for what every call asks: each is looked up once, and anew when a test has changed it.

Django looks at length at each time that a setting is read. A process never changes its own.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed


class CachedSettings:
    """The settings as attributes, each kept once it was read."""

    def __getattr__(self, name: str) -> Any:
        """A setting that was not read before."""
        value = getattr(django_settings, name)
        self.__dict__[name] = value
        return value

    def forget(self, **_: object) -> None:
        """Read all of them anew."""
        self.__dict__.clear()


settings = CachedSettings()
setting_changed.connect(settings.forget)
