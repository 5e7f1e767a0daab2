"""Programs: plain data that is stored and read back."""

import json

import msgspec
import pytest

from scaicore import Program, ProgramUnreadable, compile, load
from tests.scaicore.compiler.test_compile_wild import RICH
from tests.support.documents import answer, chain, entry, says, variable


def stored(document=RICH):
    return json.loads(json.dumps(compile(document, providers={"house"}).program.to_dict()))


def test_a_program_is_the_same_after_it_was_stored():
    assert Program.from_dict(stored()) == compile(RICH, providers={"house"}).program
    assert load(stored()).program == Program.from_dict(stored())


def test_a_program_cannot_be_changed():
    with pytest.raises(AttributeError):
        Program.from_dict(stored()).name = "other"


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        {"format": 2},
        {"entry": "ghost"},
        {"nodes": [{"id": "entry", "kind": "no such kind"}]},
        {"nodes": [{"id": "entry", "kind": "llm_rigid", "config": {"template": "{{"}}]},
    ],
)
def test_anything_else_is_unreadable(broken):
    with pytest.raises(ProgramUnreadable):
        load({**stored(chain(entry())), **broken} if broken else broken)


async def test_defaults_are_not_shared_with_what_a_run_changes():
    document = chain(entry(), says("r", "{{state.v}}"), variables=[variable("v", "array", default=[1])])
    assert await answer(document) == "[1]"


def test_a_program_says_what_its_document_wants_published():
    publish = compile(RICH, providers={"house"}).program.publish
    assert (publish.as_model, publish.group_ids) == (True, ("group_a",))
    assert msgspec.json.encode(stored())
