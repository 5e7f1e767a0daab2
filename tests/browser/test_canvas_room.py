"""The room for the canvas: what stands beside it is put away or resized, and no flow is drawn too small to read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from identity.actors import actor_of
from identity.models import Tenant, User
from publishing import actions
from publishing.models import Flow
from tests.browser.conftest import Visit, open_flow

FLOWS = Path(__file__).resolve().parent.parent.parent / "flows"
LEGIBLE = 0.75


def scale(page: Page) -> float:
    """How large the canvas draws what is 1 px high in the flow."""
    return float(page.locator(".react-flow__viewport").evaluate("each => new DOMMatrix(each.style.transform).a"))


def width(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box
    return box["width"]


@pytest.fixture
def researcher(acme: Tenant, root: User) -> Flow:
    """A demo flow of five nodes."""
    content = json.loads((FLOWS / "researcher.json").read_text())
    at, actor = timezone.now(), actor_of(root)
    return actions.create_flow(tenant=acme, name="Researcher", content=content, owner=root, actor=actor, at=at)


def test_five_nodes_can_be_read_at_1280_px(visit: Visit, root: User, researcher: Flow) -> None:
    page = visit(root)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"/flows/{researcher.pk}/")
    expect(page.locator(".react-flow__node")).to_have_count(5)
    expect(page.locator(".react-flow__viewport")).not_to_have_attribute("style", re.compile(r"scale\(1\)"))
    assert scale(page) >= LEGIBLE
    frame = page.locator(".canvas-frame").bounding_box()
    assert frame
    for node in page.locator(".react-flow__node").all():
        box = node.bounding_box()
        assert box
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    expect(page.get_by_label("Overview")).to_have_count(0)


def test_what_stands_beside_the_canvas_is_put_away_and_stays_so(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    before = width(page, ".canvas-frame")
    page.get_by_role("button", name="Nodes", exact=True).click()
    page.get_by_role("button", name="Panel", exact=True).click()
    expect(page.get_by_role("heading", name="Flow properties")).to_be_hidden()
    assert width(page, ".canvas-frame") > before + 400
    page.reload()
    expect(page.get_by_role("button", name="Panel", exact=True)).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("searchbox", name="Search node kinds")).to_have_count(0)
    page.locator('.react-flow__node[data-id="reply"]').click()
    expect(page.get_by_role("heading", name="Reply")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reply")).to_be_focused()


def test_the_panel_is_resized_by_the_pointer_and_by_keys(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    line = page.get_by_role("separator", name="Width of the panel")
    before = width(page, "#panel")
    line.focus()
    page.keyboard.press("ArrowLeft")
    assert width(page, "#panel") == before + 16
    box = line.bounding_box()
    assert box
    page.mouse.move(box["x"] + 4, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] - 96, box["y"] + 100, steps=3)
    page.mouse.up()
    wide = width(page, "#panel")
    assert before + 80 < wide < before + 150
    page.reload()
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()
    assert width(page, "#panel") == wide


def test_the_editor_takes_the_whole_screen_and_gives_it_back(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.set_viewport_size({"width": 2560, "height": 1200})
    assert width(page, ".editor .bench") > 2450
    page.get_by_role("button", name="Full screen").click()
    expect(page.locator(".editor.is-full")).to_have_count(1)
    assert page.locator(".editor").bounding_box() == {"x": 0, "y": 0, "width": 2560, "height": 1200}
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    page.get_by_role("button", name="Full screen").click()
    expect(page.locator(".editor.is-full")).to_have_count(0)
