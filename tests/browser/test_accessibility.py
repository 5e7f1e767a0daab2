"""Every page through axe-core, light and dark: no serious or critical finding."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from identity.actors import actor_of
from identity.models import Group, User
from publishing import actions
from publishing.actions import RemoteProgram
from publishing.mcp import tool_lists
from publishing.models import Core, Flow, McpServer
from tests.browser.conftest import Visit
from tests.chatapi.test_webhooks import HOOK, deployed, says
from tests.support.mcp_server import tool
from tests.webui.test_run_pages import ran, traced

GRAVE = ("serious", "critical")


def grave(page: Page) -> list[tuple[str, Any]]:
    """What axe-core finds that keeps somebody out: the rule, and the first place."""
    found = Axe().run(page).response["violations"]
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in GRAVE]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(
    visit: Visit, root: User, engineering: Group, narrow_echo: Core, draft: Flow, scheme: Literal["light", "dark"]
) -> None:
    at = timezone.now()
    made: dict[str, Any] = {"tenant": root.tenant, "actor": actor_of(root), "at": at}
    actions.create_provider(ref="house", base_url="https://llm.example.com/v1", api_key="sk-1", **made)
    actions.create_mcp_server(ref="weather", url="https://mcp.example.com/mcp", **made)
    accepted, listed = (tool_lists.read([tool(description=words)]).tools for words in ("It may rain.", "It will."))
    McpServer.objects.update(tools=accepted, found=listed, fetched_at=at)
    actions.create_secret(name="token", value="hush", **made)
    agent = actions.create_core(name="Agent", remote=RemoteProgram(url="https://agents.example.com/a"), **made)
    hooked = deployed(root, HOOK, says("got {{message}}"))
    run = ran(narrow_echo, root.pk, "req_axe", outcome="failed", reason="no_branch", node_id="reply")
    traced(run, [{"id": "entry", "kind": "entry_api", "started_ms": 0, "duration_ms": 1, "result": {"message": "hi"}}])
    page = visit(root)
    page.emulate_media(color_scheme=scheme)
    site = page.url.split("/flows/")[0]
    found = {}
    for path in (
        "/flows/",
        "/flows/new/",
        f"/flows/{draft.pk}/",
        f"/flows/{draft.pk}/?plain",
        f"/flows/{hooked.flow_id}/?plain",
        "/models/",
        f"/models/{narrow_echo.pk}/",
        f"/models/{narrow_echo.pk}/access/",
        "/playground/",
        "/keys/",
        "/people/",
        f"/people/{root.pk}/",
        "/audit/",
        "/groups/",
        "/groups/group_acme_eng/",
        "/groups/group_acme_eng/delete/",
        "/remote-cores/",
        f"/remote-cores/{agent.pk}/",
        f"/remote-cores/{agent.pk}/delete/",
        f"/flows/{draft.pk}/delete/",
        "/providers/",
        "/providers/house/",
        "/providers/house/delete/",
        "/mcp-servers/",
        "/mcp-servers/weather/",
        "/mcp-servers/weather/delete/",
        "/secrets/",
        "/secrets/token/",
        "/secrets/token/delete/",
        "/runs/",
        "/runs/req_axe/",
        "/usage/",
    ):
        page.goto(site + path)
        page.wait_for_timeout(400)
        found[path] = grave(page)
    assert {path: rules for path, rules in found.items() if rules} == {}
