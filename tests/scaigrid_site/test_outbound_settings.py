"""The operator's settings for what leaves the installation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scaigrid_site import conf

HOUSE = {"base_url": "http://10.0.0.1:8000/v1", "api_key": "sk-1", "timeout_s": 20}


def test_providers_and_hosts_are_read() -> None:
    given = {"MODEL_PROVIDERS": json.dumps({"house": HOUSE}), "OUTBOUND_ALLOWED_HOSTS": "ollama, 10.0.0.1:80,[::1]:9"}
    read = conf.read(given)
    assert read.model_providers == {"house": HOUSE}
    assert read.OUTBOUND_ALLOWED_HOSTS == ("ollama", "10.0.0.1:80", "[::1]:9")
    assert conf.read({}).model_providers == {}


@pytest.mark.parametrize("entry", ["http://ollama", "ollama/x", "ollama:x", "a b", "*", "10.0.0.0/8", "::1"])
def test_a_host_that_is_none_stops_the_program(entry: str) -> None:
    with pytest.raises(conf.SettingInvalid, match="OUTBOUND_ALLOWED_HOSTS"):
        conf.read({"OUTBOUND_ALLOWED_HOSTS": f"ollama,{entry}"})


@pytest.mark.parametrize(
    "given",
    [
        "{",
        "[]",
        "7",
        "null",
        '"x"',
        {"house": 7},
        {"house": {}},
        {"house": "http://x"},
        {"": HOUSE},
        {"house": {**HOUSE, "more": 1}},
        {"house": {**HOUSE, "base_url": "x"}},
        {"house": {**HOUSE, "base_url": 7}},
        {"house": {**HOUSE, "base_url": "http://ann:sk-1@x/"}},
        {"house": {**HOUSE, "timeout_s": 0}},
        {"house": {**HOUSE, "timeout_s": "60"}},
        {"house": {**HOUSE, "timeout_s": True}},
        {"house": {**HOUSE, "api_key": 7}},
        {"house": {**HOUSE, "api_key": "sk-1\n"}},
        {"house": {**HOUSE, "options": {"api_key": "sk-1"}}},
        {"house": {**HOUSE, "options": {"thinking": "sk-1"}}},
        {"house": {**HOUSE, "options": []}},
    ],
)
def test_a_provider_that_cannot_be_called_stops_the_program_without_showing_a_key(given: Any) -> None:
    text = given if isinstance(given, str) else json.dumps(given)
    with pytest.raises(conf.SettingInvalid, match="MODEL_PROVIDERS") as caught:
        conf.read({"MODEL_PROVIDERS": text})
    assert "sk-1" not in str(caught.value)
