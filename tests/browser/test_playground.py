"""The playground: a real call, streamed, with what came back set as text and never as anything that acts."""

from __future__ import annotations

from django.utils import timezone
from playwright.sync_api import Page, expect

from identity.actors import actor_of
from identity.models import ApiKey, User
from publishing import actions
from publishing.models import Core, Entity, Flow
from scaicore import with_properties
from tests.browser.conftest import Visit

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


def _deploy(root: User, **properties: bool | str) -> None:
    flow = Flow.objects.get()
    content = with_properties(flow.saved.content, **properties)
    actor, at = actor_of(root), timezone.now()
    actions.save_flow(flow, base_version=flow.saved.version, content=content, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)
