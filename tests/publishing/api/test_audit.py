"""`/api/v1/audit`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from identity.models import AuditEntry, Group, Tenant, User
from publishing.audit_log import export
from publishing.models import Core
from tests.support.api_calls import Rest, error

AUDIT = "/api/v1/audit"


def actions(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [entry["action"] for entry in json.loads(response.content)["items"]]


def test_an_admin_reads_the_newest_first_and_nothing_of_others(as_root: Rest, engineering: Group, cy: User) -> None:
    AuditEntry.objects.create(at=timezone.now(), tenant="globex", actor="cy", action="group.saved", target="group_x")
    found = json.loads(as_root.get(AUDIT).content)["items"]
    assert "group.members_set" in [entry["action"] for entry in found]
    assert [entry["at"] for entry in found] == sorted((entry["at"] for entry in found), reverse=True)
    assert "group_x" not in [entry["target"] for entry in found]


def test_the_log_is_not_shown_to_others(as_ann: Rest) -> None:
    assert error(as_ann.get(AUDIT)) == (403, "authz_permission_denied")


def test_entries_are_found_by_person_action_target_and_model(as_root: Rest, narrow_echo: Core, ann: User) -> None:
    as_root.send("PATCH", f"/api/v1/users/{ann.pk}", {"name": "Ann"})
    assert actions(as_root.get(f"{AUDIT}?person=ann@acme.test")) == ["user.saved"]
    assert actions(as_root.get(f"{AUDIT}?target=group_acme_eng")) == ["group.members_set"]
    assert actions(as_root.get(f"{AUDIT}?action=group.&person=root@acme.test")) == ["group.members_set"]
    of_model = actions(as_root.get(f"{AUDIT}?model=scaicore/acme/echo-agent"))
    assert "core.published" in of_model
    assert "group.members_set" not in of_model


def test_entries_are_found_by_time(as_root: Rest, engineering: Group) -> None:
    now = quote(timezone.now().isoformat())
    assert actions(as_root.get(f"{AUDIT}?since={now}")) == []
    assert "group.members_set" in actions(as_root.get(f"{AUDIT}?until={now}"))


def test_pages_follow_one_another_without_a_gap(as_root: Rest, root: User) -> None:
    at = timezone.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(at=at, tenant="acme", actor="x", action="test.done", target=str(number)) for number in range(5)
    )
    seen, cursor = [], ""
    while cursor is not None:
        page = json.loads(as_root.get(f"{AUDIT}?action=test.&limit=2{cursor and f'&cursor={cursor}'}").content)
        seen += [entry["target"] for entry in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("asked", ["since=yesterday", "limit=0", "cursor=MTI", "cursor=LTE", "until=1"])
def test_an_unusable_search_is_refused(as_root: Rest, asked: str) -> None:
    assert error(as_root.get(f"{AUDIT}?{asked}")) == (422, "validation_error")


def exported(as_root: Rest, path: str) -> list[str]:
    response = as_root.get(f"{AUDIT}/{path}")
    assert response.status_code == 200
    assert response.headers["content-disposition"].startswith("attachment")
    return b"".join(response.streaming_content).decode().splitlines()


def test_what_is_found_is_exported_whole_and_once(
    as_root: Rest, cy: User, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PER_CHUNK", 2)
    at = timezone.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(at=at, tenant=tenant, actor="x", action="test.done", target=f"{tenant}{number}")
        for number in range(5)
        for tenant in ("acme", "globex")
    )
    lines = [json.loads(line) for line in exported(as_root, "export.jsonl?action=test.")]
    assert [line["target"] for line in lines] == ["acme4", "acme3", "acme2", "acme1", "acme0"]
    assert lines == json.loads(as_root.get(f"{AUDIT}?action=test.").content)["items"]
    assert len(exported(as_root, "export.csv?action=test.")) == 6


def test_a_name_that_is_a_formula_is_no_formula_in_the_export(as_root: Rest, root: User) -> None:
    AuditEntry.objects.create(at=timezone.now(), tenant="acme", actor="=1+1", action="test.done", target="@x")
    [names, line] = exported(as_root, "export.csv?action=test.")
    assert names.startswith("id,at,actor,")
    assert ",'=1+1," in line
    assert ",'@x," in line


def test_the_export_is_not_for_others(as_ann: Rest, as_root: Rest) -> None:
    for ending in ("csv", "jsonl"):
        assert error(as_ann.get(f"{AUDIT}/export.{ending}")) == (403, "authz_permission_denied")
        assert as_root.get(f"{AUDIT}/export.{ending}?since=yesterday").status_code == 422


def test_a_change_is_undone_by_its_id(as_root: Rest, as_ann: Rest, engineering: Group) -> None:
    [entry] = AuditEntry.objects.filter(action="group.members_set")
    assert as_ann.post(f"{AUDIT}/{entry.pk}/undo").status_code == 403
    for nothing in ("0", "x", "9" * 40, "٣"):
        assert as_root.post(f"{AUDIT}/{nothing}/undo").status_code == 404
    assert [as_root.post(f"{AUDIT}/{entry.pk}/undo").status_code for _ in range(2)] == [204, 409]
    assert not engineering.memberships.exists()
