"""Loaded before pytest-django reads the settings, so that tests find the embedded database like every command."""

import os

from scaigrid_site import bootstrap

bootstrap.prepare(os.environ)
