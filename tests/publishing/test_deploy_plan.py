"""Before and after: what a deploy would change is found without changing it, and asked about only when it matters."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity import groups
from identity.actors import actor_of
from identity.models import AuditEntry, Group, User
from publishing import actions, deploy_plan
from publishing.deploy_plan import DeployPlan
from publishing.models import Core, Flow
from publishing.reach import Reach
from scaicore import with_properties
from tests.support.browsing import deploy, opened, page_of, toasts


def save(flow: Flow, root: User, **properties: Any) -> None:
    content = with_properties(flow.saved.content, **properties)
    actions.save_flow(flow, base_version=flow.saved.version, content=content, actor=actor_of(root), at=timezone.now())


def planned(core: Core, root: User) -> DeployPlan:
    return deploy_plan.plan_deploy(Flow.objects.get(), actor=actor_of(root), at=timezone.now())


@pytest.fixture
def narrowed(narrow_echo: Core, root: User) -> Core:
    """Live for the engineers, and saved so."""
    flow = Flow.objects.get()
    save(flow, root, group_ids=["group_acme_eng"])
    actions.deploy(flow, actor=actor_of(root), at=timezone.now())
    return narrow_echo


def test_a_plan_changes_nothing(echo: Core, engineering: Group, root: User) -> None:
    save(Flow.objects.get(), root, group_ids=["group_acme_eng"])
    entries = AuditEntry.objects.count()
    plan = planned(echo, root)
    assert plan.changes == [
        ("Live version", "1.0.0", "1.0.1"),
        ("Published as", "scaicore/acme/echo-agent", "scaicore/acme/echo-agent"),
        ("Open to", "everyone in the tenant", "group_acme_eng"),
        ("Active users who can call", "2", "1"),
    ]
    assert (echo.versions.count(), AuditEntry.objects.count()) == (1, entries)


def test_narrowing_asks_nothing(echo: Core, engineering: Group, root: User) -> None:
    save(Flow.objects.get(), root, group_ids=["group_acme_eng"])
    assert planned(echo, root).questions == []


def test_narrowing_and_unpublishing_say_how_many_are_shut_out(echo: Core, engineering: Group, root: User) -> None:
    save(Flow.objects.get(), root, group_ids=["group_acme_eng"])
    assert "Access narrows: 1 active user can no longer call it." in planned(echo, root).summary
    save(Flow.objects.get(), root, publish_as_model=False)
    assert "2 active users can no longer call it." in planned(echo, root).summary
    save(Flow.objects.get(), root, publish_as_model=True, group_ids=[])
    assert planned(echo, root).narrows == ""


def test_opening_to_the_tenant_asks(narrowed: Core, root: User, bo: User) -> None:
    save(Flow.objects.get(), root, group_ids=[])
    [question] = planned(narrowed, root).questions
    assert question.startswith("Access widens: scaicore/acme/echo-agent is now for its groups, 1 active user;")


def test_as_many_others_are_newcomers_too(narrowed: Core, root: User, bo: User) -> None:
    others = Group.objects.create(tenant=root.tenant, scaikey_id="group_others")
    groups.set_members(others, users=[bo], groups=[], actor=actor_of(root), at=timezone.now())
    save(Flow.objects.get(), root, group_ids=["group_others"])
    plan = planned(narrowed, root)
    assert plan.before and plan.after
    assert plan.before.count == plan.after.count == 1
    assert plan.questions


def test_a_first_publication_asks_nothing() -> None:
    plan = DeployPlan("", "1.0.0", None, Reach("scaicore/acme/a", True, 9), 0)
    assert plan.questions == []


def test_deploying_what_widens_is_asked_with_the_changes_and_done_when_agreed(
    client: Client, narrowed: Core, root: User, bo: User
) -> None:
    flow = Flow.objects.get()
    save(flow, root, group_ids=[])
    client.force_login(root)
    fields = opened(client, flow)
    page = page_of(deploy(client, flow, fields))
    assert "Access widens" in page
    assert "<strong>everyone in the tenant</strong>" in page
    assert narrowed.publication.visibility == "groups"
    assert toasts(client, deploy(client, flow, fields, agreed=flow.saved.version)) == [
        f"Deployed core_id={narrowed.pk} — published as scaicore/acme/echo-agent"
    ]
