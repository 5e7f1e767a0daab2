"""What is done on the canvas by menu and by keys, and the notes on it."""

from __future__ import annotations

from playwright.sync_api import expect

from identity.models import User
from publishing.models import Flow
from tests.browser.conftest import Visit, open_flow
from tests.browser.test_accessibility import grave
from tests.browser.test_canvas import edge, save, saved_content, shown


def test_a_node_is_duplicated_by_its_keys_and_by_its_menu(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.keyboard.press("Control+d")
    expect(shown(page, "reply_2")).to_have_count(1)
    shown(page, "entry").click(button="right")
    page.get_by_role("menuitem", name="Duplicate").click()
    expect(shown(page, "entry_2")).to_have_count(1)
    expect(edge(page, "e1")).to_have_count(1)
    shown(page, "entry_2").focus()
    page.keyboard.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Show in the panel")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(shown(page, "entry_2")).to_have_count(0)


def test_the_list_of_keys_is_opened_by_one(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys on the canvas")
    expect(keys).to_contain_text("Ctrl+D")
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.get_by_label("Name", exact=True).press("?")
    expect(keys).to_have_count(0)


def test_a_note_is_written_on_the_canvas_and_kept_in_the_document(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_role("application").click(button="right", position={"x": 60, "y": 60})
    page.get_by_role("menuitem", name="Add a note here").click()
    page.get_by_label("Text of the note").fill("Ask ops first")
    page.get_by_role("button", name="Move the note").press("ArrowRight")
    save(page, "1.0.1")
    [note] = saved_content(draft)["metadata"]["canvas"]["notes"]
    assert note["text"] == "Ask ops first"
    assert grave(page) == []
    page.reload()
    expect(page.get_by_role("region", name="Note: Ask ops first")).to_be_visible()
    page.get_by_role("button", name="Delete the note").click()
    expect(page.get_by_label("Text of the note")).to_have_count(0)
