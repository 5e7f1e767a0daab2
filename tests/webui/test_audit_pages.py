"""The page of the audit log."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from identity.models import AuditEntry, Group, Tenant, User
from publishing.models import Core
from tests.webui.test_people_pages import signed_in
from webui.people import audit


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def noted(tenant: str = "acme", **fields: str) -> None:
    told = {"actor": "x", "action": "test.done", "target": "t", **fields}
    AuditEntry.objects.create(at=timezone.now(), tenant=tenant, **told)


def test_an_entry_leads_to_what_it_is_about_and_to_who_did_it(root: User, narrow_echo: Core, ann: User) -> None:
    client = signed_in(root)
    page = text_of(client, "/audit/")
    assert f'<a href="/models/{narrow_echo.pk}/">scaicore/acme/echo-agent</a>' in page
    assert '<a href="/groups/group_acme_eng/">group_acme_eng (Engineering)</a>' in page
    assert f'<a href="/people/{root.pk}/">root@acme.test</a>' in page
    assert "+ ann@acme.test" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("model=scaicore/acme/echo-agent", "core.published"),
        ("model=echo-agent&action=publication.", "publication.changed"),
        ("person=root@acme.test&target=group_acme_eng", "group.members_set"),
        ("since=2020-01-01&until=9999-12-31&action=flow.", "flow.created"),
    ],
)
def test_entries_are_searched_for(root: User, narrow_echo: Core, query: str, found: str) -> None:
    noted(action="test.other")
    page = text_of(signed_in(root), f"/audit/?{query}")
    assert f"<code>{found}</code>" in page
    assert "test.other" not in page


def test_odd_queries_are_answered_with_a_page(root: User) -> None:
    for query in ("before=x", "before=Zm9v", "since=never", "until=2020-13-01", "model=%00", "action=" + "x" * 99):
        text_of(signed_in(root), f"/audit/?{query}")


def test_pages_follow_one_another_and_the_files_hold_what_was_searched_for(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE_SIZE", 2)
    for number in range(3):
        noted(target=f"target-{number}")
    client = signed_in(root)
    page = text_of(client, "/audit/?action=test.")
    assert 'href="/api/v1/audit/export.csv?action=test."' in page
    assert ("target-2" in page, "target-1" in page, "target-0" in page) == (True, True, False)
    older = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "target-0" in text_of(client, f"/audit/{older}")


def test_the_log_is_for_the_tenants_admins_and_escapes_what_people_wrote(root: User, ann: User, cy: User) -> None:
    noted(target="<script>alert(1)</script>")
    assert signed_in(ann).get("/audit/").status_code == 403
    assert "test.done" not in text_of(signed_in(cy), "/audit/")
    assert "<script>alert" not in text_of(signed_in(root), "/audit/")


def test_a_longer_page_takes_no_more_statements(root: User, acme: Tenant) -> None:
    client = signed_in(root)

    def count() -> int:
        with CaptureQueriesContext(connection) as sent:
            client.get("/audit/")
        return len(sent)

    noted(action="user.saved")
    few = count()
    for _ in range(20):
        noted(action="user.saved")
    assert count() == few


def test_a_change_is_undone_by_the_page_once(root: User, ann: User, cy: User, engineering: Group) -> None:
    entry = AuditEntry.objects.get(action="group.members_set")
    path, client = f"/audit/{entry.pk}/undo/", signed_in(root)
    assert path in text_of(client, "/audit/")
    assert "takes ann@acme.test out again" in text_of(client, path)
    assert [signed_in(one).post(path).status_code for one in (ann, cy)] == [403, 404]
    assert [client.post(path).status_code for _ in range(2)] == [302, 409]
    assert "was changed since" in text_of(client, path)
    assert not engineering.memberships.exists()
