"""What publishing adds to the pages of people and groups, and to the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, groups
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions
from publishing.models import Core, Flow, Refusal
from tests.support.audit_log import past_the_triggers
from tests.support.staff import page, signed_in, tenant_off

USERS = "/admin/identity/user/"
GROUPS = "/admin/identity/group/"
AUDIT = "/admin/identity/auditentry/"
OPERATOR = actors.operator("test")


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def section(client: Client, url: str, name: str) -> Any:
    return {one.name: one for one in client.get(url).context["sections"]}[name]


def cells(client: Client, url: str, name: str) -> list[list[str]]:
    """The cells of a table behind the first, which is a link."""
    return [[str(cell) for cell in row[1:]] for row in section(client, url, name).rows]


def test_a_user_is_shown_with_what_they_may_call_and_why(
    staff: Client, narrow_echo: Core, acme: Tenant, ann: User, bo: User, engineering: Group
) -> None:
    inner = Group.objects.create(tenant=acme, scaikey_id="group_inner")
    groups.set_members(inner, users=[bo], groups=[], actor=OPERATOR, at=timezone.now())
    groups.set_members(engineering, users=[ann], groups=[inner], actor=OPERATOR, at=timezone.now())
    assert cells(staff, page(USERS, ann), "models") == [["member of group_acme_eng"]]
    assert cells(staff, page(USERS, bo), "models") == [["member of group_inner › group_acme_eng"]]
    actions.publish(narrow_echo, group_ids=[], actor=OPERATOR, at=timezone.now())
    assert cells(staff, page(USERS, bo), "models") == [["open to everyone in the tenant"]]


def test_whoever_is_switched_off_may_call_nothing(staff: Client, echo: Core, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)
    shown = section(staff, page(USERS, ann), "models")
    assert (shown.rows, shown.empty) == ([], "No model: the account is switched off.")


def test_what_was_refused_lately_is_shown_with_whether_it_still_is(
    staff: Client, narrow_echo: Core, bo: User, engineering: Group
) -> None:
    refused = Refusal.objects.create(core=narrow_echo, user=bo, last_at=timezone.now())
    assert cells(staff, page(USERS, bo), "refused")[0][1] == "may not call"
    groups.set_members(engineering, users=[bo], groups=[], actor=OPERATOR, at=timezone.now())
    assert cells(staff, page(USERS, bo), "refused")[0][1] == "may call"
    Refusal.objects.filter(pk=refused.pk).update(last_at=timezone.now() - timedelta(days=31))
    assert cells(staff, page(USERS, bo), "refused") == []


def test_a_group_is_shown_with_the_models_that_it_opens(staff: Client, narrow_echo: Core, acme: Tenant) -> None:
    engineers = Group.objects.get(scaikey_id="group_acme_eng")
    outer = Group.objects.create(tenant=acme, scaikey_id="group_outer")
    groups.set_members(outer, users=[], groups=[engineers], actor=OPERATOR, at=timezone.now())
    assert cells(staff, page(GROUPS, engineers), "opens") == [["this group"]]
    assert cells(staff, page(GROUPS, outer), "opens") == []
    actions.publish(narrow_echo, group_ids=["group_outer"], actor=OPERATOR, at=timezone.now())
    assert cells(staff, page(GROUPS, engineers), "opens") == [["group_outer"]]


def audited(client: Client, query: str) -> list[str]:
    answer = client.get(f"{AUDIT}?{query}")
    assert answer.status_code == 200
    return sorted(entry.action for entry in answer.context["cl"].result_list)


@pytest.fixture
def story(narrow_echo: Core, echo_flow: Flow, engineering: Group, ann: User, bo: User) -> Core:
    """A flow is deployed, restricted, opened, and the group grows."""
    actions.publish(narrow_echo, group_ids=[], actor=OPERATOR, at=timezone.now())
    groups.set_members(engineering, users=[ann, bo], groups=[], actor=OPERATOR, at=timezone.now())
    return narrow_echo


ABOUT_THE_CORE = ["core.deployed", "core.published", "publication.changed", "publication.changed"]


@pytest.mark.parametrize("query", ["scaicore/acme/echo-agent", "acme/echo-agent", "{core}", "echo-agent"])
def test_entries_are_found_by_the_name_of_a_model(staff: Client, story: Core, query: str) -> None:
    assert audited(staff, f"q={query.format(core=story.pk)}") == ABOUT_THE_CORE


def test_entries_are_found_by_the_name_of_a_flow(staff: Client, story: Core, echo_flow: Flow) -> None:
    assert audited(staff, "q=Echo+Agent") == sorted([*ABOUT_THE_CORE, "flow.created"])
    assert audited(staff, f"q={echo_flow.pk}") == sorted([*ABOUT_THE_CORE, "flow.created"])


def test_entries_are_found_by_a_group_that_a_publication_named(staff: Client, story: Core) -> None:
    assert "publication.changed" in audited(staff, "q=group_acme_eng")


def test_entries_about_a_model_that_is_gone_are_found_by_its_name(staff: Client, story: Core) -> None:
    actions.delete_core(story, actor=OPERATOR, at=timezone.now())
    assert "publication.changed" in audited(staff, "q=scaicore/acme/echo-agent")


def test_an_entry_links_to_the_core_and_the_flow(staff: Client, story: Core, echo_flow: Flow) -> None:
    text = staff.get(AUDIT).content.decode()
    assert f'<a href="{page("/admin/publishing/core/", story)}">acme/echo-agent</a>' in text
    assert f'<a href="{page("/admin/publishing/flow/", echo_flow)}">Echo Agent</a>' in text


def test_entries_that_widened_are_found(staff: Client, story: Core) -> None:
    assert audited(staff, "widened=publication") == ["publication.changed"]
    # Ann came into the new group, then Bo.
    assert audited(staff, "widened=group") == ["group.members_set", "group.members_set"]
    assert len(audited(staff, "widened=any")) == 3


def test_narrowing_is_not_widening(staff: Client, echo: Core, engineering: Group) -> None:
    for group_ids in (["group_acme_eng"], []):
        with past_the_triggers():
            AuditEntry.objects.all().delete()
        actions.publish(echo, group_ids=group_ids, actor=OPERATOR, at=timezone.now())
        assert audited(staff, "widened=any") == ([] if group_ids else ["publication.changed"])
    with past_the_triggers():
        AuditEntry.objects.all().delete()
    groups.set_members(engineering, users=[], groups=[], actor=OPERATOR, at=timezone.now())
    assert audited(staff, "widened=any") == []


def test_a_switched_off_tenants_people_are_still_shown(staff: Client, echo: Core, ann: User, root: User) -> None:
    # Its own staff stay outside; a superuser looks at it.
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    tenant_off(Tenant.objects.create(slug="off", name="Off"))
    dora = User.objects.create(email="dora@off.test", tenant_id="off")
    assert cells(staff, page(USERS, dora), "models") == []
