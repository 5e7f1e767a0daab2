"""Published flows that call tools of an MCP server in its own process, through a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from identity import actors
from identity.models import User
from publishing import actions
from publishing.models import Core
from tests.support import mcp_server
from tests.support.chat_calls import call, error, hello
from tests.support.documents import chain, entry, node
from tests.support.serving import Server


@pytest.fixture(scope="module")
def weather() -> Iterator[str]:
    with mcp_server.running() as url:
        yield url


@pytest.fixture
def registered(acme: Any, root: User, weather: str, settings: LazySettings) -> str:
    """Acme's MCP server `weather`, its tools fetched."""
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    actor, at = actors.actor_of(root), timezone.now()
    made = actions.create_mcp_server(tenant=root.tenant, ref="weather", url=weather, actor=actor, at=at)
    assert actions.refresh_mcp_server(made, actor=actor, at=at).problem == ""
    return made.ref


def deploy(owner: User, *nodes: dict[str, Any], **config: Any) -> Core:
    content = chain(entry(), *nodes, publish_as_model=True, **config)
    actor, at = actors.actor_of(owner), timezone.now()
    flow = actions.create_flow(tenant=owner.tenant, name="Tools", content=content, owner=owner, actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core


def test_a_node_calls_a_tool_of_a_server_in_its_own_process(
    server: Server, registered: str, root: User, ann: User, key_of: Any
) -> None:
    deploy(
        root,
        node("ask", "tool_plugin", plugin="weather", method="weather", args={"city": "{{message}}"}),
        node("say", "llm_rigid", template="{{ask.text}}", result_binding="response"),
    )
    answer = call(server, key_of(ann), hello(model="scaicore/acme/tools"))
    assert answer.json()["choices"][0]["message"]["content"] == "It rains in hello."


def test_a_tool_that_was_taken_away_fails_the_call_and_stores_nothing(
    server: Server, registered: str, root: User, ann: User, key_of: Any
) -> None:
    deploy(root, node("ask", "tool_plugin", plugin="weather", method="add", args={"a": "1", "b": "2"}))
    found = root.tenant.mcp_servers.get()
    found.found = [tool for tool in found.tools if tool["name"] != "add"]
    found.save()
    assert error(call(server, key_of(ann), hello(model="scaicore/acme/tools")))["code"] == "core_error"
