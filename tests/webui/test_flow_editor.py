"""What the flow editor asks for beside the API."""

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
from identity.models import AuditEntry, User
from publishing import actions
from publishing.models import Core, Flow


def asked(client: Client, user: User, flow: Flow, what: str, **body: Any) -> Any:
    client.force_login(user)
    return client.post(f"/flows/{flow.pk}/{what}/", json.dumps(body), content_type="application/json")


def test_the_page_carries_the_flow_and_the_kinds(client: Client, root: User, echo_flow: Flow) -> None:
    client.force_login(root)
    page = client.get(f"/flows/{echo_flow.pk}/").content.decode()
    found = re.search(r'data-page="([^"]*)"', page)
    assert found
    told = json.loads(html.unescape(found[1]))
    assert told["saved"]["content"]["nodes"][1]["id"] == "reply"
    assert [kind["kind"] for kind in told["kinds"]] == list(scaicore.KINDS)
    assert told["unavailable"] == dict(scaicore.UNAVAILABLE)


def test_a_member_is_not_told_the_groups(client: Client, ann: User, narrow_echo: Core) -> None:
    client.force_login(ann)
    told = client.get(f"/flows/{narrow_echo.flow_id}/standing/").json()
    assert (told["published_slug"], told["group_ids"], told["audience"]) == ("scaicore/acme/echo-agent", [], None)
    assert "group_acme_eng" not in client.get(f"/flows/{narrow_echo.flow_id}/").content.decode()


def test_a_plan_says_what_a_deploy_would_do_and_leaves_no_trace(client: Client, root: User, echo_flow: Flow) -> None:
    entries = AuditEntry.objects.count()
    told = asked(client, root, echo_flow, "plan").json()
    expected = "Publishes scaicore/acme/echo-agent to everyone in the tenant, 1 active user."
    assert told == {"told": expected, "questions": []}
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
    told = asked(client, root, echo.flow, "rollback", version=1).json()
    assert told["message"] == "Rolled back to Core version 1, made from flow version 1.0.0"
    echo.refresh_from_db()
    assert echo.live is not None
    assert echo.live.number == 1


@pytest.mark.parametrize("version", [9, "1", None, True])
def test_a_version_that_is_not_there_is_refused(client: Client, root: User, echo: Core, version: object) -> None:
    assert echo.flow is not None
    response = asked(client, root, echo.flow, "rollback", version=version)
    assert (response.status_code, response.json()["detail"]["error"]) == (422, "validation_error")


@pytest.mark.parametrize("what", ["plan", "rollback"])
def test_only_admins_of_the_tenant_may(client: Client, ann: User, cy: User, echo: Core, what: str) -> None:
    assert echo.flow is not None
    assert asked(client, ann, echo.flow, what, version=1).status_code == 403
    assert asked(client, cy, echo.flow, what, version=1).status_code == 404
