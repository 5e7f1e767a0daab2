"""The canvas: drawn, edited by pointer and by keys, checked while one works, saved, deployed, called."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from openai import OpenAI
from playwright.sync_api import Locator, Page, expect

import scaicore
from identity.actors import actor_of
from identity.models import Group, Tenant, User
from publishing import actions
from publishing.models import Core, Entity, Flow
from tests.browser.conftest import Visit, open_flow
from tests.conftest import echo_document
from tests.support.serving import Server

STRANGE = {
    "nodes": [
        {"id": "entry", "type": "entry_api", "config": {}, "x-owner": "ops"},
        {"id": "oracle", "type": "quantum_oracle", "label": "Oracle", "config": {"depth": [1, {"a": None}]}, "z": 9},
        "not a node",
        {"type": "nameless", "position": "nowhere"},
    ],
    "edges": [
        {"id": "e1", "source": {"node": "entry"}, "target": {"node": "oracle"}, "x-weight": 12345678901234567890},
        {"source": {"node": "entry"}, "target": {"node": "gone"}},
    ],
    "config": {"vendor": {"on": True}, "scaiflow_meta": {"colour": "blue"}},
    "metadata": {"author": "a vendor", "x-more": [1.5, "two"]},
    "x-top": {"deep": {"deeper": []}},
}


def shown(page: Page, key: str) -> Locator:
    return page.locator(f'.react-flow__node[data-id="{key}"]')


def edge(page: Page, key: str) -> Locator:
    return page.locator(f'.react-flow__edge[data-id="{key}"]')


def opened(page: Page, flow: Flow) -> Page:
    page.goto(f"/flows/{flow.pk}/")
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()
    return page


def saved_content(flow: Flow) -> dict[str, Any]:
    flow.refresh_from_db()
    return dict(flow.saved.content)


def save(page: Page, version: str) -> None:
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status")).to_have_text(f"Saved version {version}")


@pytest.fixture
def strange(acme: Tenant, root: User) -> Flow:
    """A flow from elsewhere, full of what this system does not know."""
    return actions.create_flow(
        tenant=acme, name="Echo Agent", content=STRANGE, owner=root, actor=actor_of(root), at=timezone.now()
    )


def test_a_click_on_a_node_shows_it_and_one_beside_it_the_flow(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()
    expect(page.get_by_label("Template")).to_have_value("{{message}}")
    expect(page.get_by_role("heading", name="Flow properties")).to_be_hidden()
    page.get_by_role("application").click(position={"x": 8, "y": 8})
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()


def test_looking_at_a_node_keeps_what_was_typed(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Name", exact=True).fill("Renamed")
    shown(page, "reply").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Renamed")).to_be_visible()


def test_the_address_of_a_node_opens_it(visit: Visit, root: User, draft: Flow) -> None:
    page = visit(root)
    page.goto(f"/flows/{draft.pk}/?node=reply")
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()


def add(page: Page, label: str, kind: str) -> None:
    """A node by the keyboard: its button in the palette."""
    page.get_by_role("button", name=f"Add {label} {kind}").press("Enter")
    expect(page.get_by_role("heading", name=label)).to_be_focused()


def connect(page: Page, source: str, target: str) -> None:
    """An edge by the keyboard: the source's panel."""
    shown(page, source).focus()
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="Connect to…").fill(target)
    page.keyboard.press("Enter")


def test_a_flow_made_only_in_the_editor_answers_through_the_openai_sdk(
    visit: Visit,
    root: User,
    ann: User,
    draft: Flow,
    engineering: Group,
    lean_server: Server,
    key_of: Callable[[User], str],
) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Publish as chat model").check()
    page.get_by_label("Visibility group IDs (comma-separated)").fill("group_acme_eng")
    shown(page, "reply").focus()
    page.keyboard.press("Delete")
    expect(shown(page, "reply")).to_have_count(0)
    add(page, "Decision", "logic_decision")
    add(page, "Fixed reply", "llm_rigid")
    page.get_by_label("Template").fill("Your refund is on its way.")
    page.get_by_label("Result binding").fill("response")
    add(page, "Fixed reply", "llm_rigid")
    page.get_by_label("Template").fill("You said {{message}}")
    page.get_by_label("Result binding").fill("response")
    connect(page, "entry", "decision_2")
    connect(page, "decision_2", "rigid")
    page.get_by_role("textbox", name="Condition").fill('message.contains("refund")')
    connect(page, "decision_2", "rigid_2")
    page.get_by_label("Otherwise (else)").check()
    expect(page.get_by_text("No errors")).to_be_visible()
    save(page, "1.0.1")
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("status")).to_contain_text("published as scaicore/acme/echo-agent")
    client = OpenAI(base_url=lean_server.v1, api_key=key_of(ann))

    def say(text: str) -> str | None:
        model = Core.objects.get().model_name
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}])
        return answer.choices[0].message.content

    assert say("I want a refund") == "Your refund is on its way."
    assert say("hello") == "You said hello"


