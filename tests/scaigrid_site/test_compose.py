"""The compose file promises what the image and the settings can keep. The image itself: `make container-test`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import yaml

from scaigrid_site.conf import Conf
from tests.support.serving import ROOT


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


def test_every_setting_of_the_product_is_one(services: dict[str, Any]) -> None:
    given = set(services["grid"]["environment"])
    assert {"DATABASE_URL", "SECRET_KEY"} <= given
    assert given - {setting.name for setting in fields(Conf)} == set()


def test_no_secret_has_a_default(services: dict[str, Any]) -> None:
    assert services["grid"]["environment"]["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert services["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_the_product_runs_without_rights(services: dict[str, Any]) -> None:
    grid = services["grid"]
    assert (grid["read_only"], grid["cap_drop"], grid["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert "privileged" not in grid


def test_a_container_that_ends_has_as_long_as_its_calls(services: dict[str, Any]) -> None:
    grace_s = int(services["grid"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > Conf().DRAIN_S + Conf().SHUTDOWN_TIMEOUT_S


def test_the_proxy_reads_the_configuration_and_serves_the_port_that_it_names(services: dict[str, Any]) -> None:
    proxy = services["proxy"]
    source = proxy["volumes"][0].partition(":")[0]
    text = (ROOT / source).read_text()
    assert f"listen {proxy['ports'][0].partition(':')[2]};" in text
    assert "server grid:8000 " in text
    assert "ENV HOST=0.0.0.0 PORT=8000" in (ROOT / "Dockerfile").read_text()
