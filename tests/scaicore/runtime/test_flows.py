"""The flows that ship: each compiles, and does what its description says."""

import json
from pathlib import Path

import pytest

from scaicore import Services, compile, properties
from scaicore.services import ServiceFailed
from tests.scaicore.nodes.test_checkpoint import Entity
from tests.support.documents import answer
from tests.support.services import Http, Models, models

SHIPPED = sorted(Path("flows").glob("*.json"))


def flow(name):
    document = json.loads(Path(f"flows/{name}.json").read_text())
    for model in document["config"]["core_identity"]["models"]:
        model["ref"] = "house"
    return document


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_flow_that_ships_compiles_without_a_word(path):
    document = json.loads(path.read_text())
    assert compile(document, providers=("demo",)).diagnostics == ()
    is_called = any(node["type"] == "entry_api" for node in document["nodes"])
    assert properties(document).publish_as_model == is_called


async def test_the_assistant_remembers_what_it_was_told_to():
    ann = Entity(flow("assistant"))
    fake, services = models("Noted.", "Tea.")
    await ann.says("Remember I like tea.", services=services)
    assert await ann.says("What do I like?", services=services) == "Tea."
    assert ann.told[-1].state == {"facts": ["Remember I like tea."], "turns": 2}
    assert "Remember I like tea." in fake.calls[1].messages[0]["content"]


async def test_an_urgent_request_is_handed_over():
    _, services = models('{"topic": "outage", "urgent": true}')
    assert "This looks urgent (outage)" in await answer(flow("triage"), services=services)


@pytest.mark.parametrize(
    ("said", "replied"),
    [
        (['{"topic": "billing", "urgent": false}', "See the menu."], "See the menu."),
        (['{"topic": "billing", "urgent": false}', "A refund is on its way."], "Thank you. A colleague"),
        (["hm", "hm", "See the menu."], "See the menu."),
        ([ServiceFailed("unreachable"), ServiceFailed("unreachable")], "Thank you. A colleague"),
    ],
    ids=["good", "promises", "unsorted", "no model"],
)
async def test_any_other_request_gets_a_reply_that_promises_nothing(said, replied):
    assert (await answer(flow("triage"), services=models(*said)[1])).startswith(replied)


async def test_the_researcher_asks_two_places_at_once_and_sums_up():
    fake, web = Models("Both say so."), Http({"found": 1}, wait_s=0.01)
    assert await answer(flow("researcher"), services=Services(models=fake, http=web)) == "Both say so."
    assert web.most_at_once == 2
    assert [call.query.get("srsearch", call.query.get("q")) for call in web.calls] == ["hello", "hello"]
    assert '{"found":1}' in fake.calls[0].messages[0]["content"]


async def test_a_draft_goes_out_only_when_it_is_approved():
    ann = Entity(flow("approval"))
    _, services = models("We open Monday.", "Another.")
    assert (await ann.says("opening", services=services)).startswith("We open Monday.\n\nMay this go out?")
    assert await ann.says("Approve") == "Approved:\n\nWe open Monday."
    assert ann.told[-1].state == {"approved": ["We open Monday."]}
    await ann.says("another", services=services)
    assert (await ann.says("reject")).startswith("Rejected.")
