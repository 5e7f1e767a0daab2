"""The playground: a real call, streamed, with what came back set as text and never as anything that acts."""

from __future__ import annotations

import json

from django.utils import timezone
from playwright.sync_api import Page, expect

from identity.actors import actor_of
from identity.models import ApiKey, User
from publishing import actions
from publishing.models import Core, Entity, Flow
from scaicore import with_properties
from tests.browser.conftest import Visit
from tests.conftest import echo_document

HOSTILE = """# Heading

**bold** and `code`, [a link](https://example.test/a), [not one](javascript:alert(1))

<img src=x onerror="alert(1)"> ![picture](https://evil.test/x.png)

- one
- two

```js
const a = "<b>";
```

| a | b |
|---|---|
| 1 | 2 |
"""


def said(page: Page, words: str) -> Page:
    answered = page.locator(".figures", has_text="Answered in")
    before = answered.count()
    page.get_by_label("Message", exact=True).fill(words)
    page.get_by_role("button", name="Send").click()
    expect(answered).to_have_count(before + 1)
    return page


def opened(page: Page) -> Page:
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Playground").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("scaicore/acme/echo-agent")
    return page


def test_an_answer_is_streamed_with_its_figures(visit: Visit, ann: User, echo: Core) -> None:
    page = said(opened(visit(ann)), "hello there")
    expect(page.locator(".written")).to_have_text("hello there")
    expect(page.locator(".figures")).to_contain_text("first token after")
    expect(page.locator(".figures")).to_contain_text("tokens")
    assert ApiKey.objects.get().name == "Playground"


def test_markdown_is_set_and_nothing_in_it_acts(visit: Visit, ann: User, echo: Core) -> None:
    page = said(opened(visit(ann)), HOSTILE)
    written = page.locator(".written")
    expect(written.locator("h2")).to_have_text("Heading")
    expect(written.locator("strong")).to_have_text("bold")
    expect(written.locator("li")).to_have_text(["one", "two"])
    expect(written.locator("pre")).to_have_text('const a = "<b>";')
    expect(written.locator("td")).to_have_text(["1", "2"])
    expect(written.locator("a")).to_have_attribute("href", "https://example.test/a")
    assert written.locator("img, b, script, iframe").count() == 0
    expect(written).to_contain_text('<img src=x onerror="alert(1)">')


def test_the_request_is_shown_as_it_will_be_sent(visit: Visit, ann: User, echo: Core) -> None:
    page = opened(visit(ann))
    page.get_by_label("Message", exact=True).fill('it\'s "so"')
    page.get_by_text("Parameters").click()
    page.get_by_label("Temperature").fill("0.5")
    page.get_by_label("Stop sequences").fill("END\nFIN")
    expect(page.get_by_label("Request in curl")).to_contain_text("""it'\\''s \\"so\\\"""")
    expect(page.get_by_label("Request in Python")).to_contain_text("temperature=0.5")
    expect(page.get_by_label("Request in Python")).to_contain_text('stop=["END", "FIN"]')


