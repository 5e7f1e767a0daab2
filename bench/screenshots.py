"""`make images`: every page, light and dark, from a server with the demo and a little traffic, into docs/images/."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import requests
from django.utils import timezone
from playwright.sync_api import Browser, Page, sync_playwright

from bench import servers

IMAGES = servers.ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZE = {"width": 1280, "height": 860}
CALLS = 24


def main() -> None:
    """Make all images anew."""
    servers.install()
    key = _demo()
    IMAGES.mkdir(exist_ok=True)
    with servers.running(servers.start_site()) as url, sync_playwright() as driver:
        _call(url, key)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            for name, page in _pages(browser, url, scheme):
                page.wait_for_timeout(700)
                page.screenshot(path=IMAGES / f"{name}-{scheme}.png")
                print(Path("docs/images") / f"{name}-{scheme}.png")
        browser.close()


def _demo() -> str:
    # The models can be imported once the installation is there.
    from identity.actors import operator  # noqa: PLC0415
    from publishing import actions, demo  # noqa: PLC0415
    from publishing.models import Flow  # noqa: PLC0415
    from scaicore import with_properties  # noqa: PLC0415

    at = timezone.now()
    made = demo.prepare(at=at)
    assert made.key is not None
    # The playground shall have a run trace to show.
    flow, actor = Flow.objects.get(name="Echo Agent"), operator("demo")
    content = with_properties(flow.saved.content, tracing=True)
    actions.save_flow(flow, base_version=flow.saved.version, content=content, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)
    return made.key


def _call(url: str, key: str) -> None:
    body = {"model": "scaicore/acme/echo-agent", "messages": [{"role": "user", "content": "hello"}]}
    for _ in range(CALLS):
        requests.post(
            f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}, timeout=30
        ).raise_for_status()


def _pages(browser: Browser, url: str, scheme: str) -> Iterator[tuple[str, Page]]:
    """The pages of a tenant admin who is also staff, in the order of a first visit."""
    context = browser.new_context(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}/login/")
    yield "login", page
    page.fill("input[name=username]", "root@acme.test")
    page.fill("input[name=password]", "change-me")
    page.keyboard.press("Enter")
    page.wait_for_url("**/flows/")
    yield "flows", page
    page.get_by_role("link", name="Echo Agent").click()
    page.wait_for_timeout(1500)
    yield "flow", page
    page.goto(f"{url}/models/")
    yield "models", page
    page.get_by_role("link", name="Echo Agent").first.click()
    yield "model", page
    page.get_by_role("link", name="Who can call this").first.click()
    yield "access", page
    page.goto(f"{url}/playground/")
    page.get_by_role("textbox", name="Message").fill("Hello, **echo**. What can you do?")
    page.get_by_role("button", name="Send").click()
    page.locator("summary", has_text="Run trace").click()
    yield "playground", page
    for name in ("keys", "usage"):
        page.goto(f"{url}/{name}/")
        yield name, page
    page.goto(f"{url}/admin/publishing/publication/")
    yield "admin", page
    context.close()


if __name__ == "__main__":
    main()
