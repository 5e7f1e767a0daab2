"""What a flow can do for its callers, in Flow properties: seen in its nodes, or said by its author."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from identity.actors import actor_of
from identity.models import Tenant, User
from publishing import actions
from publishing.models import Flow
from tests.browser.conftest import Visit, open_flow
from tests.conftest import echo_document
from tests.support.thinking_flows import node


@pytest.fixture
def thinker(acme: Tenant, root: User) -> Flow:
    """A flow in which a model replies."""
    actor, at = actor_of(root), timezone.now()
    actions.create_provider(
        tenant=acme, ref="house", base_url="https://models.example/v1", api_key="sk", timeout_s=5, actor=actor, at=at
    )
    document = echo_document(core_identity={"models": [{"role": "main", "ref": "house", "model": "m"}]})
    document["nodes"][1] = node("reply", "llm_flexible", goal="Help.", result_binding="response")
    return actions.create_flow(tenant=acme, name="Echo Agent", content=document, owner=root, actor=actor, at=at)


def test_what_a_flow_can_do_is_seen_in_its_nodes_or_ticked(visit: Visit, root: User, thinker: Flow) -> None:
    page = open_flow(visit(root))
    page.locator("summary", has_text="Capabilities").click()
    structured = page.get_by_label("Answers with JSON that fits the caller's schema")
    expect(structured).to_be_checked()
    expect(structured).to_be_disabled()
    images = page.get_by_label("Takes images")
    expect(images).not_to_be_checked()
    images.check()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status")).to_have_text("Saved version 1.0.1")
    assert thinker.saved.content["config"]["capabilities"] == ["images"]


def test_what_no_node_could_do_is_an_error_in_words(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.locator("summary", has_text="Capabilities").click()
    page.get_by_label("Takes images").check()
    expect(page.get_by_text("The flow declares images, which it cannot do")).to_be_visible()


def test_they_are_told_on_the_plain_page_as_well(visit: Visit, root: User, thinker: Flow) -> None:
    page = visit(root, has_scripts=False)
    page.goto(f"/flows/{thinker.pk}/?plain")
    expect(page.get_by_text("Answers with JSON that fits the caller's schema")).to_be_visible()


def test_the_tools_of_callers_are_a_tick_on_the_node(visit: Visit, root: User, thinker: Flow) -> None:
    page = open_flow(visit(root))
    page.locator("summary", has_text="Capabilities").click()
    tools = page.get_by_label("Calls the caller's tools")
    expect(tools).not_to_be_checked()
    page.locator('.react-flow__node[data-id="reply"]').click()
    page.get_by_label("Client tools").check()
    page.get_by_role("application").click(position={"x": 8, "y": 8})
    page.locator("summary", has_text="Capabilities").click()
    expect(tools).to_be_checked()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status")).to_have_text("Saved version 1.0.1")
    assert thinker.saved.content["nodes"][1]["config"]["client_tools"] is True
