"""What a trace keeps: small results whole, large ones by their beginning, in bounded time."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore import DRIVERS, NodeFailed, RunFailed, compile, traced
from tests.support.documents import chain, entry, node, request
from tests.support.services import http
from tests.support.timing import within


@pytest.mark.parametrize("small", [None, 1, "x" * 4000, {"a": [1, "é"]}, [[]]])
def test_a_small_result_is_kept_whole(small):
    assert traced(small) == small


@given(st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_result_is_kept_in_four_kilobytes(value):
    text = json.dumps(traced([value] * 50), ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode(errors="replace")) <= 4096


@pytest.mark.parametrize(
    "large",
    ["x" * 10_000_000, '"\x01' * 5000, "é" * 5000, ["x" * 100] * 100_000, {f"k{i}": [i] for i in range(100_000)}],
    ids=["text", "escapes", "accents", "list", "object"],
)
def test_a_large_result_is_kept_by_its_beginning(large):
    with within(2):
        kept = traced(large)
    assert kept.endswith("…")
    assert 2000 < len(json.dumps(kept, ensure_ascii=False).encode()) <= 4096


def test_tracing_is_off_unless_the_flow_says_so():
    assert compile(chain(entry())).program.tracing is False
    assert compile(chain(entry(), scaiflow_meta={"tracing": True})).program.tracing is True


async def test_the_node_that_fails_is_told_before_the_error():
    _, services = http(status=500)
    told = []
    with pytest.raises(RunFailed):
        document = chain(entry(), node("get", "tool_http", url="https://api.test/"))
        async for event in DRIVERS["flow"].run(request(document, services=services)):
            told.append(event)
    assert told[-1] == NodeFailed("get", "tool_http", told[-1].duration_ms, "unexpected_status")
    assert told[-1].duration_ms > 0


def test_media_are_told_by_size_and_digest_wherever_they_stand():
    sound = {"type": "input_audio", "input_audio": {"data": "aGVsbG8=", "format": "wav"}}
    picture = {"url": "data:image/png;base64,aGVsbG8="}
    told = "(5 bytes, sha256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824)"
    assert traced([sound, picture]) == [
        {"type": "input_audio", "input_audio": {"data": told, "format": "wav"}},
        {"url": f"data:image/png;base64,{told}"},
    ]
    assert traced({"data": "aGVsbG8="}) == {"data": "aGVsbG8="}
    assert traced("data:image/png;base64,%%%") == "data:image/png;base64,(0 bytes, sha256 " + EMPTY + ")"


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
