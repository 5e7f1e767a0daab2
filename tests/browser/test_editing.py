"""What was typed is never lost without a word, and what is saved is never mistaken for it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from identity.models import Group, User
from publishing.models import Core, Flow
from tests.browser.conftest import Visit, open_flow


def group_row(page: Page) -> Locator:
    return page.get_by_label("Visibility group IDs (comma-separated)")


def test_the_group_row_keeps_its_text_while_the_box_is_unticked(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    box = page.get_by_label("Publish as chat model")
    box.check()
    group_row(page).fill("group_acme_eng")
    box.uncheck()
    expect(group_row(page)).to_be_hidden()
    box.check()
    expect(group_row(page)).to_have_value("group_acme_eng")


def test_an_unknown_group_is_refused_beside_its_field_and_all_text_stays(
    visit: Visit, root: User, draft: Flow, engineering: Group
) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Name", exact=True).fill("Renamed")
    page.get_by_label("Publish as chat model").check()
    group_row(page).fill("group_acme_eng, group_nope")
    page.get_by_role("button", name="Save").click()
    expect(group_row(page)).to_have_accessible_description(
        "Empty: everyone in Acme may call it. The group group_nope does not exist."
    )
    expect(group_row(page)).to_have_attribute("aria-invalid", "true")
    expect(group_row(page)).to_have_value("group_acme_eng, group_nope")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    assert draft.saved.version == "1.0.0"


def test_a_blank_name_is_refused_at_its_field_until_the_next_save(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    name = page.get_by_label("Name", exact=True)
    name.fill(" ")
    page.get_by_role("button", name="Save").click()
    expect(name).to_have_accessible_description("Give it a name of 1 to 200 characters.")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved.")
    name.fill("Echo Agent")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Nothing has changed")
    expect(name).to_have_accessible_description("")


def test_unsaved_changes_show_from_the_first_letter_and_go_when_it_is_taken_back(
    visit: Visit, root: User, draft: Flow
) -> None:
    page = open_flow(visit(root))
    expect(page.get_by_text("Unsaved changes")).to_be_hidden()
    name = page.get_by_label("Name", exact=True)
    name.press("End")
    name.press("x")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    name.press("Backspace")
    expect(page.get_by_text("Unsaved changes")).to_be_hidden()


def test_deploy_waits_for_save_and_loses_nothing(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Name", exact=True).fill("Renamed")
    deploy = page.get_by_role("button", name="Deploy")
    expect(deploy).to_have_accessible_description("Save first: Deploy takes the saved version.")
    expect(deploy).to_be_disabled()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    deploy.click(force=True)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed")
    assert not sent
    assert not Core.objects.exists()


def test_leaving_with_unsaved_changes_asks_first(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Name", exact=True).press("x")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Flows").click()
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    assert asked == ["beforeunload"]


def test_a_stale_save_keeps_both_sides(visit: Visit, root: User, second: User, draft: Flow) -> None:
    mine, theirs = open_flow(visit(root)), open_flow(visit(second))
    theirs.get_by_label("Publish as chat model").check()
    theirs.get_by_label("Name", exact=True).fill("Their name")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("status")).to_have_text("Saved version 1.0.1")
    mine.get_by_label("Name", exact=True).fill("My name")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("alert")).to_contain_text("second@acme.test saved version 1.0.1")
    expect(mine.get_by_role("row", name="Name My name Their name")).to_be_visible()
    expect(mine.get_by_label("Name", exact=True)).to_have_value("My name")
    expect(mine.get_by_label("Publish as chat model")).to_be_checked()
    draft.refresh_from_db()
    assert draft.name == "Their name"
    mine.get_by_role("button", name="Keep mine, over version 1.0.1").click()
    expect(mine.get_by_role("status")).to_have_text("Saved")
    draft.refresh_from_db()
    assert (draft.name, draft.saved.content["config"]["publish_as_model"]) == ("My name", True)


def test_a_stale_save_can_be_dropped_for_theirs(visit: Visit, root: User, second: User, draft: Flow) -> None:
    mine, theirs = open_flow(visit(root)), open_flow(visit(second))
    theirs.get_by_label("Publish as chat model").check()
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("status")).to_have_text("Saved version 1.0.1")
    mine.get_by_label("Name", exact=True).fill("My name")
    mine.get_by_role("button", name="Save").click()
    mine.once("dialog", lambda dialog: dialog.accept())
    mine.get_by_role("link", name="Load theirs, drop mine").click()
    expect(mine.get_by_label("Name", exact=True)).to_have_value("Echo Agent")
    expect(mine.get_by_label("Publish as chat model")).to_be_checked()


def test_the_entity_scope_shows_for_entities_alone(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    expect(page.get_by_label("Entity scope")).to_be_hidden()
    page.get_by_label("Instance mode").select_option("entity")
    expect(page.get_by_label("Entity scope")).to_be_visible()
    page.get_by_label("Entity scope").select_option("tenant")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Entity scope")).to_have_value("tenant")