def test_what_the_editor_does_not_know_survives_a_save(visit: Visit, root: User, strange: Flow) -> None:
    page = opened(visit(root), strange)
    before = saved_content(strange)
    page.get_by_label("Publish as chat model").check()
    save(page, "1.0.1")
    after = saved_content(strange)
    assert after.pop("id") == strange.pk
    assert after["config"].pop("publish_as_model") is True
    assert after["metadata"].pop("description") == ""
    for owned in ("name", "version"):
        del after[owned]
    assert json.dumps(after, sort_keys=True) == json.dumps(before, sort_keys=True)


def test_a_node_of_an_unknown_kind_is_drawn_and_edited_as_json(visit: Visit, root: User, strange: Flow) -> None:
    page = opened(visit(root), strange)
    shown(page, "oracle").click()
    expect(page.get_by_text("This kind is not part of the language")).to_be_visible()
    page.get_by_label("Configuration", exact=True).fill('{"depth": 2')
    expect(page.get_by_text("This is not JSON yet")).to_be_visible()
    page.get_by_label("Configuration", exact=True).fill('{"depth": 2}')
    save(page, "1.0.1")
    assert saved_content(strange)["nodes"][1] == {**STRANGE["nodes"][1], "config": {"depth": 2}}  # type: ignore[dict-item]


