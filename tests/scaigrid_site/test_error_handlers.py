"""What fails before a view has it."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from scaigrid_site import error_handlers
from tests.support.api_calls import code, error


@pytest.fixture
def stranger() -> Client:
    """Asks under a host name that the server does not answer under."""
    return Client(headers={"Host": "elsewhere.example"})


def test_a_wrong_host_is_refused_in_the_module_envelope(stranger: Client) -> None:
    assert code(stranger.get("/v1/modules/scaicore/cores")) == (400, "HOST_UNKNOWN")


def test_a_wrong_host_is_refused_in_the_envelope_of_api(stranger: Client) -> None:
    assert error(stranger.get("/api/v1/flows")) == (400, "host_unknown")


@pytest.mark.parametrize("url", ["/v1/models", "/oai/v1/models"])
def test_a_wrong_host_is_refused_in_openais_envelope(stranger: Client, url: str) -> None:
    answer = stranger.get(url)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_wrong_host_gets_a_page_on_the_web_pages(stranger: Client) -> None:
    answer = stranger.get("/login/")
    assert (answer.status_code, answer["content-type"].partition(";")[0]) == (400, "text/html")


@pytest.mark.parametrize("url", ["/v1/modules/scaicore/cores", "/api/v1/flows", "/v1/models"])
def test_a_defect_outside_the_views_is_told_in_json(url: str) -> None:
    answer = error_handlers.server_error(RequestFactory().get(url))
    assert (answer.status_code, answer["content-type"]) == (500, "application/json")
