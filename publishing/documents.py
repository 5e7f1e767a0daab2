"""Flow documents as they are kept: what the server owns in them, and how a save moves the version on."""

from __future__ import annotations

from typing import Any

import scaicore
from identity.errors import Invalid, Problem
from publishing.models import Flow, FlowVersion

FIRST = "1.0.0"


def accepted(content: object) -> dict[str, Any]:
    """`content` if it can be kept at all: any JSON object. What is wrong inside is for the diagnostics to say."""
    if not isinstance(content, dict):
        raise Invalid("The flow has no document.", [Problem("content", "Send the v2 flow document as a JSON object.")])
    return content


def first_version(content: dict[str, Any]) -> str:
    """The version that a new flow starts with: the document's own if it is one."""
    version = content.get("version")
    return version if isinstance(version, str) and scaicore.is_semver(version) else FIRST


def shown(flow: Flow, saved: FlowVersion) -> dict[str, Any]:
    """The saved document with what the server owns in it: id, name, description and version."""
    metadata = saved.content.get("metadata")
    described = {**(metadata if isinstance(metadata, dict) else {}), "description": flow.description}
    return {**saved.content, "id": flow.pk, "name": flow.name, "version": saved.version, "metadata": described}


def config(content: dict[str, Any]) -> dict[str, Any]:
    """The document's config, empty when it has none."""
    given = content.get("config")
    return given if isinstance(given, dict) else {}
