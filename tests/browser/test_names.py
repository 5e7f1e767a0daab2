"""Fields offer the names that nodes read: completed while one types, and listed with what the last run held."""

from __future__ import annotations

from playwright.sync_api import expect

from identity.models import User
from publishing.models import Flow
from tests.browser.conftest import Visit, open_flow
from tests.browser.test_canvas import shown
from tests.browser.test_trying import try_out


def test_a_name_is_completed_while_one_types_and_listed_with_what_it_held(
    visit: Visit, root: User, echo_flow: Flow
) -> None:
    page = open_flow(visit(root))
    try_out(page, "seven apples")
    expect(page.get_by_role("region", name="Answer of the run")).to_contain_text("seven apples")
    shown(page, "reply").click()
    template = page.get_by_label("Template")
    template.fill("You said: ")
    template.press_sequentially("{{mess")
    offered = page.get_by_role("listbox", name="Names").get_by_role("option")
    expect(offered).to_contain_text(["message", "messages"])
    expect(offered.first).to_contain_text("such as seven apples")
    template.press("ArrowDown")
    template.press("ArrowUp")
    template.press("Enter")
    expect(template).to_have_value("You said: {{message}}")
    expect(offered).to_have_count(0)
    page.get_by_text("Names that can stand here").click()
    page.get_by_role("button", name="entity_id").or_(page.get_by_role("button", name="params", exact=True)).click()
    expect(template).to_have_value("You said: {{message}}{{params}}")
    template.press_sequentially(" {{p")
    template.press("Escape")
    expect(offered).to_have_count(0)
    expect(template).to_be_focused()
