"""Providers and secrets in a browser: added, tried, named by a flow, replaced, removed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from identity.models import User
from tests.browser.conftest import Visit
from tests.support.upstream import Upstream
from tests.support.upstream_answers import TEXT, completion, giving, refusing

KEY = "sk-live-51f0"


def add_provider(page: Page, base_url: str) -> None:
    page.get_by_text("Manage").click()
    page.get_by_role("link", name="Providers").click()
    page.get_by_label("Name").fill("house")
    page.get_by_label("Base URL").fill(base_url)
    page.get_by_label("API key").fill(KEY)
    page.get_by_text("Options of the server").click()
    page.get_by_label("Thinking", exact=True).select_option("pass")
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("heading", name="house", level=1)).to_be_visible()


def test_a_provider_is_added_tried_changed_and_removed(visit: Visit, root: User, upstream: Upstream) -> None:
    upstream.plays("/v1/models", giving({"data": [{"id": "odd"}, {"id": "well"}]}))
    refusal = {"error": {"message": "Unsupported parameter: 'temperature'", "param": "temperature"}}
    upstream.plays("odd", refusing(lambda sent: "temperature" in sent, refusal), giving(completion()))
    page = visit(root)
    add_provider(page, upstream.base_url)
    page.get_by_role("button", name="Test house").click()
    result = page.get_by_role("status").filter(has_text="It works.")
    expect(result).to_contain_text(TEXT)
    expect(result).to_contain_text("temperature")
    expect(page.get_by_label("Thinking", exact=True)).to_have_value("pass")
    page.get_by_label("Omit").select_option(["temperature"])
    page.get_by_role("button", name="Save provider").click()
    expect(page.get_by_label("Omit")).to_have_values(["temperature"])
    assert KEY not in page.content()
    page.get_by_role("link", name="Remove…").click()
    page.get_by_role("button", name="Remove provider").click()
    expect(page.get_by_text("No provider of your own yet.")).to_be_visible()


def test_a_secret_is_added_replaced_and_removed_by_keyboard(visit: Visit, root: User) -> None:
    page = visit(root)
    page.get_by_text("Manage").press("Enter")
    page.get_by_role("link", name="Secrets").press("Enter")
    page.get_by_label("Name").fill("crm")
    page.get_by_label("Value", exact=True).fill("a-token")
    page.get_by_label("Value", exact=True).press("Enter")
    page.get_by_role("link", name="Replace… crm").press("Enter")
    page.get_by_label("Value", exact=True).fill("another-token")
    page.get_by_label("Value", exact=True).press("Enter")
    expect(page.get_by_text("crm has the new value.")).to_be_visible()
    page.get_by_role("link", name="Remove… crm").press("Enter")
    page.get_by_role("button", name="Remove secret").press("Enter")
    expect(page.get_by_text("No secret yet.")).to_be_visible()
    assert "a-token" not in page.content()
