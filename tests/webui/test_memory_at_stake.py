"""At every door, another version is made live over memories that it does not read only after a question."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.models import Core, Entity, Flow
from tests.conftest import echo_document
from tests.support.staff import choose, page

AT_STAKE = "The live version keeps 1 memory that the other would not read whole"


def counting(kind: str) -> dict[str, Any]:
    """The echo flow in entity mode, with a variable of this type."""
    memory = {"scaiflow_meta": {"instance_mode": "entity"}}
    return echo_document(**memory) | {"variables": [{"name": "count", "type": kind}]}


def remember(core: Core, entity_id: str = "c") -> None:
    stamps = {"created_at": timezone.now(), "updated_at": timezone.now()}
    Entity.objects.create(
        core=core, partition="entity", owner="u", entity_id=entity_id, turns_committed=1, state={"count": 1}, **stamps
    )


@pytest.fixture
def core(echo: Core, echo_flow: Flow, root: User) -> Core:
    """Version 3, which counts in numbers, is live and remembers one; version 2 counts in texts."""
    for kind in ("string", "number"):
        saved = echo_flow.saved.version
        actions.save_flow(
            echo_flow, base_version=saved, content=counting(kind), actor=actor_of(root), at=timezone.now()
        )
        actions.deploy(echo_flow, actor=actor_of(root), at=timezone.now())
    remember(echo)
    return Core.objects.select_related("live").get(pk=echo.pk)


@pytest.fixture
def browser(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def live(core: Core) -> int:
    found = Core.objects.select_related("live").get(pk=core.pk).live
    assert found is not None
    return found.number


def test_the_models_page_says_how_many_before_the_click(browser: Client, core: Core) -> None:
    url = f"/models/{core.pk}/rollback/2/"
    assert "keeps 1 memory that this one would not read whole" in browser.get(url).content.decode()
    browser.post(url, {"lost": "1"})
    assert live(core) == 2


@pytest.mark.parametrize("lost", [{}, {"lost": "0"}, {"lost": "2"}, {"lost": "x"}])
def test_the_models_page_asks_again_when_another_number_was_shown(
    browser: Client, core: Core, lost: dict[str, str]
) -> None:
    answer = browser.post(f"/models/{core.pk}/rollback/2/", lost)
    assert (answer.status_code, live(core)) == (409, 3)
    assert "keeps 1 memory" in answer.content.decode()


def roll_back_on_the_canvas(browser: Client, core: Core, **body: Any) -> dict[str, Any]:
    answer = browser.post(f"/flows/{core.flow_id}/rollback/", json.dumps(body), content_type="application/json")
    return dict(answer.json())


def test_the_canvas_is_told_and_sends_the_yes(browser: Client, core: Core) -> None:
    told = roll_back_on_the_canvas(browser, core, version=2)["questions"]
    assert live(core) == 3
    assert told[-1].startswith(AT_STAKE)
    assert "message" in roll_back_on_the_canvas(browser, core, version=2, accept_memory_change=True)
    assert live(core) == 2


def fields_of(browser: Client, url: str) -> dict[str, Any]:
    form = browser.get(url).context["adminform"].form
    values = {field.name: field.value() for field in form}
    sent = {name: "on" if value is True else value for name, value in values.items()}
    return {name: value for name, value in sent.items() if value not in (None, False, [])}


def test_the_admin_asks_on_the_cores_page(browser: Client, core: Core) -> None:
    url = page("/admin/publishing/core/", core)
    chosen = fields_of(browser, url) | {"live": core.versions.get(number=2).pk}
    asked = browser.post(url, chosen)
    assert (asked.status_code, live(core)) == (200, 3)
    question = asked.context["refused"].question
    assert question.startswith(AT_STAKE)
    assert "Save and leave them unread" in asked.content.decode()
    remember(core, "another")
    assert "keeps 2 memories" in browser.post(url, chosen | {"agreed": question}).content.decode()
    Entity.objects.filter(entity_id="another").delete()
    assert browser.post(url, chosen | {"agreed": question}).status_code == 302
    assert live(core) == 2


def test_two_questions_are_both_answered(browser: Client, core: Core, engineering: Any, root: User) -> None:
    """Another version, and everyone instead of a group."""
    actions.publish(core, group_ids=[engineering.scaikey_id], actor=actor_of(root), at=timezone.now())
    url = page("/admin/publishing/core/", core)
    sent = fields_of(browser, url) | {"live": core.versions.get(number=2).pk, "visibility": "tenant"}
    sent.pop("allowed_groups")
    agreed: list[str] = []
    for _ in range(2):
        asked = browser.post(url, sent | {"agreed": agreed})
        assert all(f'name="agreed" value="{said[:40]}' in asked.content.decode() for said in agreed)
        agreed.append(asked.context["refused"].question)
    assert [words.split()[0] for words in agreed] == ["The", "Access"]
    assert browser.post(url, sent | {"agreed": agreed}).status_code == 302
    assert (live(core), Core.objects.get(pk=core.pk).publication.visibility) == (2, "tenant")


def test_the_admins_list_sends_to_the_page_that_asks(browser: Client, core: Core) -> None:
    answer = choose(browser, "/admin/publishing/core/", "roll_back", [core])
    assert "Choose the version on the Core&#x27;s own page, which asks." in answer.content.decode()
    assert live(core) == 3


@pytest.mark.parametrize("options", [[], ["--plan"]])
def test_a_file_says_that_it_may(core: Core, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "echo.json").write_text(json.dumps(counting("string")))
    file = tmp_path / "grid.yaml"
    file.write_text("tenants:\n  - slug: acme\n    flows:\n      - {file: echo.json, deploy: true}\n")
    with pytest.raises(CommandError, match=r"keeps 1 memory.*Set it to true") as refused:
        call_command("apply", str(file), *options, stdout=StringIO())
    assert "tenants[0].flows[0].accept_memory_change" in str(refused.value)
    assert (live(core), Flow.objects.get().saved.version) == (3, "1.0.2")
    file.write_text(file.read_text().replace("deploy: true", "deploy: true, accept_memory_change: true"))
    call_command("apply", str(file), stdout=StringIO())
    assert live(core) == 4
