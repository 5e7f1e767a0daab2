"""The pages of groups."""

from __future__ import annotations

from django.test import Client
from django.utils import timezone

from identity import actors, groups
from identity.models import AuditEntry, Group, Membership, Tenant, User
from publishing import registry
from publishing.models import Core, Publication
from tests.webui.test_people_pages import signed_in


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def nested(acme: Tenant, outer: Group, root: User) -> Group:
    """A group in `outer`, empty."""
    inner = Group.objects.create(tenant=acme, scaikey_id="group_inner")
    groups.add_members(outer, users=[], groups=[inner], actor=actors.actor_of(root), at=timezone.now())
    return inner


def test_an_admin_makes_and_renames_a_group(root: User) -> None:
    client = signed_in(root)
    made = client.post("/groups/", {"group_id": "group_sales", "name": "Sales"})
    assert made.headers["location"] == "/groups/group_sales/"
    client.post("/groups/group_sales/", {"name": "<b>Field</b>"})
    assert "&lt;b&gt;Field&lt;/b&gt;" in text_of(client, "/groups/")
    assert list(AuditEntry.objects.values_list("action", "door")) == [("group.saved", "page")] * 2


def test_an_id_that_is_taken_or_unusable_is_refused_in_words(root: User, engineering: Group) -> None:
    client = signed_in(root)
    for unusable in ("no spaces", ""):
        assert 'id="id_group_id_error"' in client.post("/groups/", {"group_id": unusable}).content.decode()
    taken = client.post("/groups/", {"group_id": "group_acme_eng"}).content.decode()
    assert "A group with this id exists already." in taken
    assert Group.objects.count() == 1


def test_people_and_groups_are_added_by_name_and_taken_out(
    root: User, bo: User, acme: Tenant, engineering: Group
) -> None:
    client = signed_in(root)
    Group.objects.create(tenant=acme, scaikey_id="group_inner")
    client.post("/groups/group_acme_eng/members/", {"members": "bo@acme.test,\n group:group_inner"})
    assert groups.members(engineering) == ["ann@acme.test", "bo@acme.test", "group:group_inner"]
    client.post("/groups/group_acme_eng/members/", {"remove": "group:group_inner"})
    client.post("/groups/group_acme_eng/members/", {"remove": bo.pk})
    assert groups.members(engineering) == ["ann@acme.test"]


def test_who_is_unknown_or_of_another_tenant_is_named_and_nobody_is_added(
    root: User, bo: User, cy: User, engineering: Group
) -> None:
    page = signed_in(root).post("/groups/group_acme_eng/members/", {"members": "bo@acme.test cy@globex.test"})
    assert "The tenant has no cy@globex.test. Nobody was added." in page.content.decode()
    assert not Membership.objects.filter(user=bo).exists()


def test_a_circle_is_refused_in_words(root: User, acme: Tenant, engineering: Group) -> None:
    inner = nested(acme, engineering, root)
    page = signed_in(root).post("/groups/group_inner/members/", {"members": "group:group_acme_eng"})
    assert "holds group_inner already" in page.content.decode()
    assert groups.members(inner) == []


def test_the_page_says_who_is_in_it_by_which_way_and_what_it_opens(
    root: User, bo: User, acme: Tenant, narrow_echo: Core, engineering: Group
) -> None:
    inner = nested(acme, engineering, root)
    groups.add_members(inner, users=[bo], groups=[], actor=actors.actor_of(root), at=timezone.now())
    client = signed_in(root)
    outer_page, inner_page = text_of(client, "/groups/group_acme_eng/"), text_of(client, "/groups/group_inner/")
    assert "bo@acme.test" in outer_page
    assert 'through <a href="/groups/group_inner/">' in outer_page
    assert f'value="{bo.pk}"' not in outer_page
    assert "group_acme_eng (Engineering), which this group is nested in" in inner_page


def test_deleting_says_first_what_it_closes_and_never_opens_it(root: User, ann: User, narrow_echo: Core) -> None:
    client, path = signed_in(root), "/groups/group_acme_eng/delete/"
    page = text_of(client, path)
    assert "1 may call now, <strong>nobody</strong> could afterwards" in page
    assert client.post(path, {"agreed": "0-0"}).status_code == 409
    assert Group.objects.count() == 1
    client.post(path, {"agreed": "1-0"})
    assert Group.objects.count() == 0
    assert registry.audience(Publication.objects.get()).count() == 0


def test_groups_are_for_the_tenants_admins(root: User, ann: User, cy: User, engineering: Group) -> None:
    assert signed_in(ann).get("/groups/").status_code == 403
    for path in ("", "members/", "delete/"):
        assert signed_in(ann).post(f"/groups/group_acme_eng/{path}", {"remove": ann.pk}).status_code == 403
        assert signed_in(cy).post(f"/groups/group_acme_eng/{path}", {"remove": ann.pk}).status_code == 404
    assert groups.members(engineering) == ["ann@acme.test"]
