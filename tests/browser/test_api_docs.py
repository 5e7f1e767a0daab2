"""The Swagger page under the strict policy; the fixture fails on every violation of it."""

from __future__ import annotations

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from identity.models import User
from publishing.models import Core
from tests.browser.conftest import Visit


def test_every_word_of_it_can_be_read_in_the_frame_of_the_site(visit: Visit, root: User) -> None:
    page = visit(root)
    page.goto("/api/docs/")
    expect(page.get_by_role("navigation", name="Site").locator("[aria-current]")).to_have_text("API docs")
    page.locator("#operations-keys-mint_key .opblock-summary-control").click()
    found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    assert [node["html"] for rule in found for node in rule["nodes"]] == []


def test_the_page_lists_the_endpoints(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/api/docs/")
    expect(page.get_by_role("heading", name="ScaiGrid Publish")).to_be_visible()
    expect(page.get_by_role("link", name="sign in")).to_have_attribute("href", "/login/?next=/api/docs/")
    for operation in ("chat-create_chat_completion", "modules-publish_core", "flows-deploy_flow", "keys-mint_key"):
        expect(page.locator(f"#operations-{operation}")).to_be_visible()


def test_an_endpoint_is_tried_with_a_key(
    open_page: Callable[..., Page], echo: Core, root: User, key_of: Callable[[User], str]
) -> None:
    page = open_page()
    page.goto("/api/docs/")
    page.get_by_role("button", name="Authorize").click()
    form = page.locator(".auth-container").filter(has_text="Bearer")
    form.get_by_role("textbox").fill(key_of(root))
    form.locator("button.authorize").click()
    form.locator("button.btn-done").click()
    page.locator("#operations-modules-list_cores .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("scaicore/acme/echo-agent")


def test_an_endpoint_is_tried_by_whoever_is_signed_in(visit: Visit, echo: Core, root: User) -> None:
    page = visit(root)
    page.goto("/api/docs/")
    page.locator("#operations-keys-mint_key .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator(".body-param__text").fill('{"name": "from the page"}')
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("sgk_")
    assert root.api_keys.get().name == "from the page"
