"""The tutorial's steps 1 to 4, as a tenant admin does them in the browser."""

from __future__ import annotations

from collections.abc import Callable

from openai import OpenAI
from playwright.sync_api import Page, expect

from identity.models import Group, User
from publishing.models import Core, Flow
from tests.browser.conftest import Visit, open_flow
from tests.support.serving import Server


def save_and_deploy(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved version")
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("status")).to_contain_text("Deployed core_id=")


def test_ticking_saving_and_deploying_publishes_to_the_listed_groups(
    visit: Visit,
    root: User,
    ann: User,
    draft: Flow,
    engineering: Group,
    lean_server: Server,
    key_of: Callable[[User], str],
) -> None:
    page = open_flow(visit(root))
    expect(page.get_by_label("Visibility group IDs (comma-separated)")).to_be_hidden()
    page.get_by_label("Publish as chat model").check()
    page.get_by_label("Visibility group IDs (comma-separated)").fill("group_acme_eng")
    save_and_deploy(page)
    core = Core.objects.get()
    toast = f"Deployed core_id={core.pk} — published as scaicore/acme/echo-agent"
    assert page.get_by_role("status").text_content() == toast
    assert core.publication.group_ids == ["group_acme_eng"]
    client = OpenAI(base_url=lean_server.v1, api_key=key_of(ann))
    answer = client.chat.completions.create(model=core.model_name, messages=[{"role": "user", "content": "hello"}])
    assert answer.choices[0].message.content == "hello"


def test_unticking_saving_and_deploying_unpublishes(visit: Visit, root: User, echo: Core) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Publish as chat model").uncheck()
    save_and_deploy(page)
    toast = f"Deployed core_id={echo.pk} — unpublished scaicore/acme/echo-agent"
    assert page.get_by_role("status").text_content() == toast


def test_the_toast_stays_until_it_is_dismissed(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_role("button", name="Deploy").click()
    toast = page.get_by_role("status")
    expect(toast).to_contain_text("Deployed core_id=")
    assert toast.text_content() == f"Deployed core_id={Core.objects.get().pk}"
    page.mouse.click(300, 300)
    page.keyboard.press("Escape")
    expect(toast).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(toast).to_be_hidden()


def test_the_name_of_the_model_is_copied_by_a_button(visit: Visit, root: User, echo: Core) -> None:
    page = open_flow(visit(root))
    page.get_by_role("button", name="Copy name").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "scaicore/acme/echo-agent"
