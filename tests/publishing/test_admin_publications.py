"""The staff's list of publications: what it says of each, what each filter finds, and changes of many."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.utils import timezone

from identity import actors, groups
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions
from publishing.models import Core, Hold, Publication
from tests.conftest import echo_document
from tests.support.audit_log import past_the_triggers
from tests.support.staff import audited, choose, confirm, page, previewed, signed_in, superuser, tenant_off

PUBLICATIONS = "/admin/publishing/publication/"
CORES = "/admin/publishing/core/"
OPERATOR = actors.operator("test")


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def says(answer: Any) -> str:
    return str(answer.content.decode())


def deployed(tenant: Tenant, name: str, **config: Any) -> Core:
    """Another Core, published as its document says."""
    flow = actions.create_flow(
        tenant=tenant, name=name, content=echo_document(**config), actor=OPERATOR, at=timezone.now()
    )
    return actions.deploy(flow, actor=OPERATOR, at=timezone.now()).core


def publish(core: Core, *group_ids: str) -> None:
    actions.publish(core, group_ids=list(group_ids), actor=OPERATOR, at=timezone.now())


def found(client: Client, query: str, url: str = PUBLICATIONS) -> list[str]:
    """The rows on the list's first page."""
    answer = client.get(f"{url}?{query}")
    assert answer.status_code == 200
    return [str(row) for row in answer.context["cl"].result_list]


def row_of(client: Client, core: Core) -> Any:
    """One row of the list."""
    return next(row for row in client.get(PUBLICATIONS).context["cl"].result_list if row.pk == core.pk)


ECHO = "scaicore/acme/echo-agent"


# What the list says.


def test_the_number_of_callers_is_always_there(staff: Client, narrow_echo: Core, bo: User) -> None:
    open_one = deployed(narrow_echo.tenant, "Open")
    empty = deployed(narrow_echo.tenant, "Empty", publish_as_model=False)
    Group.objects.create(tenant=narrow_echo.tenant, scaikey_id="group_acme_ops")
    publish(empty, "group_acme_ops")
    assert [row_of(staff, core).calling for core in (narrow_echo, open_one, empty)] == [1, 3, 0]
    assert '<strong class="alarm">Nobody can call this</strong>' in says(staff.get(PUBLICATIONS))


def test_the_visibility_is_shown_with_groups_that_were_deleted(
    staff: Client, narrow_echo: Core, engineering: Group, acme: Tenant
) -> None:
    Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")
    publish(narrow_echo, "group_acme_eng", "group_acme_ops")
    groups.delete_group(engineering, actor=OPERATOR, at=timezone.now())
    assert 'group_acme_ops, <strong class="alarm">group_acme_eng was deleted</strong>' in says(staff.get(PUBLICATIONS))


def test_what_the_flow_says_otherwise_is_shown(staff: Client, echo: Core, narrow_echo: Core) -> None:
    assert row_of(staff, echo).difference == ("published to the tenant", "group_acme_eng")
    assert '<strong class="alarm">published to the tenant</strong>' in says(staff.get(PUBLICATIONS))
    publish(echo)
    assert row_of(staff, echo).difference is None


