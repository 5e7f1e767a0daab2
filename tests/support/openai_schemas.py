"""OpenAI's own description as an oracle: is this JSON what the schema of that name allows?"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SOURCE = Path(__file__).resolve().parents[3] / "shared/openai/openapi-subset.json"


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SOURCE.read_text())
    return found


@cache
def _validator(name: str) -> Draft202012Validator:
    root = {"$ref": f"#/components/schemas/{name}", "components": _document()["components"]}
    return Draft202012Validator(root)


def check(value: Any, name: str) -> None:
    """Fail with the places at which `value` is not what the schema allows; skip where the description is absent."""
    if not SOURCE.exists():
        pytest.skip("no description of OpenAI's beside this checkout")
    found = [f"{each.json_path}: {each.message[:300]}" for each in _validator(name).iter_errors(value)]
    assert found == []
