"""`/api/v1/audit`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from identity.models import AuditEntry, Group, User
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