def test_stop_ends_the_call_and_gives_back_what_was_typed(visit: Visit, ann: User, echo: Core) -> None:
    page = opened(visit(ann))
    page.route("**/v1/chat/completions", lambda route: None)  # an answer that never comes
    page.get_by_label("Message", exact=True).fill("hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".figures")).to_contain_text("Stopped in")
    expect(page.get_by_label("Message", exact=True)).to_have_value("hello")
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_a_model_with_memory_is_given_an_entity_id_that_can_be_changed(
    visit: Visit, ann: User, root: User, echo: Core
) -> None:
    _deploy(root, instance_mode="entity")
    page = opened(visit(ann))
    entity = page.get_by_label("Entity id")
    expect(entity).to_have_value("playground")
    said(page, "hello")
    entity.fill("")
    expect(entity).to_have_value("")
    entity.press_sequentially("other")
    expect(page.get_by_label("Request in curl")).to_contain_text('"entity_id": "other"')
    said(page, "hello again")
    assert set(Entity.objects.values_list("entity_id", flat=True)) == {"playground", "other"}


def test_a_traced_run_is_drawn_node_by_node(visit: Visit, ann: User, root: User, echo: Core) -> None:
    _deploy(root, tracing=True)
    page = said(opened(visit(ann)), "hello")
    summary = page.locator("summary", has_text="Run trace")
    expect(summary).to_contain_text("2 nodes in")
    summary.press("Enter")
    nodes = page.get_by_role("list", name="What each node did").get_by_role("listitem")
    expect(nodes).to_have_count(2)
    expect(nodes.nth(1)).to_contain_text("reply llm_rigid")
    expect(nodes.nth(1).locator(".times")).to_contain_text(" ms, from ")
    expect(nodes.nth(1).locator(".said-of")).to_have_text("Result: hello")
    assert page.locator("[style]").count() == 0
    said(page, "x" * 200)
    folded = page.locator(".trace").last.locator("li").nth(1).locator(".said-of")
    expect(folded.locator("summary")).to_have_text("Result: " + "x" * 140 + "…")
    folded.locator("summary").press("Enter")
    expect(folded.locator("pre")).to_have_text("x" * 200)


def test_where_no_trace_is_kept_admins_are_told_how(visit: Visit, ann: User, root: User, echo: Core) -> None:
    page = said(opened(visit(root)), "hello")
    expect(page.locator("#untraced")).to_contain_text("It keeps no run traces.")
    assert page.locator(".trace").count() == 0
    page.get_by_role("link", name="Flow properties").click()
    expect(page.get_by_role("heading", name="Flow properties")).to_be_visible()
    expect(opened(visit(ann)).locator("#untraced")).to_be_hidden()


def test_another_model_keeps_what_is_typed_and_what_was_said(
    visit: Visit, ann: User, root: User, echo: Core, draft: Flow
) -> None:
    at, actor = timezone.now(), actor_of(root)
    other = actions.create_flow(tenant=root.tenant, name="Other", content=echo_document(), actor=actor, at=at)
    actions.deploy(other, actor=actor, at=at)
    page = said(opened(visit(ann)), "hello")
    page.get_by_label("Message", exact=True).fill("not sent yet")
    page.get_by_label("Model", exact=True).select_option("scaicore/acme/other")
    expect(page.get_by_label("Message", exact=True)).to_have_value("not sent yet")
    expect(page.locator(".written")).to_have_text("hello")
    page.reload()
    expect(page.locator(".written")).to_have_count(0)
    page.get_by_role("list").filter(has=page.get_by_role("button", name="hello", exact=True)).get_by_role(
        "button", name="hello", exact=True
    ).click()
    expect(page.locator(".written")).to_have_text("hello")
    page.get_by_role("button", name="Forget hello").click()
    expect(page.get_by_role("heading", name="Conversations")).to_be_hidden()


def test_the_options_of_a_checkpoint_are_buttons_and_its_conversation_is_found_again(
    visit: Visit, ann: User, root: User, echo: Core
) -> None:
    content = echo_document(scaiflow_meta={"instance_mode": "entity"})
    asking = {"prompt": "Send it?", "options": ["approve", "reject"]}
    content["nodes"][1] |= {"type": "checkpoint", "config": asking, "outputs": [{"id": "out", "label": "out"}]}
    content["nodes"].append({**echo_document()["nodes"][1], "id": "end", "config": {"template": "{{decision}}d"}})
    edge = {"id": "e2", "type": "sequential", "source": {"node": "reply", "port": "out"}}
    content["edges"].append({**edge, "target": {"node": "end", "port": "in"}})
    flow, at, actor = Flow.objects.get(), timezone.now(), actor_of(root)
    actions.save_flow(flow, base_version=flow.saved.version, content=content, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)
    page = said(opened(visit(ann)), "A text")
    page.get_by_role("button", name="approve").click()
    expect(page.locator(".written").last).to_have_text("approved")
    expect(page.get_by_role("button", name="approve")).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="playground", exact=True).click()
    expect(page.locator(".written")).to_have_text(["Send it?", "approved"])


def test_an_empty_answer_says_so_and_thinking_is_folded(visit: Visit, ann: User, echo: Core) -> None:
    page = opened(visit(ann))
    thought = {"choices": [{"delta": {"reasoning_content": "Hm."}, "finish_reason": None}]}
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in (thought, end)) + "data: [DONE]\n\n"
    page.route("**/v1/chat/completions", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    said(page, "hello")
    expect(page.get_by_role("alert")).to_contain_text("The answer is empty")
    expect(page.get_by_text("Hm.")).to_be_hidden()
    page.get_by_text("What it thought").click()
    expect(page.get_by_text("Hm.")).to_be_visible()


def _deploy(root: User, **properties: bool | str) -> None:
    flow = Flow.objects.get()
    content = with_properties(flow.saved.content, **properties)
    actor, at = actor_of(root), timezone.now()
    actions.save_flow(flow, base_version=flow.saved.version, content=content, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)
