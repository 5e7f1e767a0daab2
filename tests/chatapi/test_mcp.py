"""`/mcp`: the models that a key may call, as tools of one server. The official client in both of its ways, and bare
requests for what it would not send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
import requests
from django.utils import timezone
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from identity import actors
from identity.models import User
from publishing import actions
from publishing.models import Core
from tests.chatapi.test_memory import counter
from tests.support.documents import chain, node
from tests.support.limiting import make_limit
from tests.support.serving import Server

BOTH_WAYS = pytest.mark.parametrize("mode", ["auto", "legacy"])
Keys = Callable[[User], str]
TODAY = "2026-07-28"
META = "io.modelcontextprotocol"
CALL = {"name": "echo-agent", "arguments": {"message": "hello"}}


def talk(server: Server, key: str, do: Callable[[Client], Awaitable[Any]], mode: str = "auto") -> Any:
    """What `do` gives with the official client; `auto` speaks today's version, `legacy` shakes hands first."""

    async def connect() -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=20) as http,
            Client(streamable_http_client(f"{server.url}/mcp", http_client=http), mode=mode) as client,
        ):
            return await do(client)

    return asyncio.run(connect())


def names(server: Server, key: str) -> list[str]:
    async def ask(client: Client) -> list[str]:
        return [tool.name for tool in (await client.list_tools()).tools]

    return list(talk(server, key, ask))


def call(server: Server, key: str, mode: str = "auto", name: str = "echo-agent", **arguments: Any) -> Any:
    return talk(server, key, lambda client: client.call_tool(name, arguments), mode)


def text(result: Any) -> str:
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


def refusal(server: Server, key: str, **arguments: Any) -> str:
    """The protocol's error to a call."""

    async def fail(client: Client) -> str:
        with pytest.raises(MCPError) as raised:
            await client.call_tool("echo-agent", arguments)
        return raised.value.error.message

    return str(talk(server, key, fail))


def post(server: Server, key: str | None, body: Any, **headers: str) -> requests.Response:
    sent = {"Authorization": f"Bearer {key}"} if key else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        sent["Content-Type"] = "application/json"
        return requests.post(f"{server.url}/mcp", data=body, headers=sent | named, timeout=20)
    return requests.post(f"{server.url}/mcp", json=body, headers=sent | named, timeout=20)


def message(method: str, params: Any = None, number: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}


def alone(method: str, **params: Any) -> dict[str, Any]:
    """A request of today's version."""
    meta = {f"{META}/protocolVersion": TODAY, f"{META}/clientCapabilities": {}}
    return message(method, {"_meta": meta} | params)


def deploy(owner: User, name: str, *nodes: dict[str, Any], inputs: Any = ()) -> None:
    content = chain(node("entry", "entry_api", inputs=list(inputs)), *nodes, publish_as_model=True)
    actor, at = actors.actor_of(owner), timezone.now()
    flow = actions.create_flow(tenant=owner.tenant, name=name, content=content, owner=owner, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)


@pytest.fixture
def anns(ann: User, key_of: Keys) -> str:
    return key_of(ann)


@BOTH_WAYS
def test_the_official_client_lists_and_calls(server: Server, echo: Core, anns: str, mode: str) -> None:
    async def do(client: Client) -> Any:
        return (await client.list_tools()).tools, await client.call_tool("echo-agent", {"message": "hello"})

    [tool], result = talk(server, anns, do, mode)
    assert (tool.name, tool.title) == ("echo-agent", "Echo Agent")
    assert tool.description == "Says what it hears. (The published model `scaicore/acme/echo-agent`.)"
    assert tool.input_schema["required"] == ["message"]
    assert (text(result), result.is_error) == ("hello", False)


def test_what_is_listed_is_exactly_what_can_be_called(
    server: Server, narrow_echo: Core, root: User, ann: User, bo: User, cy: User, key_of: Keys
) -> None:
    anns, bos, cys = key_of(ann), key_of(bo), key_of(cy)
    assert [names(server, key) for key in (anns, bos, cys)] == [["echo-agent"], [], []]
    assert text(call(server, anns, message="hello")) == "hello"
    assert refusal(server, bos, message="hello").startswith("You are in none of the groups")
    assert refusal(server, cys, message="hello") == "There is no tool `echo-agent`. Ask for `tools/list`."
    actions.unpublish(narrow_echo, actor=actors.actor_of(root), at=timezone.now())
    assert names(server, anns) == []
    assert refusal(server, anns, message="hello") == "There is no tool `echo-agent`. Ask for `tools/list`."


