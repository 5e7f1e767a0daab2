"""An answer in the caller's format: asked of the model, checked before it is given, or promised by the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai import APIError, InternalServerError, OpenAI, Stream
from pydantic import BaseModel

from identity.models import User
from publishing.models import Core, Turn
from tests.chatapi.test_usage import recorded
from tests.support.chat_calls import call, error, frames, hello
from tests.support.serving import Server
from tests.support.thinking_flows import deployed, node
from tests.support.upstream import Upstream
from tests.support.upstream_answers import completion, giving, saying

KeyOf = Callable[[User], str]
NAME = "scaicore/acme/clerk"
ASK: list[Any] = [{"role": "user", "content": "Who is it?"}]


Chunks = Stream[object]


class Person(BaseModel):
    """What the caller wants to know."""

    name: str
    age: int


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
GOOD, BAD = '{"name": "Ida", "age": 7}', '{"name": "Ida", "age": "seven"}'


def wanted(schema: Any = PERSON, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, **more}}


def clerk(owner: User, *, instance_mode: str = "stateless", **config: Any) -> Core:
    """A published flow in which a model replies."""
    identity = {"models": [{"role": "main", "ref": "scripted", "model": "odd"}]}
    reply = node("reply", "llm_flexible", goal="Help.", result_binding="response", **config)
    return deployed(owner, "Clerk", reply, core_identity=identity, scaiflow_meta={"instance_mode": instance_mode})


def client(server: Server, key: str) -> OpenAI:
    return OpenAI(base_url=server.v1, api_key=key, max_retries=0, _strict_response_validation=True)


def test_an_sdk_parses_a_whole_answer(thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf) -> None:
    clerk(root)
    models.plays("odd", saying(GOOD))
    answer = client(thinking, key_of(ann)).chat.completions.parse(model=NAME, messages=ASK, response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="Ida", age=7)
    sent = models.requests[0].json["response_format"]
    assert (sent["type"], sent["json_schema"]["strict"]) == ("json_schema", True)


def test_an_sdk_parses_a_stream(thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf) -> None:
    clerk(root)
    models.plays("odd", saying(GOOD))
    with client(thinking, key_of(ann)).chat.completions.stream(
        model=NAME, messages=ASK, response_format=Person
    ) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.parsed == Person(name="Ida", age=7)


@pytest.mark.parametrize("asked", [wanted(), wanted(strict=True), {"type": "json_object"}], ids=str)
@pytest.mark.parametrize("said", ["Ida, seven.", '["Ida", 7]', f"```json\n{GOOD}\n```"])
def test_an_answer_that_does_not_fit_is_not_given_and_stores_nothing(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, asked: Any, said: str
) -> None:
    clerk(root, instance_mode="entity")
    models.plays("odd", saying(said))
    answer = call(thinking, key_of(ann), hello(model=NAME, response_format=asked, entity_id="c-1"))
    assert (answer.status_code, error(answer)["code"]) == (502, "core_error")
    assert "did not fit the `response_format`" in error(answer)["message"]
    assert (Turn.objects.count(), recorded(1)[0].outcome) == (0, "failed")


def test_the_place_of_the_misfit_is_named(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    clerk(root)
    models.plays("odd", saying(BAD))
    with pytest.raises(InternalServerError, match=r"`\$.age` does not meet `type`"):
        client(thinking, key_of(ann)).chat.completions.parse(model=NAME, messages=ASK, response_format=Person)


def test_a_stream_that_does_not_fit_ends_with_an_error(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    clerk(root, instance_mode="entity")
    models.plays("odd", saying(BAD))
    key, body = key_of(ann), hello(model=NAME, response_format=wanted(), entity_id="c-1", stream=True)
    *said, failure, done = frames(call(thinking, key, body))
    assert "".join(frame["choices"][0]["delta"].get("content", "") for frame in said) == BAD
    assert all(frame["choices"][0]["finish_reason"] is None for frame in said)
    assert (failure["error"]["code"], done) == ("core_error", "[DONE]")
    assert not Turn.objects.exists()
    with pytest.raises(APIError, match="did not fit"):
        list(client(thinking, key).post("/chat/completions", body=body, cast_to=object, stream=True, stream_cls=Chunks))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (giving(completion('{"name": "I', "length")), ('{"name": "I', None, "length")),
        (giving(completion(None, refusal="I cannot say.")), (None, "I cannot say.", "stop")),
        (giving(completion("{", "content_filter")), ("{", None, "content_filter")),
    ],
)
def test_an_answer_that_was_cut_or_declined_says_so_by_itself(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, script: Any, expected: Any
) -> None:
    clerk(root)
    models.plays("odd", script)
    choice = call(thinking, key_of(ann), hello(model=NAME, response_format=wanted())).json()["choices"][0]
    assert (choice["message"]["content"], choice["message"]["refusal"], choice["finish_reason"]) == expected


FORMAT = "response_format"
UNUSABLE: dict[str, tuple[Any, str, str]] = {
    "another type": ({"type": "xml"}, f"{FORMAT}.type", "invalid_value"),
    "no type": ({}, f"{FORMAT}.type", "missing_required_parameter"),
    "no schema": ({"type": "json_schema"}, f"{FORMAT}.json_schema", "missing_required_parameter"),
    "no name": (
        {"type": "json_schema", "json_schema": {"schema": {}}},
        f"{FORMAT}.json_schema.name",
        "missing_required_parameter",
    ),
    "a schema that is none": (wanted({"type": 7}), f"{FORMAT}.json_schema.schema", "invalid_value"),
    "a schema elsewhere": (wanted({"$ref": "https://a.example/s"}), f"{FORMAT}.json_schema.schema", "invalid_value"),
    "a schema on the disk": (wanted({"$ref": "file:///etc/passwd"}), f"{FORMAT}.json_schema.schema", "invalid_value"),
    "a huge schema": (wanted({"enum": ["x" * 200_000]}), f"{FORMAT}.json_schema.schema", "invalid_value"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_format_that_cannot_be_used_is_400_and_asks_nobody(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, name: str
) -> None:
    asked, param, code = UNUSABLE[name]
    clerk(root)
    answer = call(thinking, key_of(ann), hello(model=NAME, response_format=asked))
    assert (answer.status_code, error(answer)["param"], error(answer)["code"]) == (400, param, code)
    assert not models.requests


def test_a_schema_that_unfolds_for_ever_is_given_up_and_holds_nobody_up(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    clerk(root)
    inner = {"properties": {"x": {"$ref": "#/$defs/a"}}, "required": ["y"]}
    bomb = {"$defs": {"a": {"anyOf": [inner] * 8}}, "$ref": "#/$defs/a"}
    models.plays("odd", saying('{"x":' * 50 + "{}" + "}" * 50))
    answer = call(thinking, key_of(ann), hello(model=NAME, response_format=wanted(bomb)))
    assert (answer.status_code, "in time" in error(answer)["message"]) == (502, True)


def test_a_flow_with_a_schema_of_its_own_answers_one_that_agrees(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    clerk(root, output_schema=PERSON)
    models.plays("odd", saying(GOOD))
    key = key_of(ann)
    parse = client(thinking, key).chat.completions.parse
    parsed = parse(model=NAME, messages=ASK, response_format=Person).choices[0].message.parsed
    assert parsed == Person(name="Ida", age=7)
    assert call(thinking, key, hello(model=NAME, response_format={"type": "json_object"})).status_code == 200


def test_a_flow_with_a_schema_of_its_own_refuses_one_that_differs_and_says_where(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    clerk(root, output_schema=PERSON)
    other = {"type": "object", "properties": {"age": {"type": "string"}}, "required": ["age", "town"]}
    answer = call(thinking, key_of(ann), hello(model=NAME, response_format=wanted(other)))
    found = error(answer)
    assert (answer.status_code, found["param"], found["code"]) == (400, FORMAT, "invalid_value")
    assert all(place in found["message"] for place in ("`reply`", "`$.age`", "`$.town`"))
    assert not models.requests
