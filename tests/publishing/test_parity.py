"""One registry, five doors: the same five changes give the same rows and the same entries, whoever makes them where."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from identity.actors import actor_of
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions
from publishing.models import Core, Flow, Publication
from tests.conftest import echo_document
from tests.support.api_calls import Rest
from tests.support.browsing import deploy, fields_of, opened, save
from tests.support.staff import fields_in, fields_on, page, send, signed_in

# Published to whom; None is not published. In this order: publish, restrict, widen, narrow, un-publish.
CHANGES: dict[str, list[str] | None] = {
    "publish": [],
    "restrict": ["group_acme_eng"],
    "widen": ["group_acme_eng", "group_acme_ops"],
    "narrow": ["group_acme_ops"],
    "un-publish": None,
}
REGISTRY = ("core.published", "publication.changed", "core.unpublished")


class SetAudience(Protocol):
    """Publishes the only Core to these groups, or ends its publication."""

    def __call__(self, group_ids: list[str] | None) -> None: ...


def in_document(group_ids: list[str] | None) -> dict[str, Any]:
    """The echo document that says so."""
    if group_ids is None:
        return echo_document(publish_as_model=False)
    return echo_document(publish_as_model=True, model_visibility_group_ids=group_ids)


@pytest.fixture
def by_admin(root: User) -> SetAudience:
    """The box on the Core's page in Django admin; a widening is agreed to."""
    client = signed_in(root)

    def change(group_ids: list[str] | None) -> None:
        url = page("/admin/publishing/core/", Core.objects.get())
        chosen = list(Group.objects.filter(scaikey_id__in=group_ids or []).values_list("pk", flat=True))
        visibility = {"visibility": "groups" if chosen else "tenant", "allowed_groups": chosen or None}
        changes = {"publish": None} if group_ids is None else {"publish": "on", **visibility}
        answer = send(client, url, fields_on(client, url), **changes)
        if answer.status_code == 200:
            answer = send(client, url, fields_in(answer), agreed=answer.context["refused"].question)
        assert answer.status_code == 302

    return change


@pytest.fixture
def by_page(root: User) -> SetAudience:
    """Flow properties: Save, then Deploy; a widening is agreed to."""
    client = Client()
    client.force_login(root)

    def change(group_ids: list[str] | None) -> None:
        flow = Flow.objects.get()
        publish = {"publish": None} if group_ids is None else {"publish": "on", "groups": ", ".join(group_ids)}
        assert save(client, flow, opened(client, flow), **publish).status_code == 302
        fields = fields_of(client.get(f"/flows/{flow.pk}/?plain"))
        assert deploy(client, flow, fields, agreed=flow.saved.version).status_code == 302

    return change


@pytest.fixture
def by_rest(root: User, key_of: Callable[[User], str]) -> SetAudience:
    """`POST` and `DELETE …/publish`."""
    rest = Rest(key_of(root))

    def change(group_ids: list[str] | None) -> None:
        url = f"/v1/modules/scaicore/cores/{Core.objects.get().pk}/publish"
        answer = rest.delete(url) if group_ids is None else rest.post(url, {"group_ids": group_ids})
        assert answer.status_code in (200, 201, 204)

    return change


@pytest.fixture
def by_deploy(root: User, key_of: Callable[[User], str]) -> SetAudience:
    """The document saved and deployed by REST."""
    rest = Rest(key_of(root))

    def change(group_ids: list[str] | None) -> None:
        flow = Flow.objects.get()
        body = {"base_version": flow.saved.version, "content": in_document(group_ids)}
        assert rest.put(f"/api/v1/flows/{flow.pk}", body).status_code == 200
        assert rest.post(f"/api/v1/flows/{flow.pk}/deploy").status_code == 200

    return change


@pytest.fixture
def by_apply(tmp_path: Path) -> SetAudience:
    """`manage.py apply` of a file that names the flow."""
    file = tmp_path / "grid.yaml"

    def change(group_ids: list[str] | None) -> None:
        declared = {"name": "Echo Agent", "content": in_document(group_ids), "deploy": True}
        file.write_text(json.dumps({"tenants": [{"slug": "acme", "flows": [declared]}]}))
        call_command("apply", str(file), verbosity=0)

    return change


DOORS = {"admin": "admin", "page": "page", "rest": "api", "deploy": "api", "apply": "command"}
NAME = "scaicore/acme/echo-agent"


def view(group_ids: list[str] | None) -> dict[str, Any] | None:
    """A publication to these groups, as the audit log keeps it."""
    if group_ids is None:
        return None
    return {"name": NAME, "visibility": "groups" if group_ids else "tenant", "group_ids": group_ids}


def registered() -> dict[str, Any] | None:
    """The publication as it is stored."""
    found = Publication.objects.first()
    return {"name": found.name, "visibility": found.visibility, "group_ids": found.group_ids} if found else None


def entry(before: list[str] | None, after: list[str] | None) -> tuple[str, Any, Any]:
    """The one entry for a change."""
    if before is None:
        return "core.published", None, view(after)
    return ("core.unpublished", view(before), None) if after is None else _changed(before, after)


def _changed(before: list[str], after: list[str]) -> tuple[str, Any, Any]:
    return "publication.changed", view(before), view(after)


@pytest.fixture
def unpublished(acme: Tenant, root: User, engineering: Group) -> Core:
    """The echo Core, live and never published, and its flow says so too."""
    Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")
    actor, at = actor_of(root), timezone.now()
    flow = actions.create_flow(tenant=acme, name="Echo Agent", content=in_document(None), actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core


@pytest.mark.parametrize("way", DOORS)
def test_five_changes_leave_the_same_rows_and_entries_but_for_the_door(
    way: str, unpublished: Core, request: pytest.FixtureRequest
) -> None:
    set_audience: SetAudience = request.getfixturevalue(f"by_{way}")
    rows = []
    for group_ids in CHANGES.values():
        set_audience(group_ids)
        rows.append(registered())
    assert rows == [view(group_ids) for group_ids in CHANGES.values()]
    found = AuditEntry.objects.filter(action__in=REGISTRY).order_by("pk")
    steps = pairwise([None, *CHANGES.values()])
    assert list(found.values_list("action", "before", "after")) == [entry(before, after) for before, after in steps]
    assert set(found.values_list("tenant", "target", "door")) == {("acme", unpublished.pk, DOORS[way])}
