"""Two installations on one host, which a browser tells apart by the port alone."""

from __future__ import annotations

import re

import pytest
import requests
from django.conf import settings

from identity.models import User
from scaigrid_site import conf
from tests.support.serving import Server, serving


def sign_in(browser: requests.Session, server: Server) -> None:
    page = browser.get(f"{server.url}/login/", timeout=30).text
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = {"username": "root@acme.test", "password": "change-me", "csrfmiddlewaretoken": token}
    answer = browser.post(f"{server.url}/login/", form, timeout=30, headers={"Referer": f"{server.url}/login/"})
    assert answer.url.endswith("/flows/")


def is_signed_in(browser: requests.Session, server: Server) -> bool:
    return browser.get(f"{server.url}/flows/", timeout=30, allow_redirects=False).status_code == 200


def test_signing_in_at_one_leaves_the_other_signed_in(root: User, transactional_db: None) -> None:
    with (
        serving() as first,
        serving(SECRET_KEY="that-of-another-installation-" * 2) as second,
        requests.Session() as browser,
    ):
        for server in (first, second):
            sign_in(browser, server)
        assert [is_signed_in(browser, server) for server in (first, second)] == [True, True]


@pytest.mark.parametrize(
    ("public_url", "suffix"),
    [("https://grid.example.com", ""), ("https://grid.example.com:8443", "_8443"), ("", "_8000")],
)
def test_cookies_carry_the_port_that_the_address_names(public_url: str, suffix: str) -> None:
    given = {"SECRET_KEY": "x" * 50, "DATABASE_URL": "postgresql://x@localhost/x", "PUBLIC_URL": public_url}
    assert conf.read(given).cookie_suffix == suffix


def test_no_cookie_has_a_name_of_djangos() -> None:
    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}.isdisjoint({"sessionid", "csrftoken"})
