"""Flows as a whole on their pages: begun from a starter, duplicated, exported, imported, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from identity.actors import actor_of
from identity.models import AuditEntry, User
from publishing import actions, declared
from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.browsing import page_of


def imported(client: Client, name: str, text: str | bytes) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return client.post("/flows/import/", {"file": SimpleUploadedFile(name, content)})


def exported(client: Client, flow: Flow, ending: str) -> str:
    answer = client.get(f"/flows/{flow.pk}/export.{ending}")
    assert answer.headers["content-disposition"] == f'attachment; filename="echo-agent.{ending}"'
    return answer.content.decode()


def test_a_starter_becomes_a_flow_with_the_model_that_was_named(client: Client, root: User) -> None:
    made: dict[str, Any] = {"tenant": root.tenant, "actor": actor_of(root), "at": timezone.now()}
    actions.create_provider(ref="house", base_url="https://llm.example.com/v1", api_key="", **made)
    client.force_login(root)
    client.post("/flows/new/", {"name": "Mine", "starter": "triage", "provider": "house", "model": "small"})
    flow = Flow.objects.get()
    [role] = flow.saved.content["config"]["core_identity"]["models"]
    assert (role["ref"], role["model"]) == ("house", "small")
    assert flow.description.startswith("Sorts a support request")


def test_an_unknown_starter_is_refused(client: Client, root: User) -> None:
    client.force_login(root)
    page = page_of(client.post("/flows/new/", {"name": "Mine", "starter": "nope"}))
    assert 'role="alert"' in page
    assert not Flow.objects.exists()


def test_a_duplicate_is_a_flow_of_its_own_without_the_slug(client: Client, root: User) -> None:
    flow = made(root, echo_document(slug="parrot"))
    actions.deploy(flow, actor=actor_of(root), at=timezone.now())
    client.force_login(root)
    client.post(f"/flows/{flow.pk}/duplicate/")
    copied = Flow.objects.exclude(pk=flow.pk).get()
    assert (copied.name, copied.owner, copied.versions.count()) == ("Echo Agent (copy)", root, 1)
    assert actions.deploy(copied, actor=actor_of(root), at=timezone.now()).core.slug == "echo-agent-copy"


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_what_is_exported_can_be_imported(client: Client, root: User, echo_flow: Flow, ending: str) -> None:
    client.force_login(root)
    answer = imported(client, f"flow.{ending}", exported(client, echo_flow, ending))
    copied = Flow.objects.exclude(pk=echo_flow.pk).get()
    assert answer.headers["location"] == f"/flows/{copied.pk}/"
    assert copied.saved.content["nodes"] == echo_flow.saved.content["nodes"]
    assert copied.name == "Echo Agent"


def test_the_exported_yaml_is_what_apply_takes(client: Client, root: User, echo: Core, tmp_path: Any) -> None:
    client.force_login(root)
    file = tmp_path / "flow.yaml"
    file.write_text(exported(client, echo.flow, "yaml"))  # type: ignore[arg-type]
    done = declared.apply(file, actor=actor_of(root), at=timezone.now())
    assert done.changes == []


def test_who_may_not_see_the_groups_exports_none(client: Client, ann: User, narrow_echo: Core) -> None:
    client.force_login(ann)
    assert "model_visibility" not in exported(client, narrow_echo.flow, "yaml")  # type: ignore[arg-type]


BAD_FILES = [
    ("a.json", "{", "not valid JSON"),
    ("a.json", "[]", "no flow document"),
    ("a.json", '{"name": "", "nodes": []}', "Give it a name"),
    ("a.yaml", "tenants: [", "not valid YAML"),
    ("a.yaml", "tenants: []", "holds no flow"),
    ("a.yaml", "tenants: [{slug: acme, flows: [{file: /etc/passwd}]}]", "reads no other file"),
    ("a.yaml", "tenants: [{slug: acme, users: [{email: a@b.test}]}]", "takes flows alone"),
    ("a.yaml", "a: &a [x]\ntenants: *a", "anchor or alias"),
    ("a.yaml", b"\xff\xfe\x00", "not valid YAML"),
]


@pytest.mark.parametrize("name, text, why", BAD_FILES)
def test_a_file_that_is_no_flow_is_refused_beside_the_field(
    client: Client, root: User, name: str, text: str | bytes, why: str
) -> None:
    client.force_login(root)
    answer = imported(client, name, text)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="id_file_error"' in page
    assert why in page
    assert not Flow.objects.exists()


def test_a_file_with_one_bad_flow_makes_none(client: Client, root: User) -> None:
    flows = [{"name": "Good", "content": echo_document()}, {"name": "x" * 300, "content": echo_document()}]
    client.force_login(root)
    imported(client, "a.yaml", yaml.safe_dump(json.loads(json.dumps({"tenants": [{"slug": "acme", "flows": flows}]}))))
    assert not Flow.objects.exists()


def test_a_flow_is_deleted_once_that_was_asked(client: Client, root: User, echo_flow: Flow) -> None:
    client.force_login(root)
    assert "1 saved version<" in page_of(client.get(f"/flows/{echo_flow.pk}/delete/"))
    client.post(f"/flows/{echo_flow.pk}/delete/")
    assert not Flow.objects.exists()
    assert AuditEntry.objects.filter(action="flow.deleted", target=echo_flow.pk).exists()


def test_a_published_flow_stays_and_the_page_says_why(client: Client, root: User, echo: Core) -> None:
    client.force_login(root)
    page = page_of(client.post(f"/flows/{echo.flow_id}/delete/", follow=True))
    assert "Un-publish it first" in page
    assert Flow.objects.filter(pk=echo.flow_id).exists()


@pytest.mark.parametrize("act", ["duplicate/", "delete/"])
@pytest.mark.parametrize("who, status", [("ann", 403), ("cy", 404)])
def test_only_the_tenants_admins_act_on_a_flow(
    client: Client, request: pytest.FixtureRequest, echo_flow: Flow, act: str, who: str, status: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.post(f"/flows/{echo_flow.pk}/{act}").status_code == status
    assert Flow.objects.count() == 1


def test_members_import_nothing(client: Client, ann: User) -> None:
    client.force_login(ann)
    assert imported(client, "a.json", json.dumps(echo_document())).status_code == 403


def made(owner: User, content: dict[str, Any]) -> Flow:
    more: dict[str, Any] = {"tenant": owner.tenant, "actor": actor_of(owner), "at": timezone.now()}
    return actions.create_flow(name="Echo Agent", content=content, owner=owner, **more)
