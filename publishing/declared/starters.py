"""Flows to begin from: the documents in `flows/`, each opened as a copy."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from publishing import documents

FOLDER: Final = Path(__file__).resolve().parents[2] / "flows"
KEYS: Final = ("echo", "assistant", "triage", "researcher", "approval", "extract", "webhook", "remote")
HOME: Final = "core://acme/"  # of the Cores that the documents name
# What a copy does not take along: an id and an author that are not its own.
NOT_COPIED: Final = ("author", "created")


@dataclass(frozen=True)
class Starter:
    """A document to begin from. `asks_model`: whether a provider and a model must be named before it runs."""

    key: str
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.content["name"])

    @property
    def explanation(self) -> str:
        """What it does, in a sentence."""
        return documents.find_description(self.content)

    @property
    def asks_model(self) -> bool:
        """Whether its nodes ask a language model."""
        return bool(_models(self.content))

    def copy(self, tenant_id: str, *, provider: str = "", model: str = "") -> dict[str, Any]:
        """The document as a new flow of the tenant, not to be published yet; its roles ask `model` of `provider`."""
        copied = deepcopy(self.content)
        del copied["id"]
        copied["metadata"] = {key: value for key, value in copied["metadata"].items() if key not in NOT_COPIED}
        copied["config"]["publish_as_model"] = False
        for role in _models(copied):
            role |= {"ref": provider or role["ref"], "model": model or role["model"]}
        for node in copied["nodes"]:
            if "target" in node["config"]:
                node["config"]["target"] = node["config"]["target"].replace(HOME, f"core://{tenant_id}/")
        return copied


@cache
def list_starters() -> dict[str, Starter]:
    """Every starter by its key, the simplest first. They are not to be changed: `Starter.copy` gives one's own."""
    return {key: Starter(key, json.loads((FOLDER / f"{key}.json").read_text())) for key in KEYS}


def _models(content: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = documents.config(content).get("core_identity", {}).get("models", [])
    return found