def test_a_remote_core_has_no_flow_to_differ(staff: Client, acme: Tenant, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1:9",)
    remote = actions.RemoteProgram(url="http://127.0.0.1:9/run")
    core = actions.create_core(tenant=acme, name="Far", remote=remote, actor=OPERATOR, at=timezone.now())
    publish(core)
    assert row_of(staff, core).difference is None


# What each filter finds.


def test_nobody_can_call_finds_what_is_shown_as_that(staff: Client, narrow_echo: Core, ann: User) -> None:
    deployed(narrow_echo.tenant, "Open")
    assert found(staff, "review=nobody") == []
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert found(staff, "review=nobody") == [ECHO]


def test_names_a_deleted_group_finds_it(staff: Client, narrow_echo: Core, engineering: Group) -> None:
    deployed(narrow_echo.tenant, "Open")
    assert found(staff, "review=lost") == []
    groups.delete_group(engineering, actor=OPERATOR, at=timezone.now())
    assert found(staff, "review=lost") == [ECHO]


def test_open_to_a_whole_tenant_finds_it(staff: Client, narrow_echo: Core) -> None:
    deployed(narrow_echo.tenant, "Open")
    assert found(staff, "review=open") == ["scaicore/acme/open"]


def test_widened_finds_what_was_opened_lately_and_not_what_was_narrowed(
    staff: Client, narrow_echo: Core, acme: Tenant
) -> None:
    other = deployed(acme, "Open")
    publish(other, "group_acme_eng")
    assert found(staff, "review=widened-7") == []
    publish(narrow_echo)
    assert found(staff, "review=widened-7") == [ECHO]
    with past_the_triggers():
        AuditEntry.objects.update(at=timezone.now() - timedelta(days=8))
    assert (found(staff, "review=widened-7"), found(staff, "review=widened-30")) == ([], [ECHO])
    with past_the_triggers():
        AuditEntry.objects.update(at=timezone.now() - timedelta(days=31))
    assert found(staff, "review=widened-30") == []


def test_another_group_widens_too_and_one_less_does_not(staff: Client, narrow_echo: Core, acme: Tenant) -> None:
    Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")
    publish(narrow_echo, "group_acme_eng", "group_acme_ops")
    assert found(staff, "review=widened-7") == [ECHO]
    with past_the_triggers():
        AuditEntry.objects.all().delete()
    publish(narrow_echo, "group_acme_ops")
    assert found(staff, "review=widened-7") == []


def test_published_this_week_finds_it(staff: Client, echo: Core) -> None:
    assert found(staff, "review=new-7") == [ECHO]
    Publication.objects.update(published_at=timezone.now() - timedelta(days=8))
    assert found(staff, "review=new-7") == []


def test_what_is_held_is_found_among_the_cores(staff: Client, echo: Core) -> None:
    deployed(echo.tenant, "Open")
    actions.hold_core(echo, reason="Leaks.", actor=OPERATOR, at=timezone.now())
    assert found(staff, "publication=held", CORES) == ["acme/echo-agent"]
    assert found(staff, "publication=published", CORES) == ["acme/open"]
    assert found(staff, "publication=none", CORES) == ["acme/echo-agent"]
    assert "held by staff: Leaks." in says(staff.get(CORES))
    assert f'href="{CORES}?publication=held"' in says(staff.get(PUBLICATIONS))


@pytest.mark.parametrize("review", ["nobody", "lost", "open", "widened-30", "new-7"])
def test_no_filter_finds_anything_of_another_tenant(staff: Client, globex: Tenant, review: str) -> None:
    group = Group.objects.create(tenant=globex, scaikey_id="group_globex")
    for name in ("One", "Two"):
        core = deployed(globex, name)
        publish(core, "group_globex")
        publish(core)
    groups.delete_group(group, actor=OPERATOR, at=timezone.now())
    tenant_off(globex)
    assert found(staff, f"review={review}") == []


def test_a_choice_that_does_not_exist_narrows_nothing(staff: Client, echo: Core) -> None:
    assert found(staff, "review=x") == [ECHO]


# Changes of many.


def test_many_are_unpublished_as_shown(staff: Client, echo: Core, narrow_echo: Core) -> None:
    other = deployed(echo.tenant, "Open")
    preview = previewed(staff, PUBLICATIONS, "unpublish", [echo.publication, other.publication])
    assert [(line.now, line.then) for line in preview.context["lines"]] == [
        ("group_acme_eng: 1 may call", "not published"),
        ("Everyone in the tenant: 2 may call", "not published"),
    ]
    assert "Changed: 2." in says(confirm(staff, PUBLICATIONS, preview))
    assert audited()[-2:] == ["core.unpublished", "core.unpublished"]
    assert not Publication.objects.exists()


def test_many_are_restricted_as_shown(staff: Client, echo: Core, engineering: Group, bo: User) -> None:
    other = deployed(echo.tenant, "Open")
    rows, chosen = [echo.publication, other.publication], {"allowed_groups": [engineering.pk]}
    first = previewed(staff, PUBLICATIONS, "restrict", rows)
    assert (first.context["is_final"], "seen" in says(first)) == (False, False)
    preview = previewed(staff, PUBLICATIONS, "restrict", rows, **chosen)
    assert {line.then for line in preview.context["lines"]} == {"group_acme_eng: 1 may call"}
    confirm(staff, PUBLICATIONS, preview, **chosen)
    assert {tuple(one.group_ids) for one in Publication.objects.all()} == {("group_acme_eng",)}
    assert audited()[-2:] == ["publication.changed", "publication.changed"]


def test_a_restriction_that_lets_somebody_new_in_says_how_many(
    staff: Client, narrow_echo: Core, acme: Tenant, bo: User, ann: User
) -> None:
    both = Group.objects.create(tenant=acme, scaikey_id="group_both")
    groups.set_members(both, users=[ann, bo], groups=[], actor=OPERATOR, at=timezone.now())
    preview = previewed(staff, PUBLICATIONS, "restrict", [narrow_echo.publication], allowed_groups=[both.pk])
    [line] = preview.context["lines"]
    assert (line.then, line.alarm) == ("group_both: 2 may call", "Widens: 1 of them could not call before.")
    empty = Group.objects.create(tenant=acme, scaikey_id="group_empty")
    preview = previewed(staff, PUBLICATIONS, "restrict", [narrow_echo.publication], allowed_groups=[empty.pk])
    assert preview.context["lines"][0].alarm == "Nobody could call this."


def test_what_is_restricted_so_already_stays(staff: Client, narrow_echo: Core, engineering: Group) -> None:
    told = audited()
    chosen = {"allowed_groups": [engineering.pk]}
    preview = previewed(staff, PUBLICATIONS, "restrict", [narrow_echo.publication], **chosen)
    assert not preview.context["changing"]
    confirm(staff, PUBLICATIONS, preview, **chosen)
    assert audited() == told


def test_no_group_is_no_restriction(staff: Client, narrow_echo: Core) -> None:
    answer = previewed(staff, PUBLICATIONS, "restrict", [narrow_echo.publication], allowed_groups=[])
    assert "This field is required." in says(answer)


@pytest.mark.parametrize("group_id", ["9" * 30, "x", "\0", "0"])
def test_a_group_that_cannot_be_chosen_is_refused(staff: Client, narrow_echo: Core, group_id: str) -> None:
    answer = previewed(staff, PUBLICATIONS, "restrict", [narrow_echo.publication], allowed_groups=[group_id])
    assert answer.status_code == 200
    assert answer.context["form"].errors


def test_a_group_of_another_tenant_is_no_choice(staff: Client, narrow_echo: Core, globex: Tenant) -> None:
    theirs = Group.objects.create(tenant=globex, scaikey_id="group_globex")
    answer = previewed(staff, PUBLICATIONS, "restrict", [narrow_echo.publication], allowed_groups=[theirs.pk])
    assert "is not one of the available choices" in says(answer)


def test_a_group_that_was_deleted_since_the_preview_is_refused(staff: Client, echo: Core, engineering: Group) -> None:
    chosen = {"allowed_groups": [engineering.pk]}
    preview = previewed(staff, PUBLICATIONS, "restrict", [echo.publication], **chosen)
    groups.delete_group(engineering, actor=OPERATOR, at=timezone.now())
    assert "is not one of the available choices" in says(confirm(staff, PUBLICATIONS, preview, **chosen))
    assert Publication.objects.get().visibility == "tenant"


def test_one_that_somebody_else_changed_keeps_all_as_they_are(staff: Client, echo: Core, engineering: Group) -> None:
    other = deployed(echo.tenant, "Open")
    preview = previewed(staff, PUBLICATIONS, "unpublish", [echo.publication, other.publication])
    publish(other, "group_acme_eng")
    assert f"changed since you looked: {other.publication.name}" in says(confirm(staff, PUBLICATIONS, preview))
    assert Publication.objects.count() == 2


def test_another_number_of_callers_than_was_shown_is_a_change_too(
    staff: Client, narrow_echo: Core, ann: User, bo: User
) -> None:
    preview = previewed(staff, PUBLICATIONS, "unpublish", [narrow_echo.publication])
    engineers = Group.objects.get(scaikey_id="group_acme_eng")
    groups.set_members(engineers, users=[ann, bo], groups=[], actor=OPERATOR, at=timezone.now())
    assert "changed since you looked" in says(confirm(staff, PUBLICATIONS, preview))
    assert Publication.objects.exists()


def test_publications_of_two_tenants_are_restricted_one_tenant_at_a_time(
    echo: Core, engineering: Group, globex: Tenant
) -> None:
    sue, theirs = signed_in(superuser()), deployed(globex, "Theirs")
    rows, chosen = [echo.publication, theirs.publication], {"allowed_groups": [engineering.pk]}
    preview = previewed(sue, PUBLICATIONS, "restrict", rows, **chosen)
    assert "stays: the groups are another tenant&#x27;s." in says(preview)
    confirm(sue, PUBLICATIONS, preview, **chosen)
    assert {one.tenant_id: one.visibility for one in Publication.objects.all()} == {
        "acme": "groups",
        "globex": "tenant",
    }
    other = Group.objects.create(tenant=globex, scaikey_id="group_globex")
    both = previewed(sue, PUBLICATIONS, "restrict", rows, allowed_groups=[engineering.pk, other.pk])
    assert "Choose groups of one tenant." in says(both)


def test_many_are_held_for_a_reason(staff: Client, echo: Core) -> None:
    other = deployed(echo.tenant, "Open")
    rows, chosen = [echo.publication, other.publication], {"reason": "Leaks."}
    assert "This field is required." in says(previewed(staff, PUBLICATIONS, "hold", rows, reason=""))
    confirm(staff, PUBLICATIONS, previewed(staff, PUBLICATIONS, "hold", rows, **chosen), **chosen)
    assert {hold.reason for hold in Hold.objects.all()} == {"Leaks."}
    assert sorted(audited()[-4:]) == ["core.held", "core.held", "core.unpublished", "core.unpublished"]


def test_a_reason_that_the_action_refuses_changes_nothing(staff: Client, echo: Core) -> None:
    chosen = {"reason": "two\nlines"}
    preview = previewed(staff, PUBLICATIONS, "hold", [echo.publication], **chosen)
    answer = confirm(staff, PUBLICATIONS, preview, **chosen) if preview.context["is_final"] else preview
    assert answer.status_code == 200
    assert Publication.objects.exists()


def test_holds_are_lifted_as_shown(staff: Client, echo: Core) -> None:
    actions.hold_core(echo, reason="Leaks.", actor=OPERATOR, at=timezone.now())
    other = deployed(echo.tenant, "Open")
    preview = previewed(staff, CORES, "lift_holds", [echo, other])
    assert {line.now for line in preview.context["lines"]} == {"held by manage.py test: Leaks.", "not held"}
    confirm(staff, CORES, preview)
    assert (Hold.objects.count(), audited()[-1]) == (0, "core.hold_lifted")


def test_a_hold_for_another_reason_is_not_lifted_unseen(staff: Client, echo: Core) -> None:
    actions.hold_core(echo, reason="Leaks.", actor=OPERATOR, at=timezone.now())
    preview = previewed(staff, CORES, "lift_holds", [echo])
    Hold.objects.update(reason="Leaks passwords.")
    assert "changed since you looked" in says(confirm(staff, CORES, preview))
    assert Hold.objects.exists()


def test_nothing_is_deleted_from_the_list_without_a_look(staff: Client, echo: Core) -> None:
    choose(staff, PUBLICATIONS, "delete_selected", [echo.publication], post="yes")
    assert Publication.objects.exists()


# Who may call one.


def csv_of(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline="")))


