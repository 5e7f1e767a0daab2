"""The admin of keys and of the audit log: looked at, and a key revoked; nothing is edited or deleted."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from identity import keys
from identity.models import ApiKey, AuditEntry, Group, User
from tests.support.staff import audited, choose, confirm, page, previewed, signed_in, superuser

KEYS = "/admin/identity/apikey/"


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def sue(db: None) -> Client:
    return signed_in(superuser())


def test_a_key_is_shown_by_its_prefix_alone(staff: Client, ann: User, key_of: Callable[[User], str]) -> None:
    secret = key_of(ann)
    for url in (KEYS, page(KEYS, ApiKey.objects.get())):
        text = staff.get(url).content.decode()
        assert secret[:10] in text
        assert secret[:14] not in text
        assert keys.digest(secret).hex()[:8] not in text


def test_what_a_key_is_limited_to_is_shown(staff: Client, ann: User, key_of: Callable[[User], str]) -> None:
    key_of(ann)
    key = ApiKey.objects.get()
    assert "every model of the user" in staff.get(page(KEYS, key)).content.decode()
    ApiKey.objects.update(models=["scaicore/acme/a", "scaicore/acme/b"])
    assert "scaicore/acme/a, scaicore/acme/b" in staff.get(page(KEYS, key)).content.decode()


def test_a_key_is_revoked_by_the_action(staff: Client, ann: User, key_of: Callable[[User], str]) -> None:
    secret = key_of(ann)
    preview = previewed(staff, KEYS, "revoke", [ApiKey.objects.get()])
    assert keys.find(secret) is not None
    confirm(staff, KEYS, preview)
    assert keys.find(secret) is None
    assert audited()[-1] == "key.revoked"


def test_a_foreign_key_is_not_revoked(staff: Client, cy: User, key_of: Callable[[User], str]) -> None:
    secret, key = key_of(cy), ApiKey.objects.get()
    preview = previewed(staff, KEYS, "revoke", [key])
    assert "None of the chosen rows exists any more." in preview.content.decode()
    confirm(staff, KEYS, preview)
    choose(staff, KEYS, "revoke", [key], confirm="yes", seen=json.dumps({key.pk: "x"}))
    assert keys.find(secret) is not None


@pytest.mark.parametrize("act", ["change", "delete"])
def test_a_key_is_neither_edited_nor_deleted(sue: Client, ann: User, key_of: Callable[[User], str], act: str) -> None:
    key_of(ann)
    assert sue.post(page(KEYS, ApiKey.objects.get(), act), {"name": "x", "post": "yes"}).status_code == 403
    assert sue.post(f"{KEYS}add/", {"name": "x"}).status_code == 403


@pytest.mark.parametrize("state", ["live", "revoked", "ended"])
def test_keys_are_found_by_their_state(staff: Client, ann: User, key_of: Callable[[User], str], state: str) -> None:
    key_of(ann)
    assert ("sgk_" in staff.get(f"{KEYS}?state={state}").content.decode()) == (state == "live")


@pytest.mark.parametrize("act", ["change", "delete"])
def test_an_audit_entry_is_neither_edited_nor_deleted(sue: Client, engineering: Group, act: str) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert sue.post(f"/admin/identity/auditentry/{entry.pk}/{act}/", {"actor": "x", "post": "yes"}).status_code == 403


def test_a_rows_history_is_its_audit_entries(staff: Client, engineering: Group) -> None:
    text = staff.get(page("/admin/identity/group/", engineering, "history"), follow=True).content.decode()
    assert "group.members_set" in text
    assert "1 audit entry" in text


def test_the_audit_log_of_another_tenant_is_not_shown(staff: Client, cy: User, key_of: Callable[[User], str]) -> None:
    key_of(cy)
    assert "key.minted" not in staff.get("/admin/identity/auditentry/").content.decode()
