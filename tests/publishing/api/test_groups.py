"""`/api/v1/groups`."""

from __future__ import annotations

import json

import pytest

from identity.models import Group, Tenant
from publishing.models import Core, Publication
from tests.support.api_calls import Rest, error

GROUPS = "/api/v1/groups"


def test_an_admin_lists_the_groups_of_the_tenant(as_root: Rest, narrow_echo: Core, globex: Tenant) -> None:
    Group.objects.create(tenant=globex, scaikey_id="group_globex_eng")
    page = json.loads(as_root.get(GROUPS).content)
    [group] = page["items"]
    assert (group["id"], group["name"], page["total"]) == ("group_acme_eng", "Engineering", 1)
    assert (group["user_count"], group["group_count"], group["publication_count"]) == (1, 0, 1)


def test_groups_are_not_shown_to_others(as_ann: Rest, engineering: Group) -> None:
    assert error(as_ann.get(GROUPS)) == (403, "authz_permission_denied")


def test_deleting_a_group_never_widens_a_publication(as_root: Rest, narrow_echo: Core) -> None:
    assert as_root.delete(f"{GROUPS}/group_acme_eng").status_code == 204
    publication = Publication.objects.get(core=narrow_echo)
    assert (publication.visibility, publication.group_ids) == ("groups", [])
    assert error(as_root.delete(f"{GROUPS}/group_acme_eng")) == (404, "not_found")


@pytest.mark.parametrize("name", ["group_acme_eng", "group_none"])
def test_nobody_else_deletes_a_group_or_learns_which_exist(as_ann: Rest, engineering: Group, name: str) -> None:
    assert error(as_ann.delete(f"{GROUPS}/{name}")) == (403, "authz_permission_denied")


def test_a_foreign_group_reads_like_none(as_cy: Rest, engineering: Group) -> None:
    there, nowhere = as_cy.delete(f"{GROUPS}/group_acme_eng"), as_cy.delete(f"{GROUPS}/group_none")
    assert error(there) == (404, "not_found")
    assert there.content == nowhere.content
    assert Group.objects.filter(pk=engineering.pk).exists()
