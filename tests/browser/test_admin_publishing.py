"""Staff in front of the admin, in a browser: the box on a Core's page counts at the next call."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from django.utils import timezone
from playwright.sync_api import Page, expect

from identity.actors import actor_of
from identity.models import Group, User
from publishing import actions
from publishing.models import Core, Flow
from tests.browser.conftest import Visit
from tests.support.chat_calls import call
from tests.support.serving import Server


@pytest.fixture
def core_page(visit: Visit, root: User) -> Callable[[Core], Page]:
    """Opens the page of a Core in the admin, as Root."""
    opened = visit(root)

    def show(core: Core) -> Page:
        opened.goto(f"/admin/publishing/core/{core.pk.replace('_', '_5F')}/change/")
        expect(opened.get_by_label("Publish as chat model")).to_be_visible()
        return opened

    return show


@pytest.fixture
def echo_draft(draft: Flow, root: User) -> Core:
    """The echo Core, live and never published."""
    return actions.deploy(draft, actor=actor_of(root), at=timezone.now()).core


def choose_group(page: Page, typed: str, found: str) -> None:
    """Find a group by typing into the field."""
    page.locator(".field-allowed_groups .select2-selection").click()
    page.locator(".field-allowed_groups .select2-search__field").type(typed)
    page.get_by_role("option", name=found).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def test_the_box_publishes_to_a_group_and_takes_it_back(
    core_page: Callable[[Core], Page],
    lean_server: Server,
    echo_draft: Core,
    engineering: Group,
    ann: User,
    bo: User,
    key_of: Callable[[User], str],
) -> None:
    ann_key, bo_key = key_of(ann), key_of(bo)
    assert call(lean_server, ann_key).status_code == 404
    page = core_page(echo_draft)
    expect(page.locator(".field-allowed_groups")).to_be_hidden()
    page.get_by_label("Publish as chat model").check()
    page.get_by_label("Members of the listed groups").check()
    choose_group(page, "engin", "group_acme_eng (Engineering)")
    save(page)
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert (call(lean_server, ann_key).status_code, call(lean_server, bo_key).status_code) == (200, 403)
    core_page(echo_draft).get_by_label("Publish as chat model").uncheck()
    save(page)
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert call(lean_server, ann_key).status_code == 404


def test_widening_asks_with_numbers(core_page: Callable[[Core], Page], narrow_echo: Core, bo: User) -> None:
    page = core_page(narrow_echo)
    page.get_by_label("Everyone in the tenant").check()
    page.locator(".field-allowed_groups .select2-selection__choice__remove").click()
    save(page)
    expect(page.locator(".errornote")).to_be_visible()
    expect(page.locator(".agree")).to_contain_text("1 active user; it would be for everyone in the tenant, 3 active")
    assert narrow_echo.publication.group_ids == ["group_acme_eng"]
    page.get_by_role("button", name="Save and widen access").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    narrow_echo.publication.refresh_from_db()
    assert narrow_echo.publication.visibility == "tenant"


def test_a_held_core_is_not_deployed_into_the_list(
    core_page: Callable[[Core], Page], echo: Core, root: User, lean_server: Server, key_of: Callable[[User], str]
) -> None:
    key = key_of(root)
    page = core_page(echo)
    page.get_by_label("Reason").fill("See ticket 4711")
    page.get_by_role("button", name="Hold", exact=True).click()
    expect(page.get_by_text("is held: See ticket 4711")).to_be_visible()
    deploy, bearer = f"{lean_server.url}/api/v1/flows/{echo.flow_id}/deploy", {"Authorization": f"Bearer {key}"}
    done = requests.post(deploy, headers=bearer, timeout=30).json()
    assert done["message"] == f"Deployed core_id={echo.pk} — held by staff: See ticket 4711"
    assert call(lean_server, key).status_code == 404
    page.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_text("Nothing was published")).to_be_visible()
    assert call(lean_server, key).status_code == 404


def test_a_publication_is_added(visit: Visit, root: User, echo_draft: Core) -> None:
    page = visit(root)
    page.goto("/admin/publishing/publication/add/")
    page.locator(".field-core .select2-selection").click()
    page.locator(".select2-container--open .select2-search__field").type("echo")
    page.get_by_role("option", name="acme/echo-agent (Echo Agent)").click()
    page.get_by_label("Everyone in the tenant").check()
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    echo_draft.refresh_from_db()
    assert echo_draft.publication.visibility == "tenant"