@pytest.fixture
def nested(narrow_echo: Core, engineering: Group, acme: Tenant, ann: User, bo: User) -> Core:
    """Open to a group that holds Bo's; Ann is in it directly."""
    inner = Group.objects.create(tenant=acme, scaikey_id="group_inner")
    groups.set_members(inner, users=[bo], groups=[], actor=OPERATOR, at=timezone.now())
    groups.set_members(engineering, users=[ann], groups=[inner], actor=OPERATOR, at=timezone.now())
    return narrow_echo


def test_the_audience_shows_the_way_to_each(staff: Client, nested: Core) -> None:
    people = staff.get(page(PUBLICATIONS, nested, "audience")).context["people"]
    assert [(user.email, reason) for user, reason in people] == [
        ("ann@acme.test", "group_acme_eng"),
        ("bo@acme.test", "group_acme_eng › group_inner"),
    ]


def test_the_audience_is_exported_with_the_way_to_each(staff: Client, nested: Core) -> None:
    answer: Any = staff.get(f"{PUBLICATIONS}{nested.pk.replace('_', '_5F')}/audience.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="callers-of-echo-agent.csv"' in answer.headers["content-disposition"]
    assert csv_of(answer.getvalue().decode()) == [
        ["e-mail address", "name", "role", "because"],
        ["ann@acme.test", "", "tenant_user", "group_acme_eng"],
        ["bo@acme.test", "", "tenant_user", "group_acme_eng › group_inner"],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_exported_cell_is_a_formula(staff: Client, narrow_echo: Core, ann: User, name: str) -> None:
    User.objects.filter(pk=ann.pk).update(name=name)
    answer: Any = staff.get(f"{PUBLICATIONS}{narrow_echo.pk.replace('_', '_5F')}/audience.csv")
    assert csv_of(answer.getvalue().decode())[1][1] == f"'{name}"


@pytest.mark.django_db(transaction=True)
async def test_the_export_streams_where_the_server_is_asynchronous(
    root: User, narrow_echo: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.admin.audience.PER_CHUNK", 1)
    client = AsyncClient()
    await client.aforce_login(root)
    answer: Any = await client.get(f"{PUBLICATIONS}{narrow_echo.pk.replace('_', '_5F')}/audience.csv")
    pieces = [piece.decode() async for piece in answer]
    assert [len(csv_of(piece)) for piece in pieces] == [1, 1]


def test_the_export_of_another_tenant_is_no_page(narrow_echo: Core, globex: Tenant) -> None:
    sid = signed_in(User.objects.create_user("sid@globex.test", tenant=globex, is_staff=True))
    assert sid.get(f"{PUBLICATIONS}{narrow_echo.pk.replace('_', '_5F')}/audience.csv").status_code == 404
