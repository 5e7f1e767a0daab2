"""The guarded answer: entered only if the guard holds, accepted only if it is valid."""

import pytest

from scaicore.services import ServiceFailed
from tests.scaicore.nodes.test_llm_flexible import IDENTITY, SCHEMA, deltas, failure
from tests.support.documents import answer, chain, codes, entry, events, node
from tests.support.services import models


def guards(**config):
    return chain(entry(), node("think", "llm_guarded", **config), **IDENTITY)


async def test_a_model_behind_a_guard_that_does_not_hold_is_never_asked():
    fake, services = models("never")
    assert await failure(guards(guard="message == 'x'"), services=services) == ("guard_refused", "think")
    sorry = guards(guard="message == 'x'", on_validation_failure={"fallback": "Not {{message}}."})
    assert await answer(sorry, services=services) == "Not hello."
    assert fake.calls == []


async def test_behind_a_guard_that_holds_the_answer_is_heard_as_it_comes():
    _, services = models(["a", "b"])
    assert deltas(await events(guards(guard="message == 'hello'"), services=services)) == ["a", "b"]


async def test_an_answer_that_must_be_valid_is_not_heard_early():
    _, services = models(["yes", "!"])
    told = await events(guards(validate="output.startsWith('yes')"), services=services)
    assert (deltas(told), told[-1].output) == ([], {"response": "yes!"})


async def test_an_invalid_answer_fails_the_run():
    _, services = models("no", "no")
    assert await failure(guards(validate="output == 'yes'"), services=services) == ("validation_refused", "think")


async def test_an_invalid_answer_is_asked_for_once_more():
    again = guards(validate="output == 'yes'", on_validation_failure="retry")
    assert await answer(again, services=models("no", "yes")[1]) == "yes"
    assert await failure(again, services=models("no", "no")[1]) == ("validation_refused", "think")


async def test_an_invalid_answer_gives_way_to_the_fallback():
    sorry = guards(validate="output == 'yes'", on_validation_failure={"fallback": "Sorry."})
    assert await answer(sorry, services=models("no")[1]) == "Sorry."


async def test_a_fallback_for_failure_holds_for_both():
    sorry = guards(validate="output == 'yes'", on_failure={"fallback": "Later."})
    assert await answer(sorry, services=models("no")[1]) == "Later."
    assert await answer(sorry, services=models(ServiceFailed("unreachable"))[1]) == "Later."


async def test_data_by_a_schema_is_validated_as_data():
    document = guards(output_schema=SCHEMA, validate="output.score > 2")
    assert await answer(document, services=models('{"score": 3}')[1]) == {"score": 3}
    assert (await failure(document, services=models('{"score": 2}')[1]))[0] == "validation_refused"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"guard": "message =="}, "bad_expression"),
        ({"guard": "1 + 1"}, "bad_condition"),
        ({"validate": "nope(output)"}, "bad_expression"),
        ({"validate": "colour == 1"}, "unknown_name"),
        ({"on_validation_failure": {"fallback": "{{"}}, "bad_template"),
        ({"on_validation_failure": "shrug"}, "invalid_shape"),
    ],
)
def test_a_config_that_cannot_work_is_told_at_deploy(config, code):
    assert codes(guards(**config), providers={"house"}) == [code]
    assert codes(guards(validate="output == 'x'"), providers={"house"}) == []
