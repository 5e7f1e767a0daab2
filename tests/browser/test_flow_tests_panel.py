"""The tests of a flow on its page: made from a run, run there, and standing before a deploy."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from identity.models import User
from publishing.models import Core, Flow
from tests.browser.conftest import Visit, open_flow
from tests.browser.test_canvas import shown
from tests.browser.test_trying import try_out
from tests.webui.test_run_pages import ran, traced


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_run_becomes_a_test_that_blocks_the_deploy_of_another_answer(
    visit: Visit, root: User, echo: Core, echo_flow: Flow
) -> None:
    page = open_flow(visit(root))
    try_out(page, "hello")
    press(page, "Make a test from this run")
    press(page, "Run all tests")
    expect(page.get_by_text("1 of 1 passed.")).to_be_visible()
    page.get_by_label("Deploy only when all tests pass").check()
    shown(page, "reply").click()
    page.get_by_label("Template").fill("{{message}}!")
    press(page, "Save")
    expect(page.get_by_text("Unsaved changes")).to_be_hidden()
    press(page, "Deploy")
    refused = page.get_by_role("alert").filter(has_text="Nothing was deployed.")
    for said in ("1 of 1 tests failed", "hello!", '"equals": "hello"', "The live version answers"):
        expect(refused).to_contain_text(said)
    assert echo.versions.count() == 1


def test_a_run_is_tried_again_with_what_it_was_asked(visit: Visit, root: User, echo: Core, echo_flow: Flow) -> None:
    run = ran(echo, root.pk, "req_1")
    said = [{"role": role, "content": text} for role, text in (("assistant", "Yes?"), ("user", "again, please"))]
    traced(run, [], input={"message": "again, please", "messages": said, "params": {}})
    page = visit(root)
    page.goto("/runs/req_1/")
    page.get_by_role("link", name="Run again with the same input").click()
    expect(page.get_by_label("Message")).to_have_value("again, please")
    page.get_by_text("More to send").click()
    expect(page.get_by_label("History")).to_have_value(
        '[\n  {\n    "role": "assistant",\n    "content": "Yes?"\n  }\n]'
    )
    page.locator("#panel").get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("region", name="Answer of the run")).to_contain_text("again, please")
