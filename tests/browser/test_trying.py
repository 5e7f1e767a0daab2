"""Trying a flow on its page: what is on the canvas runs, saved or not, and the page shows what its nodes do."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from identity.models import User
from publishing.models import Core, Flow
from tests.browser.conftest import Visit, open_flow
from tests.browser.test_canvas import shown


def try_out(page: Page, message: str) -> None:
    page.get_by_role("toolbar").get_by_role("button", name="Run", exact=True).click()
    page.get_by_label("Message").fill(message)
    page.locator("#panel").get_by_role("button", name="Run", exact=True).click()


def test_the_draft_on_the_canvas_runs_before_it_is_saved(visit: Visit, root: User, echo_flow: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.get_by_label("Template").fill("{{message}}!")
    page.get_by_role("button", name="Close", exact=True).click()
    try_out(page, "hello")
    answer = page.get_by_role("region", name="Answer of the run")
    expect(answer).to_contain_text("hello!")
    expect(answer.get_by_role("status")).to_contain_text("Done.")
    expect(shown(page, "reply").locator(".is-done")).to_be_visible()
    assert echo_flow.versions.count() == 1
    assert not Core.objects.exists()


def test_the_panel_of_a_node_shows_its_last_run_and_runs_it_alone(visit: Visit, root: User, echo_flow: Flow) -> None:
    page = open_flow(visit(root))
    try_out(page, "hello")
    expect(page.get_by_role("region", name="Answer of the run")).to_contain_text("hello")
    shown(page, "reply").click()
    last = page.locator("#panel details", has_text="Last run")
    expect(last).to_contain_text("hello")
    expect(last).to_contain_text("Took")
    page.get_by_label("Template").fill("{{message}} alone")
    page.get_by_role("button", name="Run this node alone").click()
    expect(last).to_contain_text("hello alone")
    expect(last).to_contain_text('"message": "hello"')


def test_a_draft_with_errors_is_not_sent(visit: Visit, root: User, echo_flow: Flow) -> None:
    page = open_flow(visit(root))
    shown(page, "reply").click()
    page.get_by_label("Template").fill("{{")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_text("1 error")).to_be_visible()
    try_out(page, "hello")
    expect(page.get_by_role("alert")).to_contain_text("Nothing ran")


def test_it_is_run_by_keys_alone(visit: Visit, root: User, echo_flow: Flow) -> None:
    page = open_flow(visit(root))
    page.get_by_role("toolbar").get_by_role("button", name="Run", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Run", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Answer of the run")).to_contain_text("hello")
