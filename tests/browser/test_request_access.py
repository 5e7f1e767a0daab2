"""From a refusal to an answer: refused, asked, granted, answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from openai import OpenAI, PermissionDeniedError
from playwright.sync_api import Page, expect

from identity.models import User
from publishing.models import Core
from tests.browser.conftest import Visit
from tests.support.serving import Server


@pytest.fixture
def bo_with_password(bo: User) -> User:
    bo.set_password("change-me")
    bo.save(update_fields=["password"])
    return bo


def models_page(page: Page) -> Page:
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Models").click()
    return page


def test_a_refused_user_asks_and_calls_once_an_admin_has_granted(
    visit: Visit,
    root: User,
    bo_with_password: User,
    narrow_echo: Core,
    lean_server: Server,
    key_of: Callable[[User], str],
) -> None:
    client = OpenAI(base_url=lean_server.v1, api_key=key_of(bo_with_password))

    def call() -> str | None:
        said = client.chat.completions.create(
            model="scaicore/acme/echo-agent", messages=[{"role": "user", "content": "hello"}]
        )
        return said.choices[0].message.content

    with pytest.raises(PermissionDeniedError):
        call()
    asking = models_page(visit(bo_with_password))
    asking.get_by_role("link", name="Request access").click()
    asking.get_by_label("Message to the tenant admins").fill("for the night shift")
    asking.get_by_role("button", name="Request access").click()
    expect(asking.get_by_role("status")).to_contain_text("Asked")
    granting = models_page(visit(root))
    granting.get_by_label("Requests for access").get_by_role("link").click()
    expect(granting.get_by_text("for the night shift")).to_be_visible()
    granting.get_by_role("button", name="Grant").click()
    expect(granting.get_by_role("status")).to_contain_text("may call this model")
    assert call() == "hello"
    asking.reload()
    expect(asking.get_by_text("You can call it")).to_be_visible()


def test_the_admin_sees_by_which_group_somebody_can_call(
    visit: Visit, root: User, ann: User, bo: User, narrow_echo: Core
) -> None:
    page = models_page(visit(root))
    page.get_by_role("link", name="Echo Agent").click()
    page.get_by_role("link", name="Who can call this").click()
    expect(page.get_by_role("cell", name="group_acme_eng")).to_contain_text("ann@acme.test")
    page.get_by_label("E-mail address of a user").fill("bo@acme.test")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("May not call")).to_be_visible()
