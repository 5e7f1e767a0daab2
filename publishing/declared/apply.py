"""Applying a file: one transaction, in the order in which one thing needs the other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from identity.actors import Actor
from publishing.declared import flows, limits, loader, people
from publishing.declared.base import ApplyRun, must_differ
from publishing.declared.schema import DeclaredTenant


@transaction.atomic
def apply(path: Path, *, actor: Actor, at: datetime, is_plan: bool = False) -> ApplyRun:
    """Bring the database in line with the file; returns one line for each change, none when nothing differs, and notes.

    A plan does the same and takes it back, so that it can neither change anything nor say something else.
    """
    declaration = loader.read(path)
    run = ApplyRun(actor, at)
    wait_for_others()
    must_differ("tenants", "slug", (tenant.slug for tenant in declaration.tenants))
    for number, declared in enumerate(declaration.tenants):
        _apply_tenant(run, f"tenants[{number}]", declared, path.parent)
    transaction.set_rollback(is_plan)
    return run


def _apply_tenant(run: ApplyRun, location: str, declared: DeclaredTenant, folder: Path) -> None:
    tenant = people.apply_tenant(run, location, declared)
    people.apply_users(run, f"{location}.users", tenant, declared.users)
    people.apply_groups(run, f"{location}.groups", tenant, declared.groups)
    flows.apply_flows(run, f"{location}.flows", tenant, declared.flows, folder)
    limits.apply_limits(run, f"{location}.limits", tenant, declared.limits)


def wait_for_others() -> None:
    """Wait until nobody else applies a file: two at once would each see half of the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('publishing.declared'))")
