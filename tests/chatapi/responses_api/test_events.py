"""The events of a stream, piece by piece: each as OpenAI describes it, whatever comes in whatever order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatapi.chat_response import Piece, Tokens
from chatapi.responses_api import response_request
from chatapi.responses_api.events import EventWriter
from chatapi.responses_api.response_object import ResponseLabel
from scaicore.services import ToolCallPart
from tests.support import openai_schemas

TOKENS = Tokens(1, 2, 3)
SAID: dict[str, list[Piece | ToolCallPart]] = {
    "nothing": [],
    "a text": [Piece("a"), Piece("b")],
    "a thought and a text": [Piece("a", "thought"), Piece("b", "thought"), Piece("c")],
    "a text that ends in a refusal": [Piece("a"), Piece("b", "refusal"), Piece("c", "refusal")],
    "a thought behind a text": [Piece("a"), Piece("b", "thought"), Piece("c")],
    "a call": [ToolCallPart(0, "call_1", "f", ""), ToolCallPart(0, arguments="{}")],
    "calls whose pieces are mixed": [
        ToolCallPart(0, "call_1", "f", "{"),
        ToolCallPart(1, "call_2", "g", "["),
        ToolCallPart(0, arguments="}"),
        ToolCallPart(1, arguments="]"),
    ],
    "a text, a call, and more text": [Piece("a"), ToolCallPart(0, "call_1", "f", "{}"), Piece("b")],
}
OUTPUT = {
    "nothing": ["message:"],
    "a text": ["message:ab"],
    "a thought and a text": ["reasoning:ab", "message:c"],
    "a text that ends in a refusal": ["message:abc"],
    "a thought behind a text": ["message:a", "reasoning:b", "message:c"],
    "a call": ["function_call:{}"],
    "calls whose pieces are mixed": ["function_call:{}", "function_call:[]"],
    "a text, a call, and more text": ["message:a", "function_call:{}", "message:b"],
}


def writer() -> EventWriter:
    return EventWriter(ResponseLabel(response_request.parse(b'{"model": "m", "input": "x"}').given, is_stored=False))


def decoded(frames: bytes) -> list[dict[str, Any]]:
    found = [json.loads(frame.partition("\ndata: ")[2]) for frame in frames.decode().split("\n\n")[:-1]]
    for event in found:
        openai_schemas.check(event, "ResponseStreamEvent")
    return found


def shown(item: dict[str, Any]) -> str:
    parts = item.get("content", ())
    return f"{item['type']}:" + (
        item.get("arguments") or "".join(part.get("text") or part.get("refusal") or "" for part in parts)
    )


@pytest.mark.parametrize("name", SAID)
def test_a_stream_adds_up_to_its_last_event(name: str) -> None:
    made = writer()
    frames = made.opening() + b"".join(map(made.piece, SAID[name])) + made.closing("stop", TOKENS)
    events = decoded(frames)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    response = events[-1]["response"]
    assert list(map(shown, response["output"])) == OUTPUT[name]
    done = {event["output_index"]: event["item"] for event in events if event["type"] == "response.output_item.done"}
    assert [done[index] for index in sorted(done)] == response["output"]
    begun = [event["item"] for event in events if event["type"] == "response.output_item.added"]
    assert [(item["id"], item["status"]) for item in begun] == [
        (item["id"], "in_progress") for item in response["output"]
    ]
    assert {item["status"] for item in response["output"]} == {"completed"}


@pytest.mark.parametrize(("finish_reason", "why"), [("length", "max_output_tokens"), ("content_filter",) * 2])
def test_an_answer_that_was_cut_is_incomplete(finish_reason: Any, why: str) -> None:
    made = writer()
    made.piece(Piece("a"))
    last = decoded(made.closing(finish_reason, TOKENS))[-1]
    assert (last["type"], last["response"]["incomplete_details"]) == ("response.incomplete", {"reason": why})
    assert last["response"]["output"][0]["status"] == "incomplete"


def test_a_line_end_of_others_cuts_no_event() -> None:
    made = writer()
    made.opening()
    assert b"\\u2028" in made.piece(Piece("a\u2028b"))
