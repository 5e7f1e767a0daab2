"""What the canvas asks for besides the API."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

import scaicore
from identity.actors import actor_of
from identity.models import AuditEntry, Group, Role, User
from publishing import actions
from publishing.models import Core, Flow
from tests.support.browsing import opened
from tests.support.browsing import save as form_save
from webui.forms import PROPERTIES


@pytest.fixture
def second(root: User) -> User:
    """Another admin of Root's tenant."""
    return User.objects.create(email="second@acme.test", tenant=root.tenant, role=Role.ADMIN)


def asked(client: Client, user: User, flow: Flow, what: str, **body: Any) -> Any:
    client.force_login(user)
    return client.post(f"/flows/{flow.pk}/{what}/", json.dumps(body), content_type="application/json")


def page_data(client: Client, user: User, flow: Flow) -> Any:
    client.force_login(user)
    found = re.search(r'data-page="([^"]*)"', client.get(f"/flows/{flow.pk}/").content.decode())
    assert found
    return json.loads(html.unescape(found[1]))


def save(client: Client, user: User, flow: Flow, base: Any, **changes: Any) -> Any:
    shown = {"base_version": base["version"], "base_time": base["base_time"]}
    return asked(client, user, flow, "save", **shown, **changes).json()


def saved_by(user: User, flow: Flow, **changes: Any) -> None:
    actions.save_flow(flow, base_version=flow.saved.version, actor=actor_of(user), at=timezone.now(), **changes)


def test_the_page_carries_the_flow_and_the_kinds(client: Client, root: User, echo_flow: Flow) -> None:
    answer = page_data(client, root, echo_flow)
    assert answer["saved"]["content"]["nodes"][1]["id"] == "reply"
    assert [kind["kind"] for kind in answer["kinds"]] == list(scaicore.KINDS)
    assert answer["unavailable"] == dict(scaicore.UNAVAILABLE)


def test_a_member_is_not_told_the_groups(client: Client, ann: User, narrow_echo: Core) -> None:
    client.force_login(ann)
    answer = client.get(f"/flows/{narrow_echo.flow_id}/state/").json()
    assert (answer["published_slug"], answer["group_ids"], answer["audience"]) == ("scaicore/acme/echo-agent", [], None)
    assert "group_acme_eng" not in client.get(f"/flows/{narrow_echo.flow_id}/").content.decode()


def test_the_canvas_shows_the_properties_in_the_words_of_the_form(client: Client, root: User, echo_flow: Flow) -> None:
    shown = page_data(client, root, echo_flow)["properties"]
    page = client.get(f"/flows/{echo_flow.pk}/?plain").content.decode()
    assert list(shown) == list(PROPERTIES)
    assert [each["label"] for each in shown.values() if f">{each['label']}</label>" not in page] == []
    assert shown["groups"]["help"] in page
    assert [label for _, label in shown["instance_mode"]["choices"] if label not in page] == []


def test_whoever_may_not_change_the_flow_is_told_who_may(
    client: Client, root: User, ann: User, echo_flow: Flow
) -> None:
    saved_by(root, echo_flow, content=scaicore.with_properties(echo_flow.saved.content, readers="tenant"))
    note = "Only tenant admins of Acme may change, save and deploy this flow: root@acme.test."
    assert page_data(client, ann, echo_flow)["note"] == note
    assert note in client.get(f"/flows/{echo_flow.pk}/?plain").content.decode()
    assert page_data(client, root, echo_flow)["note"] == ""


def test_a_save_answers_what_is_saved_and_what_is_live(client: Client, root: User, echo: Core) -> None:
    assert echo.flow is not None
    base = page_data(client, root, echo.flow)["saved"]
    answer = save(client, root, echo.flow, base, content=base["content"] | {"variables": []})
    assert answer["message"] == "Saved version 1.0.1"
    assert (answer["saved"]["version"], answer["saved"]["by"]) == ("1.0.1", "root@acme.test")
    assert (answer["state"]["is_behind"], answer["state"]["live"]) == (True, "1.0.0")
    assert save(client, root, echo.flow, answer["saved"], name="Renamed")["message"] == "Saved"


def test_a_stale_save_saves_nothing_and_gives_what_is_saved(
    client: Client, root: User, second: User, echo_flow: Flow
) -> None:
    base = page_data(client, root, echo_flow)["saved"]
    saved_by(second, echo_flow, content={**echo_flow.saved.content, "nodes": []})
    answer = save(client, root, echo_flow, base, name="Mine", content=base["content"])
    echo_flow.refresh_from_db()
    assert (answer["message"], answer["saved"]["by"], answer["saved"]["content"]["nodes"]) == ("", second.email, [])
    assert (echo_flow.name, echo_flow.saved.version) == ("Echo Agent", "1.0.1")


def test_a_rename_makes_an_older_canvas_stale(client: Client, root: User, second: User, echo_flow: Flow) -> None:
    base = page_data(client, root, echo_flow)["saved"]
    saved_by(second, echo_flow, name="Theirs")
    answer = save(client, root, echo_flow, base, content=base["content"])
    assert (answer["message"], answer["saved"]["by"], answer["saved"]["version"]) == ("", second.email, "1.0.0")
    assert save(client, root, echo_flow, answer["saved"], name="Mine")["message"] == "Saved"


