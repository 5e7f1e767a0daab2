"""Calls of other servers: what is sent stays inside its place, and what comes back is data."""

import base64
import json
from urllib.parse import quote

import pytest

from scaicore import RunTimedOut
from tests.scaicore.nodes.test_llm_flexible import failure
from tests.support.documents import answer, chain, codes, entry, node, run
from tests.support.services import http

URL = "https://api.test/users/{{message}}/posts"


def calls(**config):
    return chain(entry(), node("get", "tool_http", **{"url": URL, **config}))


async def sent(message="ann", /, **config):
    fake, services = http()
    await run(calls(**config), {"message": message, "token": "t"}, services=services)
    return fake.calls[0]


async def test_json_comes_back_as_data_and_anything_else_as_text():
    given = {"status": 200, "headers": {"content-type": "application/json; charset=utf-8"}, "json": {"a": [1]}}
    assert await answer(calls(), services=http({"a": [1]})[1]) == given
    assert (await answer(calls(), services=http("a\0b")[1]))["text"] == "ab"


@pytest.mark.parametrize("body", ["{", "NaN", '"\\u0000"', "[" * 5000])
async def test_json_that_is_none_comes_back_as_text(body):
    assert "text" in await answer(calls(), services=http(body, kind="application/json")[1])


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("café".encode("latin-1"), "text/plain; charset=ISO-8859-1", "café"),
        ("café €".encode("cp1252"), 'text/html; charset="Windows-1252"', "café €"),
        ("カフェ".encode("shift_jis"), "text/plain;charset=Shift_JIS", "カフェ"),
        ("café".encode("utf-16-le"), "text/plain; charset=utf-16le", "café"),
        ("café".encode("utf-16"), "text/plain", "café"),
        ("café".encode("utf-8-sig"), "text/plain", "café"),
        ("café".encode("utf-8-sig"), "text/plain; charset=latin-1", "café"),
        ("café".encode(), "text/plain", "café"),
        ("café".encode(), "text/plain; charset=no-such", "café"),
        ("café".encode(), "text/plain; charset=base64", "café"),
        (b"caf\\u00e9", "text/plain; charset=unicode_escape", "caf\\u00e9"),
        ("café".encode("latin-1"), "text/plain", "caf\ufffd"),
    ],
)
async def test_text_is_read_in_the_characters_in_which_it_is_written(body, kind, text):
    assert (await answer(calls(), services=http(body, kind=kind)[1]))["text"] == text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"a": "é"}'.encode("latin-1"), "application/json; charset=latin-1"),
        ('{"a": "é"}'.encode("utf-8-sig"), "application/json"),
        ('{"a": "é"}'.encode("utf-16"), "application/problem+JSON"),
    ],
)
async def test_json_is_read_in_the_characters_in_which_it_is_written(body, kind):
    assert (await answer(calls(), services=http(body, kind=kind)[1]))["json"] == {"a": "é"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("a/b", "https://api.test/users/a%2Fb/posts"),
        ("../x?y#z", "https://api.test/users/..%2Fx%3Fy%23z/posts"),
        ("@evil.test", "https://api.test/users/%40evil.test/posts"),
        ("é\r\n ", "https://api.test/users/%C3%A9%0D%0A%20/posts"),
        ("%2e%2e", "https://api.test/users/%252e%252e/posts"),
        ("\\", "https://api.test/users/%5C/posts"),
    ],
)
async def test_a_value_cannot_leave_its_place_in_the_url(text, url):
    assert (await sent(text)).url == url


@pytest.mark.parametrize("text", ["", ".", "..", "x" * 9000])
async def test_a_value_that_would_make_another_url_fails_the_run(text):
    assert await failure(calls(), {"message": text}, services=http()[1]) == ("bad_url", "get")


async def test_a_query_may_stay_empty():
    assert (await sent("", url="https://api.test/find/?q={{message}}")).url == "https://api.test/find/?q="


async def test_a_header_stays_one_line():
    call = await sent("a\r\nX-Evil: 1", url="https://api.test/", headers={"X-Name": "<{{message}}>"})
    assert call.headers == {"x-name": "<a X-Evil: 1>"}


async def test_query_and_body_are_filled():
    call = await sent(method="POST", url="https://api.test", query={"q": "{{message}}&"}, json={"n": ["{{message}}"]})
    assert (call.method, call.query) == ("POST", {"q": "ann&"})
    assert (call.body, call.headers) == (b'{"n":["ann"]}', {"content-type": "application/json"})
    assert (await sent('"', url="https://api.test", method="POST", json="{{message}}")).body == rb'"\""'
    assert (await sent(method="PUT", body="<{{message}}>")).body == b"<ann>"


async def test_a_secret_is_read_by_a_header_or_is_one():
    refs = {"key": "vault/token"}
    assert (await sent(headers={"Authorization": "Bearer {{secrets.key}}"}, secret_refs=refs)).headers == {
        "authorization": "Bearer s3cret"
    }
    assert (await sent(secret_refs={"X-Key": "vault/token"})).headers == {"x-key": "s3cret"}


