"""The canvas by pointer and by keys, and the whole of the tutorial without a pointer."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from identity.models import User
from publishing.models import Core, Flow
from tests.browser.conftest import Visit, open_flow


def test_a_click_on_a_node_shows_its_details_and_one_beside_it_the_flow(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_role("link", name="Reply, llm_rigid node").click()
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()
    expect(page.get_by_label("Configuration of Reply")).to_contain_text('"template": "{{message}}"')
    expect(page.get_by_role("heading", name="Flow properties")).to_be_hidden()
    page.get_by_role("application").click(position={"x": 8, "y": 8})
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()


def test_looking_at_a_node_keeps_what_was_typed(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Name", exact=True).fill("Renamed")
    page.get_by_role("link", name="Reply, llm_rigid node").click()
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Renamed")).to_be_visible()


def test_the_address_of_a_node_opens_it(visit: Visit, root: User, draft: Flow) -> None:
    page = visit(root)
    page.goto(f"/flows/{draft.pk}/?node=reply")
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus bears `name`."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in (
            focused.get_attribute("aria-label") or focused.inner_text() or field_name(page)
        ):
            return
    raise AssertionError(f"Tab never reached {name}")


def field_name(page: Page) -> str:
    return str(page.evaluate("document.activeElement.labels?.[0]?.textContent ?? ''"))


def test_everything_can_be_done_with_the_keyboard_alone(visit: Visit, root: User, draft: Flow) -> None:
    page = visit(root)
    tab_to(page, "Echo Agent")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/flows/{draft.pk}/")
    tab_to(page, "Canvas of")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reply")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()
    tab_to(page, "Publish as chat model")
    page.keyboard.press("Space")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status")).to_have_text("Saved version 1.0.1")
    tab_to(page, "Deploy")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Deployed core_id=core_")
    assert Core.objects.get().publication.name == "scaicore/acme/echo-agent"
