"""A flow that waits for nothing is run without an event loop, and nobody can tell the difference."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from scaicore import DRIVERS, RunFailed, RunTimedOut
from tests.scaicore.runtime.test_regions import FORWARD, KINDS, LAST, drawn
from tests.support.documents import chain, entry, node, request, says

DRIVER = DRIVERS["flow"]


def told(event):
    """What an event says, but for how long it took."""
    fields = msgspec.to_builtins(event)
    return {name: value for name, value in fields.items() if name != "duration_ms"}


async def waiting(asked):
    found = []
    try:
        async for event in DRIVER.run(asked):
            found.append(told(event))
    except (RunFailed, RunTimedOut) as error:
        found.append(repr(error))
    return found


def calculated(asked):
    found = []
    try:
        for event in DRIVER.calculate(asked):
            if event is not None:
                found.append(told(event))
    except (RunFailed, RunTimedOut) as error:
        found.append(repr(error))
    return found


@settings(max_examples=150)
@given(FORWARD, st.lists(st.sampled_from(KINDS), min_size=LAST, max_size=LAST), st.integers(0, 2**16))
async def test_both_ways_tell_the_same(pairs, kinds, held):
    document = drawn(pairs, kinds, held)
    given = {"entity_id": "e", "state": {}}
    assert calculated(request(document, **given)) == await waiting(request(document, **given))


async def test_both_ways_fail_alike():
    document = chain(entry(), node("half", "data_variable_set", variable="count", expression="1 / 0"), says("r", "x"))
    document["variables"] = [{"name": "count", "type": "number"}]
    both = calculated(request(document)), await waiting(request(document))
    assert both[0] == both[1]
    assert both[0][-1].startswith("RunFailed")


async def test_a_time_that_is_over_ends_both_ways():
    document = chain(entry(), says("r", "x"))
    both = calculated(request(document, deadline_s=0.0)), await waiting(request(document, deadline_s=0.0))
    assert both[0] == both[1]
    assert both[0][-1].startswith("RunTimedOut")


def test_a_flow_that_may_wait_is_not_calculated():
    fetch = node("fetch", "tool_http", url="https://example.com/", method="GET")
    assert DRIVER.calculate(request(chain(entry(), fetch, says("r", "{{fetch}}")))) is None


def test_a_long_calculation_lets_others_have_their_turn():
    steps = [says(f"n{number}", "x") for number in range(200)]
    assert list(DRIVER.calculate(request(chain(entry(), *steps)))).count(None) >= 3