def test_a_long_list_comes_in_pages(server: Server, acme: Any, root: User, anns: str) -> None:
    for n in range(101):
        deploy(root, f"Flow {n:03}", node("reply", "llm_rigid", template="x", result_binding="response"))
    first = post(server, anns, message("tools/list")).json()["result"]
    cursor = first["nextCursor"]
    second = post(server, anns, message("tools/list", {"cursor": cursor})).json()["result"]
    listed = [tool["name"] for tool in first["tools"] + second["tools"]]
    assert listed == [f"flow-{n:03}" for n in range(101)]
    assert "nextCursor" not in second


@pytest.mark.parametrize("body", [message("tools/list"), message("nonsense"), b"nonsense"])
def test_a_stranger_reads_401_whatever_was_sent(server: Server, echo: Core, body: Any) -> None:
    for key in (None, "sgk_wrong"):
        refused = post(server, key, body)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert refused.json()["error"]["data"] == {"code": "invalid_api_key"}
        assert refused.json()["id"] is None


def test_a_call_counts_and_takes_of_its_limits(server: Server, echo: Core, anns: str) -> None:
    make_limit(1)
    first, second = [call(server, anns, message="hello") for _ in range(2)]
    assert (text(first), first.is_error) == ("hello", False)
    assert second.is_error
    assert text(second).startswith("The limit")
    assert second.meta["scaigrid/code"] == "insufficient_quota"


def test_a_core_with_memory_asks_for_the_conversation(server: Server, root: User, anns: str) -> None:
    counter(root)
    [tool] = post(server, anns, message("tools/list")).json()["result"]["tools"]
    assert tool["inputSchema"]["required"] == ["message", "entity_id"]
    said = [text(call(server, anns, name="counter", message="x", entity_id=entity)) for entity in ("a", "a", "b")]
    assert said == ["1: x", "2: x", "1: x"]
    missing = call(server, anns, name="counter", message="x")
    assert (missing.is_error, text(missing)) == (True, "`entity_id` is required.")


def test_what_a_flow_takes_beside_the_message_is_told_and_checked(server: Server, root: User, anns: str) -> None:
    inputs = [
        {"name": "language", "description": "Of the answer.", "required": True},
        {"name": "words", "type": "integer"},
    ]
    reply = node("reply", "llm_rigid", template="{{message}}/{{language}}/{{words}}", result_binding="response")
    deploy(root, "Taker", reply, inputs=inputs)
    [tool] = post(server, anns, message("tools/list")).json()["result"]["tools"]
    assert tool["inputSchema"]["required"] == ["message", "language"]
    assert tool["inputSchema"]["properties"]["language"] == {"type": "string", "description": "Of the answer."}
    taken = call(server, anns, name="taker", message="x", language="nl", words=7)
    assert text(taken) == "x/nl/7"
    for arguments, words in (
        ({"message": "x"}, "`language` is required."),
        ({"message": "x", "language": 7}, "`language` must be of the type `string`."),
        ({"message": "x", "language": "nl", "words": "7"}, "`words` must be of the type `integer`."),
    ):
        refused = call(server, anns, name="taker", **arguments)
        assert (refused.is_error, text(refused)) == (True, words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "`message` is required."),
        ({"message": 7}, "`message` must be a text that is not empty."),
        ({"message": ""}, "`message` must be a text that is not empty."),
        ({"message": "x", "state": "y"}, "`state` is no argument of this tool. It takes `message`."),
        ({"message": "x", "entity_id": "y"}, "`entity_id` is no argument of this tool. It takes `message`."),
    ],
)
def test_wrong_arguments_are_a_result_that_a_model_can_mend(
    lean_server: Server, transactional_db: None, echo: Core, anns: str, arguments: dict[str, Any], words: str
) -> None:
    result = call(lean_server, anns, **arguments)
    assert (result.is_error, text(result)) == (True, words)


def test_a_flow_that_fails_says_nothing_of_why(server: Server, root: User, anns: str) -> None:
    deploy(root, "Bad", node("reply", "tool_http", method="GET", url="http://10.0.0.1/secret"))
    result = call(server, anns, name="bad", message="x")
    assert result.is_error
    assert "10.0.0.1" not in text(result)
    assert result.meta["scaigrid/code"] == "core_error"


