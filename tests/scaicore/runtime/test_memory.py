"""Variables: declared slots with types; what a Core keeps between its calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore import RunFailed
from scaicore.language.variables import TYPES, fits, initial
from tests.support.documents import chain, entry, node, run, says, variable

COUNTS = chain(
    entry(),
    node("count", "data_variable_set", variable="n", expression="state.n + 1"),
    says("reply", "{{state.n}}"),
    variables=[variable("n", "integer", default=1), variable("names", "array")],
)
KEEPS = {**COUNTS, "config": {"scaiflow_meta": {"instance_mode": "entity"}}}


def setting(kind, **config):
    return chain(entry(), node("set", "data_variable_set", variable="v", **config), variables=[variable("v", kind)])


async def test_variables_start_at_their_defaults_on_every_stateless_call():
    for _ in range(2):
        finished = await run(COUNTS, state={"n": 10})
        assert finished.state == {"n": 2, "names": []}
        assert finished.output == {"response": "2"}


async def test_a_core_with_memory_goes_on_from_what_was_persisted():
    finished = await run(KEEPS, state={"n": 10, "undeclared": 1}, entity_id="ann")
    assert finished.state == {"n": 11, "names": []}


async def test_a_persisted_value_of_another_type_starts_anew():
    assert (await run(KEEPS, state={"n": "ten"})).state["n"] == 2


async def test_the_entity_is_in_the_scope():
    assert (await run(chain(entry(), says("r", "{{entity_id}}")), entity_id="ann")).output == {"response": "ann"}


async def test_texts_inside_a_value_are_templates_and_its_keys_are_not():
    value = {"{{message}}": ["<{{message}}>", 1, None]}
    finished = await run(setting("object", value=value), {"message": "{{state}}"})
    assert finished.state["v"] == {"{{message}}": ["<{{state}}>", 1, None]}


async def test_a_value_of_the_wrong_type_fails_the_run():
    with pytest.raises(RunFailed) as failed:
        await run(setting("number", expression="message"))
    assert (failed.value.reason, failed.value.node_id) == ("wrong_type", "set")


async def test_memory_beyond_a_mebibyte_is_refused():
    document = setting("string", value="{{message}}")
    assert (await run(document, {"message": "x" * 1_100_000})).state
    document["config"] = {"scaiflow_meta": {"instance_mode": "singleton"}}
    with pytest.raises(RunFailed) as failed:
        await run(document, {"message": "x" * 1_100_000})
    assert failed.value.reason == "state_too_large"


async def test_memory_cannot_grow_deeper_without_end():
    document = setting("any", expression="{'before': state.v}")
    document["config"] = {"scaiflow_meta": {"instance_mode": "singleton"}}
    state, turns = {}, 0
    with pytest.raises(RunFailed) as failed:
        while turns < 100:
            state = (await run(document, state=state)).state
            turns += 1
    assert (failed.value.reason, turns) == ("not_plain_data", 64)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", "x", 1),
        ("number", 1.5, True),
        ("integer", 2.0, 1.5),
        ("boolean", False, 0),
        ("array", [1], {}),
        ("object", {"a": 1}, []),
    ],
)
def test_a_type_takes_its_own_values_only(kind, good, bad):
    assert fits(good, kind)
    assert fits(None, kind)
    assert not fits(bad, kind)


@given(st.sampled_from(sorted(TYPES)))
def test_every_type_has_an_initial_value_of_its_own(kind):
    assert fits(initial(kind), kind)
