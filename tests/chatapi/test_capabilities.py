"""What a Core can do is one declaration, which every door shows and obeys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.test import Client
from openai import BadRequestError, OpenAI

from identity.models import User
from publishing.models import Core
from scaicore.capabilities import CAPABILITIES
from tests.support.chat_calls import call, error, hello
from tests.support.pictures import data_url, file, image, png, sound
from tests.support.serving import Server
from tests.support.thinking_flows import assistant
from tests.support.upstream import Upstream

NAME = "scaicore/acme/assistant"
ECHO = "scaicore/acme/echo-agent"
KeyOf = Callable[[User], str]

IMAGE, SOUND = image(data_url(png())), sound()
FILE = file(file_data="data:text/plain;base64,aGk=", filename="a.txt")


def saying(*parts: dict[str, Any]) -> dict[str, Any]:
    return hello(model=NAME, messages=[{"role": "user", "content": [*parts, {"type": "text", "text": "What is it?"}]}])


def able(core: Core) -> set[str]:
    assert core.live
    return set(core.live.capabilities)


@pytest.mark.parametrize(("part", "needed"), [(IMAGE, "images"), (SOUND, "audio"), (FILE, "files")])
def test_a_part_reaches_the_model_of_a_core_that_declares_it_and_is_refused_by_another(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, part: dict[str, Any], needed: str
) -> None:
    core, key = assistant(root, "well", able=[needed]), key_of(ann)
    assert needed in able(core)
    assert call(thinking, key, saying(part)).status_code == 200
    assert models.requests[0].json["messages"][-1]["content"][0] == part
    for other in (IMAGE, SOUND, FILE):
        if other is not part:
            refused = call(thinking, key, saying(other))
            assert (refused.status_code, error(refused)["param"]) == (400, "messages[0].content[0]")
    assert len(models.requests) == 1


def test_a_format_reaches_the_model_that_writes_the_response_without_a_word_of_the_author(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "well")
    models.says("well", "{}")
    client = OpenAI(base_url=thinking.v1, api_key=key_of(ann), max_retries=0)
    ask: Any = client.chat.completions.create
    wanted = {"type": "json_object"}
    ask(model=NAME, messages=[{"role": "user", "content": "hi"}], response_format=wanted)
    assert models.requests[0].json["response_format"] == wanted


def test_a_refusal_names_the_capability_that_is_lacking(echo: Core, server: Server, ann: User, key_of: KeyOf) -> None:
    ask: Any = OpenAI(base_url=server.v1, api_key=key_of(ann), max_retries=0).chat.completions.create
    with pytest.raises(BadRequestError) as refused:
        ask(model=ECHO, messages=[{"role": "user", "content": "hi"}], response_format={"type": "json_object"})
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "response_format")
    assert "`structured_output`" in refused.value.message


@pytest.mark.parametrize("fields", [{"n": 2}, {"logprobs": True}, {"function_call": {"name": "f"}}, {"audio": {}}])
def test_what_no_core_can_do_says_so(
    thinking: Server, root: User, ann: User, key_of: KeyOf, fields: dict[str, Any]
) -> None:
    assistant(root, "well", able=["images", "audio", "files", "web_search"])
    refused = call(thinking, key_of(ann), hello(model=NAME, **fields))
    assert (refused.status_code, error(refused)["param"]) == (400, next(iter(fields)))
    assert error(refused)["message"].startswith("This server does not support")


def test_a_model_says_what_it_can_do_to_clients_that_look(
    thinking: Server, root: User, echo: Core, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "well", able=["images"], options={"thinking": "pass"})
    client = OpenAI(base_url=thinking.v1, api_key=key_of(ann), _strict_response_validation=True)
    shown: Any = client.models.retrieve(NAME)
    assert shown.capabilities == {name: name in ("structured_output", "images", "reasoning") for name in CAPABILITIES}
    plain: Any = client.models.retrieve(ECHO)
    assert not any(plain.capabilities.values())
    assert {model.id for model in client.models.list()} == {NAME, ECHO}


def test_the_module_and_the_page_show_the_same(
    thinking: Server, root: User, ann: User, key_of: KeyOf, client: Client
) -> None:
    core = assistant(root, "well", able=["images"])
    headers = {"authorization": f"Bearer {key_of(root)}"}
    shown = requests.get(f"{thinking.v1}/modules/scaicore/cores/{core.pk}", headers=headers, timeout=30).json()["data"]
    assert shown["capabilities"] == ["structured_output", "images"]
    client.force_login(ann)
    page = client.get(f"/models/{core.pk}/").content.decode()
    yes, no = '<span class="badge good">Yes</span> <code>%s</code>', '<span class="badge">No</span> <code>%s</code>'
    for name in CAPABILITIES:
        assert (yes if name in able(core) else no) % name in page
