"""The flows to begin from: each is opened as a copy, compiles, and runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.utils import timezone

from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.actions import RemoteProgram
from publishing.declared import starters
from publishing.models import Flow
from tests.support.serving import Server
from tests.support.upstream import Upstream
from tests.support.upstream_answers import giving

FACTS = {"sender": "Acme", "date": None, "total": 540, "currency": "EUR", "items": ["desk"]}
# key → what its model says, what is sent, and what the answer holds
RUNS: dict[str, tuple[str, dict[str, Any], str]] = {
    "echo": ("", {"message": "hello"}, "hello"),
    "assistant": ("Hello Ann.", {"message": "hello"}, "Hello Ann."),
    "triage": ('{"topic": "outage", "urgent": true}', {"message": "All is down!"}, "urgent (outage)"),
    "researcher": ("Two books name it.", {"message": "Ada Lovelace"}, "Two books name it."),
    "approval": ("We move!", {"message": "The new office"}, "May this go out?"),
    "extract": (json.dumps(FACTS), {"message": "Invoice by Acme"}, "'total': 540"),
    "webhook": ("", {"input": {"order": {"id": 7, "urgent": True}}}, "Order 7 is urgent"),
    "remote": ("", {"message": "hello"}, "Hello from the agent."),
}


def opened(key: str, root: User, upstream: Upstream) -> Flow:
    """The starter as a flow of Root's; what it asks outside is asked of `upstream`."""
    made: dict[str, Any] = {"tenant": root.tenant, "actor": actor_of(root), "at": timezone.now()}
    content = starters.list_starters()[key].copy(root.tenant_id, provider="house", model="wise")
    for node in content["nodes"]:
        if node["type"] == "tool_http":
            node["config"]["url"] = f"{upstream.url}/found"
    actions.create_provider(ref="house", base_url=upstream.base_url, api_key="", **made)
    return actions.create_flow(name=key, content=content, **made)


def test_each_of_them_is_tried_here() -> None:
    assert tuple(RUNS) == starters.KEYS


@pytest.mark.parametrize("key", RUNS)
def test_a_starter_runs(
    key: str,
    lean_server: Server,
    transactional_db: None,
    root: User,
    upstream: Upstream,
    key_of: Callable[[User], str],
    settings: Any,
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = (f"127.0.0.1:{upstream.port}",)
    said, body, expected = RUNS[key]
    upstream.says("wise", said)
    upstream.plays("/found", giving({"query": {}, "docs": []}))
    upstream.plays("/agent", giving({"output": {"response": "Hello from the agent."}}))
    if key == "remote":
        made: dict[str, Any] = {"actor": actor_of(root), "at": timezone.now()}
        remote = RemoteProgram(url=f"{upstream.url}/agent")
        agent = actions.create_core(tenant=root.tenant, name="Agent", slug="agent", remote=remote, **made)
        actions.publish(agent, group_ids=[], **made)
    flow = opened(key, root, upstream)
    headers = {"authorization": f"Bearer {key_of(root)}"}
    answer = requests.post(f"{lean_server.url}/api/v1/flows/{flow.pk}/run", json=body, headers=headers, timeout=20)
    assert answer.json().get("outcome") == "ok", answer.text
    assert answer.json()["diagnostics"] == []
    assert expected in str(answer.json()["response"])


@pytest.mark.parametrize("key", starters.KEYS)
def test_a_copy_is_ones_own_and_is_not_published(key: str) -> None:
    starter = starters.list_starters()[key]
    copied = starter.copy("globex", provider="mine", model="small")
    assert copied["config"]["publish_as_model"] is False
    assert "acme" not in json.dumps(copied)
    assert '"demo"' not in json.dumps(copied)
    assert len(starter.explanation) > 20
    copied["nodes"].clear()
    assert starter.content["nodes"]