async def test_a_secret_goes_into_no_url_and_no_body():
    call = await sent(url="https://api.test/?{{secrets.X}}", body="{{secrets.X}}", secret_refs={"X": "vault/token"})
    assert (call.url, call.body) == ("https://api.test/?", b"")


async def echoed(secret, body, **more):
    """What becomes of a body in which the server gives a secret back."""
    fake, services = http(body, **more)
    fake.secrets["vault/token"] = secret
    result = await answer(calls(secret_refs={"X-Key": "vault/token"}), services=services)
    assert fake.calls[0].headers["x-key"] == secret
    return result


async def test_a_secret_that_a_server_gives_back_is_taken_out():
    assert (await echoed("s3cret", "<s3cret>"))["text"] == "<[secret]>"
    assert (await echoed("s3cret", {"s3cret": ["s3cret"]}))["json"] == {"[secret]": ["[secret]"]}
    assert (await echoed("s3cret", "", headers={"x-echo": "s3cret"}))["headers"]["x-echo"] == "[secret]"
    assert (await echoed("12345678", {"n": 12345678}))["json"] == {"n": "[secret]"}


SECRET = 's3cret/"A+é'


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False).replace("/", "\\/").replace("A", "\\u0041"),
        json.dumps({"inner": json.dumps({"key": SECRET})}),
        json.dumps(f"https://api.test/?key={quote(SECRET, safe='')}"),
        json.dumps(base64.b64encode(f"ann:{SECRET}".encode()).decode()),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_a_secret_that_comes_back_in_another_form_is_taken_out(written, kind):
    result = await echoed(SECRET, written.encode(), kind=kind)
    assert "[secret]" in json.dumps(result)
    for form in (
        SECRET,
        quote(SECRET, safe=""),
        SECRET.replace('"', '\\"'),
        base64.b64encode(SECRET.encode()).decode()[:-4],
    ):
        assert form not in str(result)


async def test_a_secret_in_other_characters_is_taken_out():
    result = await echoed("tök-3f9a", "key: tök-3f9a".encode("latin-1"), kind="text/plain; charset=latin-1")
    assert result["text"] == "key: [secret]"


async def test_a_secret_that_does_not_exist_fails_the_run():
    assert await failure(calls(secret_refs={"X": "ghost"}), services=http()[1]) == ("service_unconfigured", "get")


async def test_a_status_that_is_not_expected_fails_the_run():
    assert await failure(calls(), services=http(status=404)[1]) == ("unexpected_status", "get")
    assert (await answer(calls(expect_status=[404]), services=http(status=404)[1]))["status"] == 404
    assert await failure(calls(expect_status=[404]), services=http()[1]) == ("unexpected_status", "get")


async def test_a_server_that_fails_or_a_run_without_a_way_out_fails_there():
    assert await failure(calls(), services=http(breaks="too_large")[1]) == ("service_too_large", "get")
    assert await failure(calls()) == ("no_http", "get")


async def test_the_deadline_reaches_the_call():
    assert 6 < (await sent(timeout_s=7)).timeout_s <= 7
    fake, services = http(wait_s=30)
    with pytest.raises(RunTimedOut):
        await run(calls(), services=services, deadline_s=0.05)
    assert fake.calls[0].timeout_s <= 0.05


async def test_a_call_that_ends_with_the_deadline_ends_by_it():
    with pytest.raises(RunTimedOut):
        await run(calls(), services=http(breaks="timed_out", wait_s=0.05)[1], deadline_s=0.1)
    assert await failure(calls(), services=http(breaks="timed_out")[1]) == ("service_timed_out", "get")


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"url": "https://{{message}}/x"}, "bad_value"),
        ({"url": "https://api.test{{message}}"}, "bad_value"),
        ({"url": "https://api.test:{{message}}/"}, "bad_value"),
        ({"url": "https://ann@api.test/{{message}}"}, "bad_value"),
        ({"url": "{{message}}"}, "bad_value"),
        ({"url": "file:///etc/passwd"}, "bad_value"),
        ({"url": "https://api.test/{{"}, "bad_template"),
        ({"url": "https://api.test/{{colour}}"}, "unknown_name"),
        ({"headers": {"bad name": "x"}}, "bad_value"),
        ({"headers": {"Host": "x"}}, "bad_value"),
        ({"headers": {"X": "{{secrets.key}}"}}, "bad_value"),
        ({"json": {"a": "{{"}}, "bad_template"),
        ({"json": 1, "body": ""}, "bad_value"),
        ({"method": "BREW"}, "invalid_shape"),
    ],
)
def test_a_config_that_cannot_work_is_told_at_deploy(config, code):
    assert codes(calls(**config)) == [code]


def test_a_secret_is_no_unknown_name():
    assert codes(calls(headers={"X": "{{secrets.key}}"}, secret_refs={"key": "vault/token"})) == []
