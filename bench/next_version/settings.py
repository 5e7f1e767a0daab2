"""The product's settings, and the changes of the version to come."""

from scaigrid_site.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "bench.next_version"]  # noqa: F405