def test_groups_that_do_not_exist_are_refused_before_they_are_saved(
    client: Client, root: User, echo_flow: Flow, engineering: Group
) -> None:
    base = page_data(client, root, echo_flow)["saved"]
    config = base["content"]["config"] | {"model_visibility_group_ids": ["group_acme_eng", "group_nope"]}
    answer = save(client, root, echo_flow, base, name="Mine", content=base["content"] | {"config": config})
    assert answer["refused"]["details"] == [
        {"field": "group_ids[1]", "message": "The group group_nope does not exist."}
    ]
    echo_flow.refresh_from_db()
    assert (echo_flow.name, echo_flow.saved.version) == ("Echo Agent", "1.0.0")


def test_a_group_that_was_lost_prevents_no_other_save(
    client: Client, root: User, narrow_echo: Core, engineering: Group
) -> None:
    assert narrow_echo.flow is not None
    config = {"publish_as_model": True, "model_visibility_group_ids": ["group_acme_eng"]}
    saved_by(root, narrow_echo.flow, content=narrow_echo.flow.saved.content | {"config": config})
    engineering.delete()
    page = page_data(client, root, narrow_echo.flow)
    assert page["state"]["warning"].startswith("The saved group group_acme_eng does not exist (any more).")
    content = page["saved"]["content"] | {"variables": [{"name": "n", "type": "string"}]}
    assert save(client, root, narrow_echo.flow, page["saved"], content=content)["message"] == "Saved version 1.0.2"


@pytest.mark.parametrize("name", [" ", "n" * 201])
def test_a_name_is_refused_in_the_same_words_by_canvas_and_form(
    client: Client, root: User, echo_flow: Flow, name: str
) -> None:
    base = page_data(client, root, echo_flow)["saved"]
    answer = save(client, root, echo_flow, base, name=name)["refused"]
    [problem] = answer["details"]
    assert problem["field"] == "name"
    fields = opened(client, echo_flow)
    page = form_save(client, echo_flow, fields, name=name).content.decode()
    assert f'<p class="error" id="id_name_error">{problem["message"]}</p>' in page


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"base_version": "1.0.0"}', b'{"base_version": 1, "base_time": 2}'])
def test_a_save_that_cannot_be_read_is_refused(client: Client, root: User, echo_flow: Flow, body: bytes) -> None:
    client.force_login(root)
    response = client.post(f"/flows/{echo_flow.pk}/save/", body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert response.json()["detail"]["error"] in ("invalid_json", "validation_error")
    assert echo_flow.saved.version == "1.0.0"


def test_a_plan_says_what_a_deploy_would_do_and_leaves_no_trace(client: Client, root: User, echo_flow: Flow) -> None:
    entries = AuditEntry.objects.count()
    answer = asked(client, root, echo_flow, "plan").json()
    expected = "Publishes scaicore/acme/echo-agent to everyone in the tenant, 1 active user."
    assert answer == {"summary": expected, "questions": []}
    assert not Core.objects.exists()
    assert AuditEntry.objects.count() == entries


def test_a_plan_asks_before_access_widens(client: Client, root: User, bo: User, narrow_echo: Core) -> None:
    assert narrow_echo.flow is not None
    [question] = asked(client, root, narrow_echo.flow, "plan").json()["questions"]
    assert question.startswith("Access widens: scaicore/acme/echo-agent is now for its groups, 1 active user;")
    narrow_echo.publication.refresh_from_db()
    assert narrow_echo.publication.visibility == "groups"


def test_a_plan_tells_of_a_refusal(client: Client, root: User, echo_flow: Flow) -> None:
    actions.save_flow(
        echo_flow, base_version="1.0.0", content={"nodes": [], "edges": []}, actor=actor_of(root), at=timezone.now()
    )
    assert asked(client, root, echo_flow, "plan").json()["refused"]["error"] == "compile_error"


def test_an_earlier_version_is_made_live_again(client: Client, root: User, echo: Core) -> None:
    assert echo.flow is not None
    actions.deploy(echo.flow, actor=actor_of(root), at=timezone.now())
    told = asked(client, root, echo.flow, "rollback", version=1).json()["questions"]
    assert told[0].startswith("Core version 1, from flow version 1.0.0 becomes live. Live now is Core version 2")
    echo.refresh_from_db()
    assert echo.live is not None
    assert echo.live.number == 2
    answer = asked(client, root, echo.flow, "rollback", version=1, accept_memory_change=True).json()
    assert answer["message"] == "Rolled back to Core version 1, made from flow version 1.0.0"
    echo.refresh_from_db()
    assert echo.live is not None
    assert echo.live.number == 1


@pytest.mark.parametrize("version", [9, "1", None, True])
def test_a_version_that_is_not_there_is_refused(client: Client, root: User, echo: Core, version: object) -> None:
    assert echo.flow is not None
    response = asked(client, root, echo.flow, "rollback", version=version)
    assert (response.status_code, response.json()["detail"]["error"]) == (422, "validation_error")


@pytest.mark.parametrize("what", ["save", "plan", "go-live", "rollback"])
def test_only_admins_of_the_tenant_may(client: Client, ann: User, cy: User, echo: Core, what: str) -> None:
    assert echo.flow is not None
    assert asked(client, ann, echo.flow, what, version=1).status_code == 403
    assert asked(client, cy, echo.flow, what, version=1).status_code == 404
