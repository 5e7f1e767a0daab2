"""`make images`: every page, light and dark, from a server with the demo and a little traffic, into docs/images/."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from django.utils import timezone
from playwright.sync_api import Browser, Page, sync_playwright

import scaicore
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
    _outside(at)
    _week(at)
    return made.key


def _outside(at: datetime) -> None:
    """A provider and a secret, each with a Core that uses it."""
    from identity.actors import operator  # noqa: PLC0415
    from identity.models import Tenant  # noqa: PLC0415
    from publishing import actions  # noqa: PLC0415

    made: dict[str, Any] = {"tenant": Tenant.objects.get(pk="acme"), "actor": operator("demo"), "at": at}
    for ref in ("openai", "house"):
        actions.create_provider(ref=ref, base_url=f"https://{ref}.example.com/v1", api_key="sk-1", **made)
    for name in ("crm_token", "orders_webhook"):
        actions.create_secret(name=name, value="hush", **made)
    fetch = {"url": "https://crm.example.com/people", "method": "GET", "secret_refs": {"authorization": "crm_token"}}
    content = scaicore.new_document("Lookup")
    content["config"]["core_identity"] = {"models": [{"role": "default", "ref": "house", "model": "small"}]}
    content["nodes"][1] |= {"type": "tool_http", "config": {**fetch, "result_binding": "response"}}
    flow = actions.create_flow(name="Lookup", content=content, **made)
    actions.deploy(flow, actor=made["actor"], at=at)


def _week(at: datetime) -> None:
    """What a review finds: a model that was opened, one for nobody, one that is held, a refusal and a request."""
    from identity.actors import actor_of, operator  # noqa: PLC0415
    from identity.models import Group, Tenant, User  # noqa: PLC0415
    from publishing import actions  # noqa: PLC0415
    from publishing.models import Core, Flow, Refusal  # noqa: PLC0415

    actor, tenant = operator("demo"), Tenant.objects.get(pk="acme")
    content = Flow.objects.get(name="Echo Agent").saved.content
    Group.objects.create(tenant=tenant, scaikey_id="group_acme_hr", name="Human resources")

    def deployed(name: str, *group_ids: str) -> Core:
        config = {**content["config"], "model_visibility_group_ids": list(group_ids)}
        flow = actions.create_flow(tenant=tenant, name=name, content={**content, "config": config}, actor=actor, at=at)
        return actions.deploy(flow, actor=actor, at=at).core

    handbook = deployed("Handbook", "group_acme_hr")
    deployed("Payroll", "group_acme_hr")
    actions.publish(handbook, group_ids=["group_acme_hr", "group_acme_eng"], actor=actor, at=at)
    actions.hold_core(deployed("Contracts"), reason="It names customers; see ticket 4711", actor=actor, at=at)
    bo = User.objects.get(email="bo@acme.test")
    Refusal.objects.create(core=handbook, user=bo, last_at=at)
    actions.ask_access(handbook, user=bo, message="For the onboarding.", actor=actor_of(bo), at=at)


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
    for name in ("keys", "providers", "secrets", "runs", "usage"):
        page.goto(f"{url}/{name}/")
        yield name, page
    page.goto(f"{url}/runs/")
    page.locator("tbody a").first.click()
    yield "run", page
    yield from _staff_pages(page, url)
    context.close()


def _staff_pages(page: Page, url: str) -> Iterator[tuple[str, Page]]:
    """The pages of a week's review, in its order."""
    publications = f"{url}/admin/publishing/publication/"
    page.goto(f"{url}/admin/")
    yield "staff-review", page
    page.goto(publications)
    yield "admin", page
    page.goto(f"{publications}?q=handbook")
    page.locator(".field-head_count a").click()
    yield "staff-audience", page
    page.goto(f"{url}/admin/publishing/core/?q=handbook")
    page.locator("#result_list tbody th a").click()
    yield "staff-core", page
    page.goto(publications)
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(label="Restrict selected publications to groups")
    page.get_by_role("button", name="Go").click()
    yield "staff-many", page
    page.goto(f"{url}/admin/identity/auditentry/?q=handbook")
    yield "staff-audit", page


if __name__ == "__main__":
    main()
