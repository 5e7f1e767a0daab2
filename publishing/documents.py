"""Flow documents as they are stored: which fields the server owns, and how a save raises the version."""

from __future__ import annotations

from typing import Any

import scaicore
from identity.errors import Invalid, Problem
from publishing.models import Flow, FlowVersion
from scaicore.document import FIRST_VERSION

# The column takes 40 characters, and each save may make the number longer.
LONGEST_VERSION = 32
LONGEST_TAG, MOST_TAGS = 40, 20


def clean_content(content: object) -> dict[str, Any]:
    """`content` if it can be stored at all: any JSON object. What is wrong inside it is for the compiler to say."""
    if not isinstance(content, dict):
        raise Invalid("The flow has no document.", [Problem("content", "Send the v2 flow document as a JSON object.")])
    return content


def first_version(content: dict[str, Any]) -> str:
    """The version that a new flow starts with: the document's own if it is one."""
    version = content.get("version")
    is_usable = isinstance(version, str) and len(version) <= LONGEST_VERSION and scaicore.is_semver(version)
    return str(version) if is_usable else FIRST_VERSION


def find_description(content: dict[str, Any]) -> str:
    """The description in the document, empty when it has none."""
    metadata = content.get("metadata")
    given = metadata.get("description") if isinstance(metadata, dict) else None
    return given if isinstance(given, str) else ""


def find_tags(content: dict[str, Any]) -> list[str]:
    """The document's tags, each once, as they were written; what is no usable tag is left out."""
    given = (tag.strip() for tag in scaicore.properties(content).tags)
    return list(dict.fromkeys(tag for tag in given if 0 < len(tag) <= LONGEST_TAG and "\0" not in tag))[:MOST_TAGS]


def for_member(flow: Flow, content: dict[str, Any]) -> dict[str, Any]:
    """`content`, a document of `flow`, for somebody of the tenant who may not change it.

    What is saved now says whether they may read it, whichever version it is that they ask for.
    """
    if scaicore.properties(flow.saved.content).readers == "tenant":
        return hide_groups(content)
    return scaicore.outline(content)


def hide_groups(content: dict[str, Any]) -> dict[str, Any]:
    """`content` for users who are not admins of the tenant: they may not read which groups may call."""
    hidden = "model_visibility_group_ids"
    return {**content, "config": {name: value for name, value in config(content).items() if name != hidden}}


def complete(flow: Flow, saved: FlowVersion) -> dict[str, Any]:
    """The saved document with the fields that the server owns: id, name, description and version."""
    metadata = saved.content.get("metadata")
    described = {**(metadata if isinstance(metadata, dict) else {}), "description": flow.description}
    return {**saved.content, "id": flow.pk, "name": flow.name, "version": saved.version, "metadata": described}


def config(content: dict[str, Any]) -> dict[str, Any]:
    """The document's config, empty when it has none."""
    given = content.get("config")
    return given if isinstance(given, dict) else {}
