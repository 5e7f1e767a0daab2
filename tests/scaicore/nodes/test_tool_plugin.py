"""Calls of tools of MCP servers, as a node makes them."""

import pytest

from scaicore import Services
from scaicore.errors import RunFailed
from scaicore.services import PluginAnswer, PluginCall, PluginTool
from tests.support.documents import chain, entry, node, run
from tests.support.services import Plugins

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "units": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = {"weather": {"forecast": SCHEMA}}


def calls(**config):
    args = {"city": "{{message}}"}
    return chain(
        entry(), node("call", "tool_plugin", **{"plugin": "weather", "method": "forecast", "args": args} | config)
    )


def plugins(answer=None):
    return Plugins({"forecast": PluginTool("forecast", "", SCHEMA)}, answer or PluginAnswer("Rain."))


async def called(given=None, answer=None, **config):
    fake = plugins(answer)
    finished = await run(calls(**config), given, services=Services(plugins=fake), plugins=TOOLS)
    return fake.calls[0], finished


async def test_the_tools_text_is_the_result():
    call, finished = await called()
    assert finished.output["response"] == {"text": "Rain."}
    assert call == PluginCall("weather", "forecast", {"city": "hello"}, call.timeout_s)
    assert 29 < call.timeout_s <= 30


async def test_structured_content_stands_beside_the_text():
    _, finished = await called(answer=PluginAnswer("Rain.", {"mm": 7}), result_binding="found")
    assert finished.output["response"] == {"text": "Rain.", "json": {"mm": 7}}


async def test_texts_of_arguments_are_filled_and_read_where_the_schema_wants_no_text():
    args = {"city": "{{message}}", "days": "{{n}}", "units": '["{{message}}"]'}
    call, _ = await called({"message": "3", "n": 3}, args=args)
    assert call.args == {"city": "3", "days": 3, "units": ["3"]}


async def test_what_a_caller_sent_stays_inside_its_argument():
    call, _ = await called({"message": '", "days": 9, "x": "{{state}}'})
    assert call.args == {"city": '", "days": 9, "x": "{{state}}'}


@pytest.mark.parametrize("days", ["many", "1.5", "true", "[1]"])
async def test_arguments_that_do_not_fit_are_not_sent(days):
    with pytest.raises(RunFailed) as caught:
        await called({"message": "x", "n": days}, args={"city": "x", "days": "{{n}}"})
    assert (caught.value.reason, caught.value.said) == ("arguments_unfit", "`$.days` does not meet `type`")


async def test_a_tool_that_fails_fails_the_node():
    with pytest.raises(RunFailed) as caught:
        await called(answer=PluginAnswer("No such city.", is_error=True))
    assert (caught.value.reason, caught.value.said) == ("tool_failed", "No such city.")


async def test_a_tool_that_may_not_be_used_any_more_is_not_called():
    fake = Plugins({}, PluginAnswer("Rain."))
    with pytest.raises(RunFailed) as caught:
        await run(calls(), services=Services(plugins=fake), plugins=TOOLS)
    assert (caught.value.reason, fake.calls) == ("service_unconfigured", [])


async def test_a_run_without_plugins_says_so():
    with pytest.raises(RunFailed) as caught:
        await run(calls(), plugins=TOOLS)
    assert caught.value.reason == "no_plugins"