@pytest.mark.parametrize(
    ("body", "headers", "status", "number"),
    [
        (b"{", {}, 400, -32700),
        (b'{"jsonrpc": "2.0", "id": NaN}', {}, 400, -32700),
        ([message("ping")], {}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, {}, 400, -32600),
        ({"id": 1, "method": "ping"}, {}, 400, -32600),
        (message("ping", number=True), {}, 400, -32600),
        (message("ping", number=None), {}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}, {}, 400, -32600),
        (message("nonsense"), {}, 200, -32601),
        (message("server/discover"), {}, 200, -32601),
        (message("initialize"), {}, 200, -32602),
        (message("tools/call", {"name": 7}), {}, 200, -32602),
        (message("tools/call", CALL | {"arguments": [1]}), {}, 200, -32602),
        (message("tools/call", CALL | {"name": "../x"}), {}, 200, -32602),
        (message("tools/list", {"cursor": 7}), {}, 200, -32602),
        (message("ping"), {"mcp_protocol_version": "1999-01-01"}, 400, -32022),
        (message("ping"), {"mcp_protocol_version": TODAY}, 400, -32602),
        (alone("ping"), {"mcp_protocol_version": TODAY, "mcp_method": "ping"}, 404, -32601),
        (alone("tools/list"), {"mcp_method": "tools/list"}, 400, -32020),
        (alone("tools/list"), {"mcp_protocol_version": TODAY, "mcp_method": "tools/call"}, 400, -32020),
        (
            alone("tools/call", **CALL),
            {"mcp_protocol_version": TODAY, "mcp_method": "tools/call", "mcp_name": "other"},
            400,
            -32020,
        ),
    ],
)
def test_what_is_no_usable_request_is_refused_in_the_words_of_the_protocol(
    lean_server: Server,
    transactional_db: None,
    echo: Core,
    anns: str,
    body: Any,
    headers: dict[str, str],
    status: int,
    number: int,
) -> None:
    refused = post(lean_server, anns, body, **headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, number)


def test_an_unknown_version_reads_which_ones_are_spoken(
    lean_server: Server, transactional_db: None, echo: Core, anns: str
) -> None:
    refused = post(lean_server, anns, message("ping"), mcp_protocol_version="1999-01-01").json()["error"]
    assert refused["data"]["requested"] == "1999-01-01"
    assert {TODAY, "2025-11-25", "2025-03-26"} <= set(refused["data"]["supported"])


@pytest.mark.parametrize(
    ("wanted", "given"), [("2025-03-26", "2025-03-26"), ("2025-11-25", "2025-11-25"), ("2099-01-01", "2025-11-25")]
)
def test_the_handshake_takes_the_version_of_the_client_where_it_is_spoken(
    lean_server: Server, transactional_db: None, anns: str, wanted: str, given: str
) -> None:
    result = post(lean_server, anns, message("initialize", {"protocolVersion": wanted})).json()["result"]
    assert (result["protocolVersion"], result["capabilities"]) == (given, {"tools": {}})


def test_a_notification_is_accepted_and_changes_nothing(lean_server: Server, transactional_db: None, anns: str) -> None:
    sent = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    accepted = post(lean_server, anns, sent)
    assert (accepted.status_code, accepted.content) == (202, b"")
    assert post(lean_server, None, sent).status_code == 401


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_stream_to_open_and_no_session_to_end(
    lean_server: Server, transactional_db: None, method: str
) -> None:
    for path in ("/mcp", "/mcp/"):
        refused = requests.request(method, lean_server.url + path, timeout=20)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_pages_of_other_sites_are_refused_before_anything_is_read(server: Server, echo: Core, anns: str) -> None:
    for origin in ("https://evil.test", "null", f"{server.url}.evil.test"):
        refused = post(server, anns, message("tools/list"), origin=origin)
        assert (refused.status_code, refused.json()["error"]["data"]["code"]) == (403, "origin_refused")
    rebound = post(server, anns, message("tools/list"), origin="http://evil.test:80", host="evil.test:80")
    assert rebound.status_code == 403
    assert post(server, anns, message("tools/list"), origin=server.url).status_code == 200


def test_bodies_are_bounded_and_must_be_json(server: Server, transactional_db: None, anns: str) -> None:
    large = post(server, anns, b"", content_length=str(10**9))
    assert large.status_code in (400, 413)
    assert post(server, anns, b"{}", content_type="text/plain").status_code == 415
    assert post(server, None, b"{}", content_type="text/plain").status_code == 401
