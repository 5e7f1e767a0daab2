"""The way of somebody who sees this for the first time, with no document open: at most twelve clicks besides typing."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from identity.models import User
from publishing.models import Publication
from tests.browser.conftest import Visit
from tests.browser.test_canvas import shown

MOST_CLICKS = 12


class Newcomer:
    """Clicks, and counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))


def test_from_a_starter_to_the_curl_line_in_a_dozen_clicks(visit: Visit, root: User) -> None:
    page = visit(root)
    they = Newcomer(page)
    they.click(page.get_by_role("link", name="New flow").first)
    page.get_by_label("Name", exact=True).fill("Greeter")
    they.press("Create flow")
    they.click(shown(page, "reply"))
    page.get_by_label("Template").fill("Welcome! You said: {{message}}")
    they.click(page.get_by_role("toolbar").get_by_role("button", name="Run", exact=True))
    page.get_by_label("Message").fill("hello")
    they.click(page.locator("#panel").get_by_role("button", name="Run", exact=True))
    expect(page.get_by_role("region", name="Answer of the run")).to_contain_text("Welcome! You said: hello")
    they.press("Make a test from this run")
    they.press("Properties")
    they.click(page.get_by_label("Publish as chat model"))
    they.press("Save")
    expect(page.get_by_text("Unsaved changes")).to_be_hidden()
    they.press("Deploy")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    they.click(page.get_by_role("link", name="Call the live model"))
    they.click(page.get_by_role("button", name="Copy the curl request"))
    expect(page.get_by_role("main")).to_contain_text("scaicore/acme/greeter")
    assert Publication.objects.get().name == "scaicore/acme/greeter"
    assert they.clicks <= MOST_CLICKS
