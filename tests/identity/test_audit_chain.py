"""The audit log: append-only, chained, and cut in one way alone."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from identity import actors, audit
from identity.audit import chain, retention
from identity.errors import Invalid, NotAllowed
from identity.models import AuditEntry, AuditLink, User
from tests.support.audit_log import link_entries, past_the_triggers

OPERATOR = actors.operator("test")
DAY = timedelta(days=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def noted(count: int = 5, tenant: str = "acme", at: datetime = LONG_AGO) -> list[AuditEntry]:
    """Entries of one tenant, a day apart, linked."""
    for number in range(count):
        after = {"number": number, "name": "ä"}
        audit.record("test.done", str(number), tenant=tenant, actor=OPERATOR, at=at + number * DAY, after=after)
    link_entries()
    return list(AuditEntry.objects.filter(tenant=tenant).order_by("pk"))


def broken(tenant: str = "acme") -> list[tuple[int | None, int | None]]:
    return [(one.seq, one.entry_id) for one in chain.find_breaks(tenant)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identity_auditentry SET actor = 'nobody'",
        "DELETE FROM identity_auditentry",
        "TRUNCATE identity_auditentry",
        "UPDATE identity_auditlink SET hash = ''",
        "DELETE FROM identity_auditlink",
        "TRUNCATE identity_auditlink",
    ],
)
def test_the_database_refuses_to_change_or_remove_entries(db: None, statement: str) -> None:
    noted(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert broken() == []


def test_entries_of_each_tenant_are_a_chain_of_their_own(db: None) -> None:
    noted(2)
    noted(3, "globex")
    assert [head[:2] for head in chain.find_heads()] == [("acme", 2), ("globex", 3)]
    assert chain.find_breaks() == []


CHANGES: list[tuple[Callable[[AuditEntry], object], int]] = [
    (lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(actor="nobody"), 3),
    (lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(after={"number": 9}), 3),
    (lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(at=timezone.now()), 3),
    (lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(address="192.0.2.1"), 3),
    (lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(), 3),
    (lambda entry: AuditLink.objects.filter(entry_id=entry.pk).delete(), 4),
    (lambda entry: AuditLink.objects.filter(entry_id=entry.pk).update(hash=b"x" * 32), 3),
    (lambda entry: AuditLink.objects.filter(tenant="acme", seq__lt=3).delete(), 3),
]


@pytest.mark.parametrize(("change", "seq"), CHANGES)
def test_the_first_broken_link_is_named(db: None, change: Callable[[AuditEntry], Any], seq: int) -> None:
    entries = noted()
    noted(2, "globex")
    with past_the_triggers():
        change(entries[2])
    assert [one for one, _ in broken()] == [seq]
    assert broken("globex") == []


def test_an_entry_that_was_slipped_in_has_no_link(db: None) -> None:
    noted()
    with past_the_triggers():
        slipped = AuditEntry.objects.create(at=LONG_AGO, tenant="acme", actor="x", action="y", target="z")
    assert broken() == [(None, slipped.pk)]


def test_a_tail_that_was_cut_away_is_found_by_the_head_that_was_noted(db: None, tmp_path: Path) -> None:
    entries, file, said = noted(), tmp_path / "heads", StringIO()
    call_command("verify_audit", heads=file, stdout=said)
    assert said.getvalue().split()[:2] == ["acme", "5"]
    call_command("verify_audit", heads=file, stdout=said)
    with past_the_triggers():
        AuditEntry.objects.filter(pk=entries[-1].pk).delete()
        AuditLink.objects.filter(entry_id=entries[-1].pk).delete()
    assert broken() == []
    with pytest.raises(CommandError, match="acme: broken at link 5: the chain is shorter"):
        call_command("verify_audit", heads=file)
    assert len(file.read_text().splitlines()) == 2


def test_what_is_old_is_cut_and_a_signed_stub_vouches_for_it(db: None, tmp_path: Path) -> None:
    noted()
    call_command("verify_audit", heads=tmp_path / "heads", stdout=StringIO())
    assert retention.cut("acme", before=LONG_AGO + 3 * DAY, actor=OPERATOR, at=timezone.now()) == 3
    link_entries()
    assert list(AuditEntry.objects.order_by("pk").values_list("target", flat=True)) == ["3", "4", "acme"]
    call_command("verify_audit", heads=tmp_path / "heads", stdout=StringIO())
    noted(1)
    assert retention.cut("acme", before=LONG_AGO + 4 * DAY, actor=OPERATOR, at=timezone.now()) == 1
    link_entries()
    call_command("verify_audit", heads=tmp_path / "heads", stdout=StringIO())


def test_a_stub_that_was_made_up_vouches_for_nothing(db: None) -> None:
    noted()
    link = AuditLink.objects.get(seq=3)
    with past_the_triggers():
        AuditEntry.objects.filter(pk__lte=link.entry_id).delete()
        AuditLink.objects.filter(seq__lt=3).delete()
    after = {"seq": 3, "hash": bytes(link.hash).hex(), "count": 3, "signature": "x"}
    audit.record("audit.cut", "acme", tenant="acme", actor=OPERATOR, at=timezone.now(), after=after)
    link_entries()
    assert broken() == [(3, None)]


def test_only_what_is_past_is_cut_and_only_by_who_manages_the_tenant(cy: User, acme: object) -> None:
    noted()
    with pytest.raises(Invalid):
        retention.cut("acme", before=timezone.now() + DAY, actor=OPERATOR, at=timezone.now())
    with pytest.raises(NotAllowed):
        retention.cut("acme", before=LONG_AGO + DAY, actor=actors.actor_of(cy), at=timezone.now())
    said = StringIO()
    call_command("cut_audit", before="2026-01-03", stdout=said)
    assert said.getvalue() == "acme: 2 entries cut\n"
    with pytest.raises(CommandError, match="Give a day"):
        call_command("cut_audit", before="2026-02-31")


def test_an_entry_says_which_request_it_came_from_and_from_where(root: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(root)
    response = client.post("/groups/", {"group_id": "group_x"})
    entry = AuditEntry.objects.get(action="group.saved")
    assert (entry.request_id, entry.address) == (response["x-request-id"], "192.0.2.7")
    noted(1)
    assert AuditEntry.objects.get(action="test.done").request_id == ""


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_make_one_chain_and_never_wait_in_a_circle() -> None:
    """Half of them write of two tenants in one order, half in the other."""

    def write(tenants: tuple[str, ...]) -> None:
        try:
            for _ in range(10):
                with transaction.atomic():
                    for tenant in tenants:
                        audit.record("test.done", "x", tenant=tenant, actor=OPERATOR, at=timezone.now())
        finally:
            connection.close()

    orders = [("acme", "globex"), ("globex", "acme")] * 3
    threads = [threading.Thread(target=write, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [head[:2] for head in chain.find_heads()] == [("acme", 60), ("globex", 60)]
    assert chain.find_breaks() == []


def test_entries_from_before_the_chain_are_linked_and_then_those_that_came_meanwhile(db: None) -> None:
    migration = importlib.import_module("identity.migrations.0007_audit_chain")
    with connection.cursor() as cursor:
        cursor.execute(migration.LINK_OLD)
        for _ in range(2):
            with past_the_triggers():
                noted(3)
                noted(2, "globex")
            cursor.execute("SELECT identity_audit_link_old()")
    assert [head[:2] for head in chain.find_heads()] == [("acme", 6), ("globex", 4)]
    assert chain.find_breaks() == []
