"""Edges drawn with the pointer, and nodes found by a part of their name."""

from __future__ import annotations

from itertools import pairwise

from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from identity.actors import actor_of
from identity.models import Tenant, User
from publishing import actions
from publishing.models import Flow
from tests.browser.conftest import Visit, open_flow
from tests.browser.test_canvas import add, edge, opened, saved_content, shown


def drag_edge(page: Page, source: Locator, x: float, y: float) -> None:
    """From a port to a point of the window."""
    box = source.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(x - 5, y - 5, steps=4)
    page.mouse.move(x, y)
    page.mouse.up()


def middle(node: Locator) -> tuple[float, float]:
    """The point of the window where the node's middle is."""
    box = node.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def port(page: Page, key: str) -> Locator:
    """The port that leads out of a node."""
    return shown(page, key).locator(".react-flow__handle.source")


def test_an_edge_is_dropped_on_the_body_of_a_node(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    add(page, "Fixed reply", "llm_rigid")
    page.get_by_role("button", name="Tidy").click()
    drag_edge(page, port(page, "reply"), *middle(shown(page, "rigid")))
    expect(edge(page, "reply-rigid")).to_have_count(1)


def test_a_drop_that_is_refused_says_why(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    said = page.get_by_role("status")
    drag_edge(page, port(page, "reply"), *middle(shown(page, "entry")))
    expect(said).to_have_text("API has no input: nothing leads to it.")
    drag_edge(page, port(page, "entry"), *middle(shown(page, "reply")))
    expect(said).to_have_text("API leads to Reply already.")
    drag_edge(page, port(page, "reply"), *middle(shown(page, "reply")))
    expect(said).to_have_text("A node cannot lead to itself: repeat it with a loop node.")
    expect(page.locator(".react-flow__edge")).to_have_count(1)


def test_a_drop_on_empty_canvas_opens_the_palette_there(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    x, y = middle(shown(page, "reply"))
    drag_edge(page, port(page, "reply"), x, y + 150)
    palette = page.get_by_role("dialog", name="Add a node here")
    expect(palette.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("decision")
    palette.get_by_role("button", name="Add Decision logic_decision").click()
    expect(edge(page, "reply-decision_2")).to_have_count(1)
    expect(page.get_by_role("heading", name="Decision")).to_be_focused()
    expect(palette).to_have_count(0)


def test_an_edge_is_chosen_on_enter_and_not_by_the_arrow_keys(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    add(page, "Fixed reply", "llm_rigid")
    page.get_by_role("combobox", name="Connect to…").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".react-flow__edge")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(edge(page, "rigid-reply")).to_have_count(1)


def test_a_node_among_sixty_is_found(visit: Visit, root: User, acme: Tenant) -> None:
    nodes = [{"id": "entry", "type": "entry_api", "position": {"x": 0, "y": 0}}] + [
        {"id": f"step_{number}", "type": "llm_rigid", "config": {"template": f"This is {number}."}}
        | {"position": {"x": 0, "y": 0}}
        for number in range(60)
    ]
    edges = [
        {"id": f"e{at}", "source": {"node": one["id"]}, "target": {"node": other["id"]}}
        for at, (one, other) in enumerate(pairwise(nodes))
    ]
    content = {"nodes": nodes, "edges": edges, "config": {}}
    at, actor = timezone.now(), actor_of(root)
    flow = actions.create_flow(tenant=acme, name="Echo Agent", content=content, owner=root, actor=actor, at=at)
    page = opened(visit(root), flow)
    expect(shown(page, "entry")).to_be_in_viewport()
    expect(shown(page, "step_55")).not_to_be_in_viewport()
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Find a node")
    expect(field).to_be_focused()
    field.fill("This is 55")
    expect(page.get_by_role("search").get_by_role("option")).to_have_count(1)
    expect(shown(page, "step_55")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="step_55")).to_be_visible()
    expect(shown(page, "step_55")).to_be_focused()
    page.keyboard.press("Control+f")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    assert saved_content(flow)["nodes"][1]["position"] == {"x": 0, "y": 0}
