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

HISTORY = "\n### Chat History:\n<chat_history>\nUSER: hello\n</chat_history>"
PROMPTS = {
    "title": [f"### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.{HISTORY}"],
    "tags": [f"### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.{HISTORY}"],
    "follow_ups": [f"### Task:\nSuggest 3-5 relevant follow-up questions or prompts.{HISTORY}"],
    "search_queries": [f"### Task:\nAnalyze whether to generate search queries, {HISTORY}"],
}
LIBRECHAT = "Provide a concise, 5-word-or-less title for the conversation, using title case conventions.\n\nUser: hello"


@pytest.mark.parametrize(("purpose", "texts"), PROMPTS.items())
def test_the_task_prompts_of_open_webui_are_recognised(purpose: str, texts: list[str]) -> None:
    assert hidden_prompts.recognise_purpose(texts) == purpose


@pytest.mark.parametrize("texts", [[LIBRECHAT], [LIBRECHAT, "hello"]])
def test_the_title_prompts_of_librechat_are_recognised_first_or_last(texts: list[str]) -> None:
    assert hidden_prompts.recognise_purpose(texts) == "title"


@pytest.mark.parametrize("text", ["", "hello", "Give me a title for my essay", "### Task:\nwrite a summary", "# title"])
def test_what_people_write_is_chat(text: str) -> None:
    assert hidden_prompts.recognise_purpose([text]) == "chat"


def test_a_hidden_prompt_is_answered_without_touching_memory_and_recorded_as_such(
    server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    counter(root)
    key = key_of(ann)
    assert said(server, key) == "1: hello"
    hidden = hello(model=NAME, messages=[{"role": "user", "content": PROMPTS["title"][0]}])
    assert call(server, key, hidden).status_code == 200
    assert call(server, key, hidden | {"entity_id": "c-1"}).status_code == 200
    assert said(server, key) == "2: hello"
    recorded(4)
    assert sorted(UsageRecord.objects.values_list("purpose", flat=True)) == ["chat", "chat", "title", "title"]


def test_a_flow_can_treat_hidden_prompts_like_any_other(
    server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    core = counter(root, recognise_hidden_prompts=False)
    hidden = hello(model=NAME, entity_id="c-1", messages=[{"role": "user", "content": PROMPTS["title"][0]}])
    call(server, key_of(ann), hidden)
    assert Turn.objects.filter(entity__core=core).count() == 1
