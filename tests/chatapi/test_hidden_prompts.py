"""The prompts that chat front ends send for themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chatapi import hidden_prompts
from chatapi.models import UsageRecord
from identity.models import User
from publishing.models import Turn
from tests.chatapi.test_memory import NAME, counter, said
from tests.chatapi.test_usage import recorded
from tests.support.chat_calls import call, hello
from tests.support.serving import Server


def shaped(*marks: str, heading: str = "### Task:", filler: str = "Do it.") -> str:
    """A prompt that has the shape of a front end's, and none of its sentences."""
    return "\n".join([heading, filler, *marks])


HISTORY = "<chat_history>\nUSER: hello\n</chat_history>"
TITLE = shaped('{ "title": "…" }', HISTORY)
SHAPES = [
    ("title", TITLE),
    ("tags", shaped('{ "tags": ["…"] }', HISTORY)),
    ("follow_ups", shaped('{ "follow_ups": ["…"] }', HISTORY)),
    ("follow_ups", shaped('{ "follow_ups": ["…"] }')),
    ("search_queries", shaped('{ "queries": ["…"] }', HISTORY)),
    ("compaction", shaped("### Previous Summary:", "none")),
    ("compaction", shaped("### Previous Summary:", "x" * 5000, "### Messages Being Compacted:", HISTORY)),
    ("emoji", shaped("", "Message: ```hello```", heading="Your task is this.", filler="One emoji.")),
    (
        "merge",
        shaped("", "Responses from models: a, b", heading="You have been provided with", filler='user query: "x"'),
    ),
    (
        "merge",
        shaped("x" * 30_000, "Responses from models: a", heading="You have been provided with", filler="user query: x"),
    ),
]


@pytest.mark.parametrize(("purpose", "text"), SHAPES)
def test_a_prompt_of_open_webui_is_known_by_its_shape(purpose: str, text: str) -> None:
    assert hidden_prompts.recognise_purpose(["hello", "hi", text]) == purpose


def test_every_known_form_is_recognised_by_its_marks_alone() -> None:
    for shape in (*hidden_prompts.OPEN_WEBUI, *hidden_prompts.LIBRECHAT):
        text = "\n".join([shape.head.upper(), *shape.marks])
        assert hidden_prompts.recognise_purpose([text]) != "chat", shape


@pytest.mark.parametrize("texts", [[0, 1], [1, 0]])
def test_the_title_prompts_of_librechat_are_recognised_first_or_last(texts: list[int]) -> None:
    prompt = " ".join(hidden_prompts.LIBRECHAT[0].marks)
    assert hidden_prompts.recognise_purpose([[prompt, "hello"][index] for index in texts]) == "title"


TASKS = [
    ("title_generation", "title"),
    ("emoji_generation", "emoji"),
    ("moa_response_generation", "merge"),
    ("context_compaction", "compaction"),
    ("something_new", "other_task"),
    ("{{TASK}}", "chat"),
    (None, "chat"),
]


@pytest.mark.parametrize(("task", "purpose"), TASKS)
def test_what_the_front_end_says_comes_first(task: str | None, purpose: str) -> None:
    assert hidden_prompts.find_purpose(task, ["hello"]) == purpose


def test_a_header_keeps_a_rewritten_prompt_out_of_memory_and_an_empty_one_says_nothing(
    server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    counter(root)
    key = key_of(ann)
    assert said(server, key, **{"x-openwebui-task": ""}) == "1: hello"
    # Without a memory the count begins anew.
    assert said(server, key, **{"x-openwebui-task": "title_generation"}) == "1: hello"
    assert said(server, key, **{"x-openwebui-task": "of_the_next_version"}) == "1: hello"
    assert said(server, key, **{"x-openwebui-task": "{{TASK}}"}) == "2: hello"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "Give me a title for my essay",
        "### Task:\nwrite a summary",
        "# title",
        "Your task is an emoji",
        "a <chat_history>",
    ],
)
def test_what_people_write_is_chat(text: str) -> None:
    assert hidden_prompts.recognise_purpose([text]) == "chat"


def test_a_hidden_prompt_is_answered_without_touching_memory_and_recorded_as_such(
    server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    counter(root)
    key = key_of(ann)
    assert said(server, key) == "1: hello"
    hidden = hello(model=NAME, messages=[{"role": "user", "content": TITLE}])
    assert call(server, key, hidden).status_code == 200
    assert call(server, key, hidden | {"entity_id": "c-1"}).status_code == 200
    assert said(server, key) == "2: hello"
    recorded(4)
    assert sorted(UsageRecord.objects.values_list("purpose", flat=True)) == ["chat", "chat", "title", "title"]


def test_a_flow_can_treat_hidden_prompts_like_any_other(
    server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    core = counter(root, recognise_hidden_prompts=False)
    hidden = hello(model=NAME, entity_id="c-1", messages=[{"role": "user", "content": TITLE}])
    call(server, key_of(ann), hidden)
    assert Turn.objects.filter(entity__core=core).count() == 1
