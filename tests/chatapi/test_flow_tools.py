"""Published flows that call tools of an MCP server in its own process, through a real server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.utils import timezone

from identity import actors
from identity.models import User
from publishing import actions
from publishing.models import Core
from tests.support import mcp_server
from tests.support.chat_calls import call, error, frames, hello
from tests.support.documents import chain, entry, node
from tests.support.serving import Server
from tests.support.upstream import Upstream
from tests.support.upstream_answers import DONE, USAGE, chunk, saying, streaming

QUERY = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
TOOLS = "scaicore/acme/tools"


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


@pytest.fixture
def agent(registered: str, root: User, upstream: Upstream) -> Core:
    """A published flow whose model may call a tool of that server, and a request of its own flow."""
    actor, at = actors.actor_of(root), timezone.now()
    actions.create_provider(tenant=root.tenant, ref="scripted", base_url=upstream.base_url, actor=actor, at=at)
    fetch = {"name": "look_up", "description": "Looks it up.", "node": "fetch", "parameters": QUERY}
    tools = [{"mcp": "weather", "tools": ["add", "weather"]}, fetch]
    reply = node("reply", "llm_flexible", goal="Help.", result_binding="response", tools=tools)
    spare = node("fetch", "tool_http", url=f"{upstream.url}/mirror?q={{{{query}}}}")
    models = [{"role": "main", "ref": "scripted", "model": "agent"}]
    config = {"core_identity": {"models": models}, "scaiflow_meta": {"tracing": True}}
    return deploy(root, reply, spare=spare, **config)


def script(upstream: Upstream, *calls: dict[str, Any]) -> None:
    """Let the model make these calls, one after the other, and then answer."""
    upstream.plays("agent", *(calling(**each) for each in calls), saying("It rains."))


def calling(name: str, **arguments: Any) -> Any:
    made = {"id": "call_7", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return streaming(
        chunk(role="assistant", content="I look."),
        chunk(tool_calls=[{"index": 0, **made}]),
        chunk(finish="tool_calls"),
        {"choices": [], "usage": USAGE},
        DONE,
    )


def deploy(owner: User, *nodes: dict[str, Any], spare: dict[str, Any] | None = None, **config: Any) -> Core:
    content = chain(entry(), *nodes, publish_as_model=True, **config)
    content["nodes"] += [spare] if spare else []
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


def nodes_of(server: Server, core: Core, key: str, request_id: str) -> list[dict[str, Any]]:
    """The nodes in the trace of a call, once it is written."""
    url = f"{server.v1}/modules/scaicore/cores/{core.pk}/runs/{request_id}"
    for _ in range(50):
        answer = requests.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=20)
        if answer.status_code == 200:
            return list(answer.json()["data"]["nodes"])
        time.sleep(0.1)
    raise AssertionError(answer.text)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_agent_calls_tools_and_its_caller_reads_the_answer_alone(
    server: Server, agent: Core, upstream: Upstream, ann: User, root: User, key_of: Any, is_streamed: bool
) -> None:
    script(upstream, {"name": "weather", "city": "Oslo"}, {"name": "look_up", "query": "a b"})
    asked = hello(model=TOOLS, stream=is_streamed) | (
        {"stream_options": {"include_usage": True}} if is_streamed else {}
    )
    answer = call(server, key_of(ann), asked)
    assert "tool_calls" not in answer.text
    if is_streamed:
        chunks = [each for each in frames(answer) if each != "[DONE]"]
        said = "".join(each["choices"][0]["delta"].get("content") or "" for each in chunks if each["choices"])
        finish, usage = chunks[-2]["choices"][0]["finish_reason"], chunks[-1]["usage"]
    else:
        [choice] = answer.json()["choices"]
        said, finish, usage = choice["message"]["content"], choice["finish_reason"], answer.json()["usage"]
    assert (said, finish) == ("I look.\n\nI look.\n\nIt rains.", "stop")
    assert usage["prompt_tokens"] == 3 * USAGE["prompt_tokens"]
    model_calls = [seen.json for seen in upstream.requests if seen.model == "agent"]
    assert [tool["function"]["name"] for tool in model_calls[0]["tools"]] == ["look_up", "add", "weather"]
    assert json.loads(model_calls[1]["messages"][-1]["content"])["text"] == "It rains in Oslo."
    assert json.loads(model_calls[2]["messages"][-1]["content"])["json"]["query"] == {"q": "a b"}
    nodes = nodes_of(server, agent, key_of(root), answer.headers["x-request-id"])
    shown = [(each["id"], each["kind"], each.get("arguments")) for each in nodes]
    assert shown == [
        ("entry", "entry_api", None),
        ("reply", "llm_flexible", None),
        ("weather/weather", "tool_plugin", {"city": "Oslo"}),
        ("fetch", "tool_http", {"query": "a b"}),
    ]
    assert nodes[2]["result"]["text"] == "It rains in Oslo."


def test_an_agent_without_its_server_answers_all_the_same(
    server: Server, agent: Core, upstream: Upstream, root: User, ann: User, key_of: Any
) -> None:
    found = root.tenant.mcp_servers.get()
    found.url = "http://127.0.0.1:9/mcp"
    found.save()
    script(upstream, {"name": "add", "a": 1, "b": 2})
    answer = call(server, key_of(ann), hello(model=TOOLS))
    assert answer.json()["choices"][0]["message"]["content"].endswith("It rains.")
    [_, asked] = [seen.json for seen in upstream.requests if seen.model == "agent"]
    told = json.loads(asked["messages"][-1]["content"])
    assert told == {"error": "A server that the node calls could not be reached, or the connection broke."}
