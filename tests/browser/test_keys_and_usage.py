"""The pages of API keys and usage in a browser, where the strict content policy holds."""

from __future__ import annotations

from playwright.sync_api import expect

from identity import keys
from identity.models import User
from publishing.models import Core
from tests.browser.conftest import Visit


def test_a_new_key_is_copied_by_a_button_and_never_shown_again(visit: Visit, ann: User, echo: Core) -> None:
    page = visit(ann)
    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="Copy key").click()
    secret = page.evaluate("navigator.clipboard.readText()")
    live = keys.find(secret)
    assert live
    assert live.user == ann
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("cell", name="Laptop", exact=True)).to_be_visible()
    assert secret not in page.content()


def test_a_call_in_the_playground_shows_in_usage(visit: Visit, ann: User, echo: Core) -> None:
    page = visit(ann)
    page.goto("/playground/?model=scaicore/acme/echo-agent")
    page.get_by_label("Message", exact=True).fill("hello")
    page.get_by_label("Message", exact=True).press("Enter")
    expect(page.locator(".figures")).to_contain_text("Answered in")
    page.get_by_role("link", name="Usage").click()
    expect(page.get_by_role("img", name="Requests by day")).to_be_visible()
    expect(page.get_by_role("row", name="scaicore/acme/echo-agent")).to_contain_text("1")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export CSV").click()
    assert waiting.value.suggested_filename == "usage-30-days.csv"
