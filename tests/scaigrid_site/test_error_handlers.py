"""What fails before a view has it."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from scaigrid_site import error_handlers
from tests.support.api_calls import error


@pytest.fixture
def stranger() -> Client:
    """Asks under a host name that the server does not answer under."""
    return Client(headers={"Host": "elsewhere.example"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/v1/modules/scaicore/cores", 401),
        ("/v1", 404),
        ("/oai/v1/nothing", 404),
        ("/hooks/acme/echo-agent", 405),
    ],
)
def test_what_only_a_key_opens_answers_under_any_host_name(stranger: Client, url: str, status: int) -> None:
    answer = stranger.get(url)
    assert (answer.status_code, answer["content-type"]) == (status, "application/json")


def test_what_a_session_opens_is_refused_under_a_wrong_host_name(stranger: Client) -> None:
    assert error(stranger.get("/api/v1/flows")) == (400, "host_unknown")


@pytest.mark.parametrize("url", ["/login/", "/", "/admin/", "/models/", "/v1x/", "/nothing"])
def test_a_page_under_a_wrong_host_name_says_which_setting_to_change(stranger: Client, url: str) -> None:
    answer = stranger.get(url)
    assert (answer.status_code, answer["content-type"].partition(";")[0]) == (400, "text/html")
    assert "ALLOWED_HOSTS" in answer.content.decode()


@pytest.mark.parametrize("url", ["/v1/modules/scaicore/cores", "/api/v1/flows", "/v1/models"])
def test_a_defect_outside_the_views_is_answered_in_json(url: str) -> None:
    answer = error_handlers.server_error(RequestFactory().get(url))
    assert (answer.status_code, answer["content-type"]) == (500, "application/json")
