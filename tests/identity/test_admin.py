"""The admin of people: staff see and change their own tenant, by the same actions as every other door."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from identity import groups
from identity.models import AuditEntry, Group, Role, Tenant, User
from tests.support.staff import INLINE, audited, choose, page, queries, signed_in, superuser, tenant_off

USERS = "/admin/identity/user/"
GROUPS = "/admin/identity/group/"
KEYS = "/admin/identity/apikey/"
LISTS = ["identity/tenant", "identity/user", "identity/group", "identity/apikey", "identity/auditentry"]
ANN = {"email": "ann@acme.test", "name": "", "role": "tenant_user", "is_active": "on", "new_password": ""}


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def sue(db: None) -> Client:
    return signed_in(superuser())


@pytest.fixture
def theirs(globex: Tenant) -> Group:
    return Group.objects.create(tenant=globex, scaikey_id="group_globex")


def page_of(row: User | Group) -> str:
    return page(USERS if isinstance(row, User) else GROUPS, row)


@pytest.mark.parametrize("path", ["", *LISTS])
def test_only_staff_come_in(path: str, ann: User, staff: Client) -> None:
    url = f"/admin/{path}/".replace("//", "/")
    assert staff.get(url).status_code == 200
    assert signed_in(ann).get(url).status_code == 302


def test_staff_of_a_switched_off_tenant_stay_outside(acme: Tenant, staff: Client) -> None:
    tenant_off(acme)
    assert staff.get(USERS).status_code == 302


def test_staff_see_their_own_tenant_alone(staff: Client, ann: User, cy: User) -> None:
    text = staff.get(USERS).content.decode()
    assert "ann@acme.test" in text
    assert "globex" not in text


def test_a_superuser_sees_every_tenant(sue: Client, ann: User, cy: User) -> None:
    text = sue.get(USERS).content.decode()
    assert "ann@acme.test" in text
    assert "cy@globex.test" in text


def test_a_row_of_another_tenant_reads_like_none(staff: Client, cy: User, theirs: Group) -> None:
    urls = [page_of(cy), page_of(theirs), "/admin/identity/tenant/globex/change/", page(USERS, cy, "delete")]
    for url in urls:
        answer = staff.get(url)
        assert (answer.status_code, answer["location"]) == (302, "/admin/")


def test_a_change_of_another_tenants_row_changes_nothing(staff: Client, cy: User) -> None:
    staff.post(page_of(cy), {**ANN, "email": "mine@acme.test"})
    staff.post(page(USERS, cy, "delete"), {"post": "yes"})
    assert User.objects.get(pk=cy.pk).email == "cy@globex.test"
    assert audited() == []


@pytest.mark.parametrize("field", ["model_name=group&field_name=users", "model_name=nesting&field_name=child"])
def test_autocomplete_offers_the_own_tenant_alone(
    staff: Client, ann: User, cy: User, theirs: Group, field: str
) -> None:
    offered = staff.get(f"/admin/autocomplete/?app_label=identity&{field}&term=").content.decode()
    assert "globex" not in offered


def test_a_new_user_belongs_to_the_tenant_of_its_maker(staff: Client, globex: Tenant) -> None:
    staff.post(f"{USERS}add/", {**ANN, "email": "Di@acme.test", "tenant": "globex", "is_superuser": "on"})
    di = User.objects.get(email="di@acme.test")
    assert (di.tenant_id, di.is_superuser) == ("acme", False)


def test_a_superuser_chooses_the_tenant_of_a_new_user(sue: Client, globex: Tenant) -> None:
    sue.post(f"{USERS}add/", {**ANN, "email": "di@globex.test", "tenant": "globex"})
    assert User.objects.get(email="di@globex.test").tenant_id == "globex"


def test_a_change_of_a_user_is_audited_once_with_both_values(staff: Client, ann: User) -> None:
    staff.post(page_of(ann), {**ANN, "role": "tenant_viewer"})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.target) == ("user.saved", "root@acme.test", ann.pk)
    assert (entry.before["role"], entry.after["role"]) == ("tenant_user", "tenant_viewer")
    assert User.objects.get(pk=ann.pk).role == Role.VIEWER


def test_saving_without_a_change_tells_nothing(staff: Client, ann: User) -> None:
    assert staff.post(page_of(ann), ANN).status_code == 302
    assert audited() == []


def test_django_keeps_no_second_log(staff: Client, ann: User) -> None:
    staff.post(page_of(ann), {**ANN, "name": "Ann"})
    staff.post(page(USERS, ann, "delete"), {"post": "yes"})
    assert not LogEntry.objects.exists()


def test_nobody_is_raised_or_moved_by_fields_that_the_form_does_not_show(
    staff: Client, ann: User, globex: Tenant
) -> None:
    staff.post(page_of(ann), {**ANN, "name": "Ann", "is_superuser": "on", "tenant": "globex", "groups": "1"})
    saved = User.objects.get(pk=ann.pk)
    assert (saved.name, saved.is_superuser, saved.tenant_id) == ("Ann", False, "acme")


def test_staff_change_no_superuser(staff: Client, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    assert staff.get(page_of(ann)).status_code == 200
    assert staff.post(page_of(ann), {**ANN, "new_password": "a new secret"}).status_code == 403
    assert staff.post(page(USERS, ann, "delete"), {"post": "yes"}).status_code == 403


def test_deleting_many_is_all_or_nothing(staff: Client, ann: User, bo: User) -> None:
    User.objects.filter(pk=bo.pk).update(is_superuser=True)
    answer = choose(staff, USERS, "delete_selected", [ann, bo], post="yes")
    assert "Only a superuser may change a superuser." in answer.content.decode()
    assert User.objects.filter(pk__in=[ann.pk, bo.pk]).count() == 2
    assert audited() == []


def test_what_the_action_refuses_stands_in_the_form_with_what_was_typed(staff: Client, root: User) -> None:
    answer = staff.post(
        page_of(root), {"email": "root@acme.test", "name": "Typed", "role": "tenant_admin", "is_active": "on"}
    )
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Another admin must change your own rights." in text
    assert 'value="Typed"' in text


def test_a_weak_password_is_refused_beside_its_field(staff: Client, ann: User) -> None:
    answer = staff.post(page_of(ann), {**ANN, "name": "Ann", "new_password": "password"})
    assert answer.context["adminform"].form.errors == {"new_password": ["This password is too common."]}
    assert User.objects.get(pk=ann.pk).name == ""


def test_a_new_password_works_and_is_nowhere_in_the_log(staff: Client, ann: User) -> None:
    staff.post(page_of(ann), {**ANN, "new_password": "a new secret"})
    assert User.objects.get(pk=ann.pk).check_password("a new secret")
    assert audited() == ["user.password_set"]
    assert "secret" not in str(AuditEntry.objects.values())


def test_no_page_shows_a_password_hash(staff: Client, ann: User) -> None:
    assert "pbkdf2" not in staff.get(page_of(ann)).content.decode()


@pytest.mark.parametrize("query", ["password__startswith=p", "password__regex=^p"])
def test_no_filter_feels_its_way_along_a_hash(staff: Client, query: str) -> None:
    assert staff.get(f"{USERS}?{query}").status_code == 400


def test_the_own_password_is_changed_by_the_action(staff: Client, root: User) -> None:
    new = {"old_password": "change-me", "new_password1": "a new secret", "new_password2": "a new secret"}
    assert staff.post("/admin/password_change/", new)["location"] == "/admin/password_change/done/"
    assert audited() == ["user.password_set"]
    assert staff.get("/admin/").status_code == 200


def test_a_deleted_user_is_audited(staff: Client, ann: User, key_of: Callable[[User], str]) -> None:
    key_of(ann)
    staff.post(page(USERS, ann, "delete"), {"post": "yes"})
    assert audited() == ["key.minted", "user.deleted"]
    assert not User.objects.filter(pk=ann.pk).exists()


def test_staff_rename_their_tenant_and_do_not_switch_it(staff: Client, acme: Tenant) -> None:
    staff.post("/admin/identity/tenant/acme/change/", {"name": "Acme Inc."})
    acme.refresh_from_db()
    assert (acme.name, acme.is_active) == ("Acme Inc.", True)


def test_only_superusers_add_tenants_and_nobody_deletes_one(staff: Client, sue: Client, acme: Tenant) -> None:
    initech = {"slug": "initech", "name": "Initech", "is_active": "on"}
    assert staff.post("/admin/identity/tenant/add/", initech).status_code == 403
    assert sue.post("/admin/identity/tenant/add/", initech).status_code == 302
    assert sue.post("/admin/identity/tenant/acme/delete/", {"post": "yes"}).status_code == 403
    assert Tenant.objects.filter(pk__in=["acme", "initech"]).count() == 2


def test_a_group_is_made_with_its_members(staff: Client, ann: User, engineering: Group) -> None:
    new = {"scaikey_id": "group_acme_all", "name": "All", "users": [ann.pk], "groups": [engineering.pk]}
    answer = staff.post(f"{GROUPS}add/", new, follow=True)
    made = Group.objects.get(scaikey_id="group_acme_all")
    assert "The ScaiKey group “<a" in answer.content.decode()
    assert groups.members(made) == ["ann@acme.test", "group:group_acme_eng"]
    assert audited()[-2:] == ["group.saved", "group.members_set"]


def test_members_are_changed_by_the_action(staff: Client, engineering: Group, bo: User) -> None:
    staff.post(page_of(engineering), {"name": "Engineering", "users": [bo.pk]})
    assert groups.members(engineering) == ["bo@acme.test"]
    assert AuditEntry.objects.filter(action="group.members_set", actor="root@acme.test").count() == 2


def test_a_foreign_member_is_refused_beside_the_field(
    staff: Client, engineering: Group, cy: User, theirs: Group
) -> None:
    answer = staff.post(page_of(engineering), {"name": "Changed", "users": [cy.pk], "groups": [theirs.pk]})
    assert set(answer.context["adminform"].form.errors) == {"users", "groups"}
    assert groups.members(engineering) == ["ann@acme.test"]


def test_a_superuser_mixes_no_tenants_in_a_new_group(sue: Client, acme: Tenant, cy: User) -> None:
    answer = sue.post(f"{GROUPS}add/", {"tenant": "acme", "scaikey_id": "group_x", "users": [cy.pk]})
    assert "cy@globex.test does not exist." in answer.content.decode()
    assert not Group.objects.exists()


def test_a_group_id_that_is_taken_is_refused_in_the_form(staff: Client, engineering: Group) -> None:
    answer = staff.post(f"{GROUPS}add/", {"scaikey_id": "group_acme_eng"})
    assert "A group with this id exists already." in answer.content.decode()


def test_a_group_of_many_is_renamed_and_keeps_its_members(
    staff: Client, engineering: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.admin.groups.MOST_MEMBERS", 0)
    assert "too many for this form" in staff.get(page_of(engineering)).content.decode()
    staff.post(page_of(engineering), {"name": "Renamed"})
    assert Group.objects.get().name == "Renamed"
    assert groups.members(engineering) == ["ann@acme.test"]


def test_the_question_before_a_deletion_counts_what_goes_along(staff: Client, engineering: Group) -> None:
    text = staff.get(page(GROUPS, engineering, "delete")).content.decode()
    assert "<li>ScaiKey groups: 1</li>" in text
    assert "<li>Memberships: 1</li>" in text


def test_deleted_groups_are_audited_one_by_one(staff: Client, engineering: Group, acme: Tenant) -> None:
    other = Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")
    choose(staff, GROUPS, "delete_selected", [engineering, other], post="yes")
    assert audited()[-2:] == ["group.deleted", "group.deleted"]
    assert not Group.objects.exists()


@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_as_many_statements_for_many_rows_as_for_one(
    path: str, sue: Client, acme: Tenant, engineering: Group, key_of: Callable[[User], str], ann: User
) -> None:
    key_of(ann)
    few = queries(sue, f"/admin/{path}/")
    for number in range(5):
        tenant = Tenant.objects.create(slug=f"tenant-{number}", name="x")
        key_of(User.objects.create_user(f"{number}@x.test", tenant=tenant))
        Group.objects.create(tenant=tenant, scaikey_id="group_x")
    assert queries(sue, f"/admin/{path}/") == few


def test_a_list_comes_in_pages(staff: Client, acme: Tenant) -> None:
    Group.objects.bulk_create(Group(tenant=acme, scaikey_id=f"group_{number:03}") for number in range(60))
    text = staff.get(GROUPS).content.decode()
    assert "group_049" in text
    assert "group_050" not in text


@pytest.mark.parametrize(
    "path", ["", "login/", *(f"{one}/" for one in LISTS), "identity/group/add/", "password_change/"]
)
def test_no_page_needs_more_than_the_strict_policy_allows(path: str, sue: Client) -> None:
    answer = (Client() if path == "login/" else sue).get(f"/admin/{path}")
    assert "default-src 'self'" in answer["content-security-policy"]
    assert "unsafe" not in answer["content-security-policy"]
    assert not INLINE.search(answer.content.decode())


def test_the_admin_says_that_it_is_for_staff_and_leads_back(staff: Client) -> None:
    text = staff.get("/admin/").content.decode()
    assert ">Staff</span>" in text
    assert '<a href="/">View site</a>' in text


def test_permission_rows_and_their_groups_are_not_offered(sue: Client) -> None:
    assert sue.get("/admin/auth/group/").status_code == 404
