"""The first page of the admin: what is worth a look this week, each number with the list of what it counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, groups
from identity.models import Group, Tenant, User
from publishing import actions
from publishing.models import AccessRequest, Core, Refusal
from tests.conftest import echo_document
from tests.support.staff import signed_in, superuser

OPERATOR = actors.operator("test")


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def figures(client: Client) -> dict[str, int]:
    return {figure.label: figure.count for figure in client.get("/admin/").context["figures"]}


def deployed(tenant: Tenant, name: str, **config: Any) -> Core:
    content = echo_document(**config)
    flow = actions.create_flow(tenant=tenant, name=name, content=content, actor=OPERATOR, at=timezone.now())
    return actions.deploy(flow, actor=OPERATOR, at=timezone.now()).core


@pytest.fixture
def week(narrow_echo: Core, acme: Tenant, engineering: Group, bo: User) -> None:
    """A model is opened, one is left to nobody, one is held, and Bo was refused twice and asks."""
    at = timezone.now()
    Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")
    lonely = deployed(acme, "Lonely", model_visibility_group_ids=["group_acme_eng"])
    closed = deployed(acme, "Closed", model_visibility_group_ids=["group_acme_ops"])
    actions.hold_core(deployed(acme, "Held"), reason="Leaks.", actor=OPERATOR, at=at)
    for core in (closed, lonely):
        Refusal.objects.create(core=core, user=bo, last_at=at)
    actions.ask_access(closed, user=bo, actor=actors.actor_of(bo), at=at)
    groups.delete_group(engineering, actor=OPERATOR, at=at)
    actions.publish(narrow_echo, group_ids=[], actor=OPERATOR, at=at)


def test_the_first_page_counts_what_is_worth_a_look(staff: Client, week: None) -> None:
    assert figures(staff) == {
        "publications": 3,
        "open to a whole tenant": 1,
        "callable by nobody": 2,
        "name a deleted group": 1,
        "widened this week": 1,
        "published this week": 3,
        "not called for 90 days": 3,
        "held by staff": 1,
        "access requests wait": 1,
        "callers refused this week": 1,
    }


def test_each_number_leads_to_the_list_of_what_it_counts(staff: Client, week: None) -> None:
    for figure in staff.get("/admin/").context["figures"]:
        listed = staff.get(figure.url).context["cl"]
        # One person was refused twice.
        assert listed.result_count == (2 if figure.label == "callers refused this week" else figure.count), figure


def test_staff_of_one_tenant_count_one_tenant(week: None, globex: Tenant) -> None:
    sid = signed_in(User.objects.create_user("sid@globex.test", tenant=globex, is_staff=True))
    assert set(figures(sid).values()) == {0}
    assert figures(signed_in(superuser()))["publications"] == 3


def test_times_carry_their_zone(staff: Client, week: None) -> None:
    asked = AccessRequest.objects.get().asked_at
    text = staff.get("/admin/publishing/accessrequest/").content.decode()
    assert f"{asked:%Y-%m-%d %H:%M} UTC" in text


def test_the_numbers_are_links_and_what_is_bad_is_marked(staff: Client, week: None) -> None:
    text = staff.get("/admin/").content.decode()
    nobody = '<a href="/admin/publishing/publication/?review=nobody"><strong class="figure alarm">2</strong>'
    assert nobody in text
    assert '<strong class="figure">1</strong> open to a whole tenant' in text
