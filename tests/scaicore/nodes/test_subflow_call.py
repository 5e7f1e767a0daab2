"""Calls of other Cores, with the rights of the one who called first."""

import pytest

from scaicore import Services, Usage
from scaicore.services import CoreCall
from tests.scaicore.nodes.test_llm_flexible import failure
from tests.support.documents import chain, codes, entry, node, run
from tests.support.services import Cores


def calls(**config):
    return chain(entry(), node("call", "subflow_call", **{"target": "core://acme/echo-agent", **config}))


async def called(given=None, depth=0, **config):
    fake = Cores({"response": "there", "more": 1})
    finished = await run(calls(**config), given, services=Services(cores=fake, depth=depth))
    return fake.calls[0], finished


async def test_another_cores_output_is_the_result():
    call, finished = await called({"message": "m", "messages": [], "params": {}, "colour": "red"})
    assert finished.output == {"response": "there", "more": 1}
    assert finished.usage == Usage(5, 1)
    assert call == CoreCall(
        "acme", "echo-agent", {"message": "m", "messages": [], "params": {}}, timeout_s=call.timeout_s
    )


async def test_what_is_bound_is_the_other_cores_input():
    call, _ = await called({"message": {"id": 7}}, input_bindings={"order": "message.id", "none": "params.x"})
    assert call.input == {"order": 7, "none": None}


async def test_an_instance_a_version_and_a_time_are_passed_on():
    call, _ = await called(instance_key="order-{{message}}", version=3, timeout=5)
    assert (call.instance_key, call.version, call.timeout_s) == ("order-hello", 3, 5)
    call, _ = await called(timeout=900)
    assert call.timeout_s <= 300


async def test_cores_call_each_other_eight_levels_deep_and_no_deeper():
    call, _ = await called(depth=7)
    assert call.depth == 8
    assert await failure(calls(), services=Services(cores=Cores({}), depth=8)) == ("too_deep", "call")


async def test_a_core_that_the_caller_may_not_call_fails_the_run():
    assert await failure(calls(), services=Services(cores=Cores())) == ("service_unconfigured", "call")
    assert await failure(calls()) == ("no_cores", "call")


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"target": "core://acme"}, "bad_value"),
        ({"target": "https://acme/echo"}, "bad_value"),
        ({"target": "core://acme/{{message}}"}, "bad_value"),
        ({"input_bindings": {"a": "1+1"}}, "bad_template"),
        ({"instance_key": "{{"}, "bad_template"),
        ({"version": 0}, "invalid_shape"),
    ],
)
def test_a_config_that_cannot_work_is_told_at_deploy(config, code):
    assert codes(calls(**config)) == [code]
