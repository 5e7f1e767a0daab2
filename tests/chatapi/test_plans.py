"""How PostgreSQL finds what a call asks for: never by looking at what belongs to other tenants.

Each statement is planned as the pool has it planned, once for all values, on an installation of many tenants. What one
tenant owns may be found by the tenant's slug or by an id that only one tenant has; so an installation may be cut by
tenant, and a growing neighbour costs nobody anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import seed
from chatapi import traces, usage
from chatapi.daily_usage import counting
from identity.models import Tenant, User
from publishing import leases, limits, memory, refused_calls, registry
from publishing.models import Core

TENANTS = 12
SIZE = {"users": 200, "groups": 200, "publications": 40, "entries": 300}
HOT = {
    "decide": registry.DECIDE,
    "reserve": registry.RESERVE,
    "list": registry.LIST,
    "list of a user": registry.LIST_OF_USER,
    "allow": registry.ALLOW,
    "audience": registry.AUDIENCE,
    "live": registry.LIVE,
    "name": registry.NAME,
    "version": registry.VERSION,
    "load": registry.LOAD,
    "lease": leases.TAKE,
    "renew": leases.RENEW,
    "release": leases.RELEASE,
    "release what was taken": leases.RELEASE_TAKEN,
    "commit": memory.COMMIT,
    "by key": memory.BY_KEY,
    "by fingerprint": memory.BY_FINGERPRINT,
    "usage": usage.INSERT,
    **{f"usage of a day, {number}": statement for number, statement in enumerate(counting.STATEMENTS)},
    "trace": traces.INSERT,
    "settle": limits.SETTLE,
    "refusal": refused_calls.INSERT,
}


# What `bench.seed` leaves out: keys, memories, limits.
MORE = """
INSERT INTO identity_apikey (id, user_id, name, prefix, digest, created_at)
    SELECT 'key_' || id, id, 'key', '', sha256(id::bytea), now() FROM identity_user;
INSERT INTO publishing_entity
    (core_id, partition, owner, entity_id, state, turns_committed, created_at, updated_at)
    SELECT c.id, 'entity', u.id, n, '{}', 1, now(), now() FROM publishing_core c
    JOIN identity_user u ON u.id ~ '_7$' AND u.tenant_id = c.tenant_id, generate_series(1, 5) n;
INSERT INTO publishing_turn
    (entity_id, number, request_id, user_id, core_version, message, response, prompt_tokens, completion_tokens,
    fingerprint, idempotency_key, created_at)
    SELECT id, 1, 'req_' || id, owner, 1, '', '', 1, 1, sha256(id::text::bytea), 'key-' || id, now()
    FROM publishing_entity;
CREATE TEMPORARY TABLE inserted (LIKE chatapi_usagerecord);
INSERT INTO publishing_usagelimit (id, tenant_id, core_id, measure, per, amount, is_soft, created_at, updated_at)
    SELECT 'limit_' || id, tenant_id, id, 'requests', 'day', 9, false, now(), now() FROM publishing_core;
ANALYZE;
"""
# What belongs to one tenant alone; a condition on one of these keeps the others out.
OF_ONE_TENANT = {
    *("tenant_id", "slug", "id", "digest", "name", "user_id", "key_id", "core_id", "publication_id", "group_id"),
    *("child_id", "parent_id", "entity_id", "version_id", "limit_id", "session_key", "flow_id"),
}
# (statement, table) → why it may be looked at without such a condition.
EXEMPT = {
    ("decide", "publishing_usagelimit"): "is there any limit in the installation: it stops at the first row",
    ("reserve", "publishing_usagelimit"): "the same",
    ("usage of a day, 0", "inserted"): "the records that the statement itself wrote",
    ("usage of a day, 1", "inserted"): "the same",
}
PAGES = ["/usage/", "/usage/export.csv", "/models/", "/flows/", "/keys/"]


@pytest.fixture
def neighbours(echo: Core) -> None:
    """Other tenants, so that reading everybody's would cost more than an index."""
    for number in range(TENANTS):
        seed.fill(Tenant.objects.create(slug=f"other-{number}", name="Other").pk, **SIZE)
    with connection.cursor() as cursor:
        cursor.execute(MORE)
        # A small table is read whole, whatever is asked, and joined by hashing or keeping it: all taken away.
        for way in ("seqscan", "hashjoin", "mergejoin", "material"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")


def generic_plan(statement: str) -> dict[str, Any]:
    """The plan of a statement whose values are not known yet."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1] or str(len(names)), len(names) + 1)}"

    text = re.sub(r"%(?:\((\w+)\))?s", number, statement).replace("%%", "%")
    raw = connection.connection
    raw.execute(f"PREPARE hot AS {text}")
    try:
        values = f"({', '.join(['NULL'] * len(names))})" if names else ""
        [[found]] = raw.execute(f"EXPLAIN (FORMAT JSON) EXECUTE hot {values}").fetchall()
    finally:
        raw.execute("DEALLOCATE hot")
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def explain(statement: str) -> dict[str, Any]:
    """The plan of a statement whose values stand in it."""
    [[found]] = connection.connection.execute(f"EXPLAIN (FORMAT JSON) {statement}").fetchall()
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def scans(plan: dict[str, Any], table: str = "") -> Iterator[tuple[str, str]]:
    """Each table that a plan reads, with the condition by which its rows are found."""
    table = plan.get("Relation Name", table)
    if plan["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"):
        yield table, plan.get("Index Cond", "")
    for part in plan.get("Plans", []):
        yield from scans(part, table)


def strangers(plan: dict[str, Any]) -> set[str]:
    """The tables of which a plan reads rows of any tenant."""
    return {table for table, condition in scans(plan) if not OF_ONE_TENANT & set(_columns(condition))}


def _columns(condition: str) -> list[str]:
    """The columns that a condition compares, each at its left side: `((tenant_id)::text = …) AND (…)`."""
    return re.findall(r"\(\(?(\w+)\)?(?:::\w+)? = ", condition)


def test_the_statements_of_a_call_read_rows_of_their_own_tenant_only(neighbours: None) -> None:
    found = {(name, table) for name, statement in HOT.items() for table in strangers(generic_plan(statement))}
    assert found - EXEMPT.keys() == set()


def test_the_pages_read_rows_of_their_own_tenant_only(neighbours: None, client: Client, ann: User) -> None:
    client.force_login(ann)
    with CaptureQueriesContext(connection) as captured:
        assert [client.get(page).status_code for page in PAGES] == [200] * len(PAGES)
    # Sessions belong to no tenant.
    texts = {query["sql"].strip() for query in captured}
    asked = {text for text in texts if text.startswith("SELECT") and "_session" not in text}
    assert len(asked) > 10
    found = {statement: strangers(explain(statement)) for statement in asked}
    assert {statement: tables for statement, tables in found.items() if tables} == {}


def test_the_pages_that_count_calls_read_no_single_run(neighbours: None, client: Client, root: User) -> None:
    client.force_login(root)
    pages = ["/usage/", "/usage/export.csv", "/models/", f"/models/{Core.objects.filter(tenant='acme')[0].pk}/"]
    with CaptureQueriesContext(connection) as captured:
        assert [client.get(page).status_code for page in pages] == [200] * len(pages)
    assert [query["sql"] for query in captured if "chatapi_usagerecord" in query["sql"]] == []


def test_reading_everybodys_rows_would_be_seen(neighbours: None) -> None:
    statement = "SELECT count(*) FROM chatapi_usagerecord WHERE outcome = %s AND at > now()"
    assert strangers(generic_plan(statement)) == {"chatapi_usagerecord"}
