"""Changes of many rows in the admin: shown first, then done as they were shown, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from identity import keys
from identity.models import ApiKey, AuditEntry, Tenant, User
from tests.support.staff import audited, choose, confirm, previewed, signed_in, superuser

USERS = "/admin/identity/user/"
GROUPS = "/admin/identity/group/"
KEYS = "/admin/identity/apikey/"


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def says(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def active() -> list[str]:
    return list(User.objects.filter(is_active=True).order_by("email").values_list("email", flat=True))


def test_a_preview_says_what_will_change_and_changes_nothing(staff: Client, ann: User, bo: User) -> None:
    User.objects.filter(pk=bo.pk).update(is_active=False)
    preview = previewed(staff, USERS, "switch_off", [ann, bo])
    lines = {str(line.row): (line.now, line.then, line.changes) for line in preview.context["lines"]}
    assert lines == {"ann@acme.test": ("active", "off", True), "bo@acme.test": ("off", "off", False)}
    assert active() == ["ann@acme.test", "root@acme.test"]
    assert audited() == []


def test_users_are_switched_off_as_shown_with_an_entry_for_each(staff: Client, ann: User, bo: User) -> None:
    answer = confirm(staff, USERS, previewed(staff, USERS, "switch_off", [ann, bo]))
    assert "Changed: 2. Left as they were: 0." in says(answer)
    assert active() == ["root@acme.test"]
    assert audited() == ["user.saved", "user.saved"]


def test_a_second_click_does_nothing_more(staff: Client, ann: User) -> None:
    preview = previewed(staff, USERS, "switch_off", [ann])
    confirm(staff, USERS, preview)
    assert "changed since you looked: ann@acme.test" in says(confirm(staff, USERS, preview))
    assert audited() == ["user.saved"]


def test_one_row_that_changed_since_keeps_all_as_they_are(staff: Client, ann: User, bo: User) -> None:
    preview = previewed(staff, USERS, "switch_off", [ann, bo])
    User.objects.filter(pk=bo.pk).update(is_active=False)
    answer = confirm(staff, USERS, preview)
    assert "Nothing was done: changed since you looked: bo@acme.test. Look again." in says(answer)
    assert "ann@acme.test" in active()


def test_a_row_that_is_gone_keeps_all_as_they_are(staff: Client, ann: User, bo: User) -> None:
    preview = previewed(staff, USERS, "switch_off", [ann, bo])
    bo_id = bo.pk
    User.objects.filter(pk=bo_id).delete()
    assert f"changed since you looked: {bo_id}" in says(confirm(staff, USERS, preview))
    assert "ann@acme.test" in active()


def test_a_row_that_nobody_looked_at_is_not_slipped_in(staff: Client, ann: User, bo: User) -> None:
    seen = previewed(staff, USERS, "switch_off", [ann]).context["seen"]
    answer = choose(staff, USERS, "switch_off", [ann, bo], confirm="yes", seen=seen)
    assert "changed since you looked: bo@acme.test" in says(answer)
    assert "ann@acme.test" in active()


@pytest.mark.parametrize("seen", ["", "[]", "null", "{", '{"x": 1}'])
def test_a_confirmation_that_saw_nothing_does_nothing(staff: Client, ann: User, seen: str) -> None:
    assert choose(staff, USERS, "switch_off", [ann], confirm="yes", seen=seen).status_code == 200
    assert "ann@acme.test" in active()


def test_nobody_switches_themselves_off(staff: Client, root: User, ann: User) -> None:
    preview = previewed(staff, USERS, "switch_off", [root, ann])
    assert "stays: This is you: another admin must do it." in says(preview)
    confirm(staff, USERS, preview)
    assert active() == ["root@acme.test"]


def test_staff_switch_no_superuser_off(staff: Client, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    preview = previewed(staff, USERS, "switch_off", [ann])
    assert "stays: A superuser: only a superuser may do it." in says(preview)
    confirm(staff, USERS, preview)
    assert "ann@acme.test" in active()


def test_a_user_of_another_tenant_cannot_be_chosen(staff: Client, ann: User, cy: User) -> None:
    confirm(staff, USERS, previewed(staff, USERS, "switch_off", [ann, cy]))
    assert "cy@globex.test" in active()
    assert "ann@acme.test" not in active()


def test_all_keys_of_users_are_revoked_with_an_entry_for_each(
    staff: Client, ann: User, bo: User, key_of: Callable[[User], str]
) -> None:
    secrets = [key_of(ann), key_of(ann), key_of(bo)]
    preview = previewed(staff, USERS, "revoke_all_keys", [ann, bo])
    assert {line.now for line in preview.context["lines"]} == {"2 keys", "1 key"}
    confirm(staff, USERS, preview)
    assert [keys.find(secret) for secret in secrets] == [None, None, None]
    assert audited()[-3:] == ["key.revoked"] * 3


def test_a_key_that_was_made_since_is_not_revoked_unseen(
    staff: Client, ann: User, key_of: Callable[[User], str]
) -> None:
    key_of(ann)
    preview = previewed(staff, USERS, "revoke_all_keys", [ann])
    key_of(ann)
    assert "changed since you looked" in says(confirm(staff, USERS, preview))
    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()


def test_ten_thousand_chosen_rows_are_refused_before_anything_is_done(staff: Client, acme: Tenant, root: User) -> None:
    User.objects.bulk_create(User(email=f"{n}@acme.test", tenant=acme, password="!") for n in range(10_000))
    for action, more in (("switch_off", {}), ("switch_off", {"confirm": "yes", "seen": "{}"}), ("delete_selected", {})):
        answer = choose(staff, USERS, action, [root], select_across="1", **more)
        assert "Nothing was done: 10001 rows are chosen, and at most 500 are changed at once." in says(answer)
    assert User.objects.filter(is_active=True).count() == 10_001


def test_ten_thousand_posted_ids_are_refused(staff: Client, ann: User) -> None:
    data = {"action": "switch_off", "_selected_action": [f"user_{n}" for n in range(10_000)], "index": "0"}
    assert staff.post(USERS, data).status_code == 400
    assert "ann@acme.test" in active()


@pytest.mark.parametrize(("url", "ids"), [(USERS, ["\0"]), (GROUPS, ["x"]), (GROUPS, ["9" * 40]), (KEYS, ["x" * 99])])
def test_ids_that_cannot_be_are_refused(staff: Client, url: str, ids: list[str]) -> None:
    data = {"action": "delete_selected" if url == GROUPS else "revoke", "_selected_action": ids, "index": "0"}
    assert "a row that was chosen does not exist." in says(staff.post(url, data, follow=True))


def test_as_many_rows_as_fit_on_a_preview_are_done(acme: Tenant) -> None:
    sue = signed_in(superuser())
    rows = [User(email=f"{n}@acme.test", tenant=acme, password="!") for n in range(500)]
    User.objects.bulk_create(rows)
    confirm(sue, USERS, previewed(sue, USERS, "switch_off", rows))
    assert User.objects.filter(is_active=True).count() == 1
    assert AuditEntry.objects.filter(action="user.saved").count() == 500


def test_the_way_back_leads_nowhere_else(staff: Client, ann: User, key_of: Callable[[User], str]) -> None:
    key_of(ann)
    for back, leads_to in (("/admin/identity/user/", "/admin/identity/user/"), ("https://evil.test/", KEYS)):
        assert choose(staff, KEYS, "revoke", [ApiKey.objects.get()], back=back).context["back"] == leads_to


def test_what_the_action_refuses_takes_everything_back(
    staff: Client, ann: User, bo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = previewed(staff, USERS, "switch_off", [ann, bo])
    monkeypatch.setattr("identity.admin.users.SwitchOff._refusal", lambda *_: "")
    User.objects.filter(pk=max(ann.pk, bo.pk)).update(is_superuser=True)
    assert "Only a superuser may change a superuser." in says(confirm(staff, USERS, preview))
    assert (len(active()), audited()) == (3, [])


def test_an_expired_key_counts_until_it_is_revoked(staff: Client, ann: User, key_of: Callable[[User], str]) -> None:
    key_of(ann)
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
    preview = previewed(staff, KEYS, "revoke", [ApiKey.objects.get()])
    assert [(line.now, line.then) for line in preview.context["lines"]] == [("expired", "revoked")]
