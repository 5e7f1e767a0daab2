"""Scripts make the pages comfortable; the forms work without them."""

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


def test_a_node_is_looked_at_without_scripts(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root, has_scripts=False))
    page.get_by_role("link", name="Reply, llm_rigid node").click()
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()
