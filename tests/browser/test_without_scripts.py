"""Without scripts a flow is a drawing to look at and a form that saves and deploys."""

from __future__ import annotations

from playwright.sync_api import expect

from identity.models import Group, User
from publishing.models import Core, Flow
from tests.browser.conftest import Visit, open_flow


def test_a_flow_is_published_without_scripts(visit: Visit, root: User, draft: Flow, engineering: Group) -> None:
    page = open_flow(visit(root, has_scripts=False))
    page.get_by_label("Publish as chat model").check()
    page.get_by_label("Visibility group IDs (comma-separated)").fill("group_acme_eng")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved version 1.0.1")
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("status")).to_contain_text("published as scaicore/acme/echo-agent")
    assert Core.objects.get().publication.group_ids == ["group_acme_eng"]


def test_deploy_without_scripts_loses_nothing_that_was_typed(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root, has_scripts=False))
    page.get_by_label("Name", exact=True).fill("Renamed")
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was deployed.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed")
    assert not Core.objects.exists()


def test_a_node_is_looked_at_without_scripts_and_what_was_typed_stays(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root, has_scripts=False))
    page.get_by_label("Name", exact=True).fill("Renamed")
    expect(page.get_by_label("Configuration of Reply")).to_be_hidden()
    page.get_by_role("link", name="Reply, llm_rigid node").click()
    expect(page.get_by_label("Configuration of Reply")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed")


def test_a_stale_save_without_scripts_keeps_what_was_typed(visit: Visit, root: User, second: User, draft: Flow) -> None:
    mine, theirs = open_flow(visit(root, has_scripts=False)), open_flow(visit(second, has_scripts=False))
    theirs.get_by_label("Publish as chat model").check()
    theirs.get_by_role("button", name="Save").click()
    mine.get_by_label("Name", exact=True).fill("My name")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("alert")).to_contain_text("Nothing was saved: second@acme.test saved version 1.0.1")
    expect(mine.get_by_role("row", name="Publish as chat model not ticked ticked")).to_be_visible()
    expect(mine.get_by_label("Name", exact=True)).to_have_value("My name")
    mine.get_by_label("Publish as chat model").check()
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("status")).to_have_text("Saved")
    draft.refresh_from_db()
    assert (draft.name, draft.saved.content["config"]["publish_as_model"]) == ("My name", True)
