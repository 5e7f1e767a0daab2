"""Calls from pages of other sites, over plain http, and to a base URL without `/v1`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO, call, error
from tests.support.limiting import make_limit
from tests.support.serving import Server, serving

SITE = "https://chat.example.com"
Calls = Callable[[User], str]


@pytest.fixture(scope="module")
def https(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), serving(PUBLIC_URL="https://grid.example.com", CORS_ALLOWED_ORIGINS=SITE) as one:
        yield one


@pytest.fixture
def key(ann: User, echo: Core, key_of: Calls, transactional_db: None) -> str:
    return key_of(ann)


PROXY = {"x-forwarded-proto": "https"}


@pytest.mark.parametrize("path", ["/v1/models", "/v1", "/oai/v1/models", "/api/v1/flows", "/mcp"])
@pytest.mark.parametrize("more", [{}, {"x-forwarded-proto": "http"}])
def test_a_key_over_plain_http_is_refused(https: Server, key: str, path: str, more: dict[str, str]) -> None:
    answer = requests.get(https.url + path, headers={"authorization": f"Bearer {key}", **more}, timeout=30)
    assert answer.status_code == 403


def test_the_chat_over_plain_http_is_refused_and_by_https_answered(https: Server, key: str) -> None:
    assert error(call(https, key))["code"] == "https_required"
    assert call(https, key, **PROXY).status_code == 200


@pytest.mark.parametrize("more", [{}, {"x-forwarded-proto": "http"}])
def test_a_webhook_over_plain_http_is_refused(https: Server, more: dict[str, str]) -> None:
    answer = requests.post(f"{https.url}/hooks/acme/orders", json={}, headers=more, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "HTTPS_REQUIRED")


def test_health_is_answered_over_plain_http(https: Server) -> None:
    assert requests.get(f"{https.url}/healthz/live", timeout=30).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/oai/v1/chat/completions", "/mcp"])
def test_a_preflight_of_a_named_site_is_allowed(https: Server, path: str) -> None:
    wish = {
        "origin": SITE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-lang,mcp-protocol-version",
    }
    answer = requests.options(https.url + path, headers=wish | PROXY, timeout=30)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SITE)
    allowed = answer.headers["access-control-allow-headers"]
    assert "x-stainless-lang" in allowed and "mcp-protocol-version" in allowed


def test_a_call_from_a_named_site_may_be_read_there(https: Server, key: str) -> None:
    answer = call(https, key, origin=SITE, **PROXY)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SITE)
    assert "access-control-allow-origin" not in call(https, key, origin="https://evil.example", **PROXY).headers


def test_no_site_is_named_by_default(server: Server, key: str) -> None:
    assert "access-control-allow-origin" not in call(server, key, origin=SITE).headers


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/models"), ("GET", "/models/scaicore/acme/x"), ("POST", "/chat/completions")]
)
def test_a_base_url_without_v1_is_a_404_that_says_so(server: Server, key: str, method: str, path: str) -> None:
    answer = requests.request(
        method, server.url + path, json=HELLO, headers={"authorization": f"Bearer {key}"}, timeout=30
    )
    assert (answer.status_code, error(answer)["code"]) == (404, "unknown_url")
    assert "/v1" in error(answer)["message"]


def test_the_page_of_models_is_for_browsers(server: Server) -> None:
    answer = requests.get(f"{server.url}/models/", headers={"accept": "text/html,*/*"}, timeout=30)
    assert "/login/" in answer.url


def test_a_page_of_a_named_site_may_read_what_is_left_of_a_limit(https: Server, key: str) -> None:
    make_limit(10)
    make_limit(1, per="month", is_soft=True)
    make_limit(1000, "tokens", "minute")
    for _ in range(2):
        answer = call(https, key, origin=SITE, **PROXY)
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    of_limits = {name.lower() for name in answer.headers if "limit" in name.lower()}
    assert len(of_limits) == 7
    assert of_limits <= exposed