def test_edits_are_undone_and_done_again(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").focus()
    page.keyboard.press("Delete")
    expect(edge(page, "e1")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(edge(page, "e1")).to_have_count(1)
    expect(page.get_by_text("Unsaved changes")).to_be_hidden()
    page.keyboard.press("Control+y")
    expect(shown(page, "reply")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(shown(page, "reply")).to_have_count(1)


def test_nodes_are_moved_by_the_arrow_keys_and_by_dragging(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    box = shown(page, "entry").bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60, steps=4)
    page.mouse.up()
    save(page, "1.0.1")
    entry, reply = (node["position"] for node in saved_content(draft)["nodes"])
    assert reply["y"] > 0
    assert entry["y"] > 0


def test_an_edge_is_drawn_from_port_to_port(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    add(page, "Fixed reply", "llm_rigid")
    page.get_by_role("button", name="Tidy").click()
    page.wait_for_timeout(300)
    shown(page, "reply").locator(".react-flow__handle.source").drag_to(
        shown(page, "rigid").locator(".react-flow__handle.target")
    )
    expect(edge(page, "reply-rigid")).to_have_count(1)
    expect(page.get_by_role("heading", name="Edge")).to_be_visible()


def test_a_tool_is_linked_to_the_model_that_calls_it(visit: Visit, root: User, acme: Tenant) -> None:
    content = echo_document()
    content["nodes"][1] |= {
        "type": "llm_flexible",
        "config": {"tools": [{"name": "find", "description": "Finds.", "node": "fetch"}]},
    }
    content["nodes"].append({"id": "fetch", "type": "tool_http", "config": {"url": "https://example.com/"}})
    at, actor = timezone.now(), actor_of(root)
    flow = actions.create_flow(tenant=acme, name="Agent", content=content, owner=root, actor=actor, at=at)
    page = opened(visit(root), flow)
    link = page.locator(".react-flow__edge.tool")
    expect(link).to_have_count(1)
    expect(link).to_contain_text("find")
    link.locator(".react-flow__edge-interaction").click(force=True)
    expect(page.locator(".react-flow__edge.selected")).to_have_count(0)


def test_copies_get_names_of_their_own(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "entry").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(shown(page, "entry_2")).to_have_count(1)
    expect(edge(page, "entry_2-reply_2")).to_have_count(1)


def test_a_new_id_is_taken_when_its_field_is_left_and_followed_by_edges(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.get_by_label("Id", exact=True).fill("entry")
    expect(page.get_by_text("Another node is called entry.")).to_be_visible()
    page.get_by_label("Id", exact=True).fill("answer")
    page.keyboard.press("Tab")
    expect(shown(page, "answer")).to_have_count(1)
    assert page.evaluate("document.activeElement !== document.body")
    save(page, "1.0.1")
    assert saved_content(draft)["edges"][0]["target"]["node"] == "answer"


def test_findings_are_painted_on_the_node_while_one_types(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.get_by_label("Template").fill("{{message")
    expect(shown(page, "reply").locator(".has-error")).to_be_visible()
    expect(page.get_by_label("Template")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("application").click(position={"x": 8, "y": 8})
    page.get_by_role("button", name="Show node Reply").click()
    expect(page.get_by_role("heading", name="Reply")).to_be_focused()
    page.get_by_label("Template").fill("{{message}}")
    expect(shown(page, "reply").locator(".has-error")).to_have_count(0)


def test_a_condition_that_cannot_be_read_is_painted_on_its_edge(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    edge(page, "e1").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Kind of edge").select_option("conditional")
    page.get_by_role("textbox", name="Condition").fill("message ==")
    expect(page.locator(".react-flow__edge.has-error")).to_have_count(1)
    page.get_by_role("textbox", name="Condition").fill('message == "hi"')
    expect(page.locator(".react-flow__edge.has-error")).to_have_count(0)


def test_deploying_what_does_not_compile_says_so_and_changes_nothing(visit: Visit, root: User, strange: Flow) -> None:
    page = opened(visit(root), strange)
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was deployed.")
    assert not Core.objects.exists()


def test_a_stale_save_merges_what_does_not_conflict(visit: Visit, root: User, second: User, draft: Flow) -> None:
    mine, theirs = open_flow(visit(root)), open_flow(visit(second))
    shown(theirs, "reply").click()
    theirs.get_by_label("Template").fill("Theirs")
    save(theirs, "1.0.1")
    shown(mine, "entry").click()
    mine.get_by_label("Label", exact=True).fill("My entry")
    mine.keyboard.press("Control+s")
    expect(mine.get_by_role("alert")).to_contain_text("second@acme.test saved version 1.0.1")
    mine.get_by_role("button", name="Keep mine, over version 1.0.1").click()
    expect(mine.get_by_role("status")).to_have_text("Saved version 1.0.2")
    entry, reply = saved_content(draft)["nodes"]
    assert (entry["label"], reply["config"]["template"]) == ("My entry", "Theirs")


def test_theirs_is_loaded_and_mine_stays_as_a_draft(visit: Visit, root: User, second: User, draft: Flow) -> None:
    mine, theirs = open_flow(visit(root)), open_flow(visit(second))
    theirs.get_by_label("Description").fill("Theirs")
    save_button = theirs.get_by_role("button", name="Save")
    save_button.click()
    expect(theirs.get_by_role("status")).to_have_text("Saved")
    mine.get_by_label("Description").fill("Mine")
    mine.get_by_role("button", name="Save").click()
    mine.get_by_role("link", name="Load theirs, drop mine").click()
    expect(mine.get_by_label("Description")).to_have_value("Theirs")
    mine.get_by_role("button", name="Restore the draft").click()
    expect(mine.get_by_label("Description")).to_have_value("Mine")


def test_a_draft_is_offered_when_the_page_is_opened_again(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Description").fill("Half a sentence")
    page.wait_for_timeout(600)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.get_by_role("button", name="Restore the draft").click()
    expect(page.get_by_label("Description")).to_have_value("Half a sentence")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()


def test_a_browser_that_keeps_nothing_says_so(visit: Visit, root: User, draft: Flow) -> None:
    page = visit(root)
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };")
    opened(page, draft).get_by_label("Description").fill("Half a sentence")
    expect(page.get_by_text("This browser keeps no drafts")).to_be_visible()


def test_an_earlier_version_is_compared_and_restored(visit: Visit, root: User, draft: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.get_by_label("Template").fill("Changed")
    save(page, "1.0.1")
    page.get_by_role("button", name="Versions").click()
    page.get_by_role("button", name="What changed in 1.0.1").click()
    expect(page.get_by_text("template: “{{message}}” → “Changed”")).to_be_visible()
    page.get_by_role("button", name="Restore this version 1.0.0").click()
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    save(page, "1.0.2")
    assert saved_content(draft)["nodes"][1]["config"]["template"] == "{{message}}"


def test_versions_have_names_and_any_two_are_compared(visit: Visit, root: User, draft: Flow) -> None:
    for text in ("one", "two"):
        content = echo_document(publish_as_model=False)
        content["nodes"][1]["config"]["template"] = text
        save_as(root, draft, content)
    page = open_flow(visit(root))
    page.get_by_role("button", name="Versions").click()
    page.get_by_role("button", name="Name it of 1.0.0").click()
    page.get_by_label("Version name").fill("The first")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("strong", has_text="1.0.0 · The first")).to_be_visible()
    page.get_by_label("Compare 1.0.2 with").select_option("1.0.0 · The first")
    expect(page.get_by_label("From 1.0.0 to 1.0.2")).to_contain_text("“{{message}}” → “two”")


def save_as(user: User, flow: Flow, content: dict[str, Any]) -> None:
    base = flow.saved.version
    actions.save_flow(flow, base_version=base, content=content, actor=actor_of(user), at=timezone.now())


def test_the_live_version_is_rolled_back(visit: Visit, root: User, echo: Core) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.get_by_label("Template").fill("Changed")
    save(page, "1.0.1")
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("status")).to_contain_text("Deployed")
    page.get_by_role("button", name="Versions").click()
    page.get_by_role("button", name="Roll back to this 1.0.0").click()
    question = page.get_by_role("dialog", name="Before this goes live")
    expect(question).to_contain_text("Core version 1, from flow version 1.0.0 becomes live.")
    question.get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("status")).to_contain_text("Rolled back to Core version 1")
    expect(page.get_by_text("Live version is behind the saved one")).to_be_visible()
    echo.refresh_from_db()
    assert echo.live is not None
    assert echo.live.number == 1


def test_a_roll_back_that_leaves_memory_unread_asks_first(visit: Visit, root: User, echo: Core) -> None:
    assert echo.flow is not None
    at, actor = timezone.now(), actor_of(root)
    content = echo_document(scaiflow_meta={"instance_mode": "entity"})
    content["variables"] = [{"name": "count", "type": "number"}]
    actions.save_flow(echo.flow, base_version="1.0.0", content=content, actor=actor, at=at)
    actions.deploy(echo.flow, actor=actor, at=at)
    stamps = {"created_at": at, "updated_at": at}
    Entity.objects.create(
        core=echo, partition="entity", owner="u", entity_id="c", turns_committed=1, state={"count": 1}, **stamps
    )
    page = open_flow(visit(root))
    page.get_by_role("button", name="Versions").click()
    page.get_by_role("button", name="Roll back to this 1.0.0").click()
    question = page.get_by_role("dialog", name="Before this goes live")
    expect(question).to_contain_text("The live version keeps 1 memory that the other would not read whole")
    question.get_by_role("button", name="Leave things as they are").click()
    echo.refresh_from_db()
    assert echo.live is not None
    assert echo.live.number == 2
    page.get_by_role("button", name="Roll back to this 1.0.0").click()
    question.get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("status")).to_contain_text("Rolled back to Core version 1")


def test_a_deploy_that_opens_access_asks_first(visit: Visit, root: User, narrow_echo: Core, bo: User) -> None:
    page = open_flow(visit(root))
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("dialog")).to_contain_text("Access widens")
    page.get_by_role("button", name="Leave things as they are").click()
    assert narrow_echo.publication.visibility == "groups"
    page.get_by_role("button", name="Deploy").click()
    page.get_by_role("button", name="Make it live all the same").click()
    expect(page.get_by_role("status")).to_contain_text("published as")
    narrow_echo.publication.refresh_from_db()
    assert narrow_echo.publication.visibility == "tenant"


def test_groups_are_picked_from_a_list(visit: Visit, root: User, draft: Flow, engineering: Group) -> None:
    page = open_flow(visit(root))
    page.get_by_label("Publish as chat model").check()
    field = page.get_by_label("Visibility group IDs (comma-separated)")
    field.press_sequentially("engi")
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("group_acme_eng, ")
    expect(page.get_by_role("button", name="Take Engineering off the list")).to_be_visible()
    save(page, "1.0.1")
    assert saved_content(draft)["config"]["model_visibility_group_ids"] == ["group_acme_eng"]


def test_whoever_is_no_admin_looks_and_changes_nothing(visit: Visit, root: User, ann: User, draft: Flow) -> None:
    content = scaicore.with_properties(draft.saved.content, readers="tenant")
    actions.save_flow(draft, base_version="1.0.0", content=content, actor=actor_of(root), at=timezone.now())
    page = open_flow(visit(ann))
    expect(page.get_by_text("Only tenant admins of Acme may change")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.get_by_label("Name", exact=True)).to_be_disabled()
    shown(page, "reply").click()
    page.keyboard.press("Delete")
    expect(shown(page, "reply")).to_have_count(1)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus bears `name`."""
    for _ in range(80):
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
    expect(page.get_by_role("application")).to_be_visible()
    tab_to(page, "Reply, llm_rigid node")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reply")).to_be_focused()
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


def test_a_large_flow_opens(visit: Visit, root: User, acme: Tenant) -> None:
    document = echo_document()
    document["nodes"] += [{"id": f"n{i}", "type": "llm_rigid", "config": {"template": "x"}} for i in range(400)]
    flow = actions.create_flow(
        tenant=acme, name="Large", content=document, owner=root, actor=actor_of(root), at=timezone.now()
    )
    page = opened(visit(root), flow)
    expect(page.locator(".react-flow__node").first).to_be_visible()
