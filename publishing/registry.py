"""The registry: who may call which model, decided afresh by the database on every request.

The decision itself is the view `publishing_access`, narrowed to the models of a limited key. It is read in three ways,
each at the cost of its own question: for one user and one model by the view; for all models of one user, whose groups
are then found once; and for all users of one publication, from the groups that it lists downwards. A test asks all
three about random groups and finds the same. No answer is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import msgspec
import psycopg
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

import scaicore
from identity.models import User
from publishing import limits
from publishing.db import pool
from publishing.db.batching import Batcher
from publishing.limits import Estimate, Taken
from publishing.models import Access, Core, Publication
from publishing.process import metrics
from publishing.process.cached_settings import settings
from publishing.process.per_loop import PerLoop


class AllowedCall(NamedTuple):
    """A call that the database allowed: who calls which live version of what."""

    key_id: str
    user_id: str
    tenant_id: str
    core_id: str
    version_id: int
    published_at: int
    taken: tuple[Taken, ...] = ()


class AccessDecision(NamedTuple):
    """What the database said about one key and one model name.

    `key_id` is None when the key opens nothing; `core_id` is None when the user's tenant has no such model.
    `may_call`: the user may, and the key's limit, if it has one, names the model; `is_named` is about the limit alone.
    `has_limits`: there are limits in this installation on what may be used up; `taken` is what this call took of them.
    """

    key_id: str | None
    user_id: str | None
    tenant_id: str | None
    is_stale: bool | None
    core_id: str | None
    version_id: int | None
    published_at: int | None
    may_call: bool | None
    is_named: bool | None
    has_limits: bool
    taken: tuple[Taken, ...] = ()

    def allowed(self) -> AllowedCall | None:
        """The call, if it is allowed: the key is live, the model exists for its user, and the user may."""
        given = (self.key_id, self.user_id, self.tenant_id, self.core_id, self.version_id, self.published_at)
        return AllowedCall._make((*given, self.taken)) if self.may_call and None not in given else None


class ListedModel(NamedTuple):
    """A model that the caller may call: its name, when it was published (Unix seconds), and its live version."""

    name: str
    published_at: int
    version_id: int


class LiveCore(NamedTuple):
    """A live Core version, ready to run."""

    number: int
    driver: str
    program: scaicore.Runnable


# The decision: what the view `publishing_access` selects. Migrations make the view and a test compares it with this
# text, so a change here needs a migration. Read it from the inside out: the groups that the user is in, directly or
# through nested groups; whether one of them is granted; or whether the model is open to the whole tenant. A user only
# ever meets publications of their own tenant.
ACCESS = """
SELECT u.id AS user_id, u.tenant_id, p.core_id AS publication_id, p.name, c.live_id AS version_id, p.published_at,
       (p.visibility = 'tenant' OR (p.visibility = 'groups' AND EXISTS (
           WITH RECURSIVE mine (group_id) AS (
               SELECT m.group_id FROM identity_membership m WHERE m.user_id = u.id
               UNION
               SELECT n.parent_id FROM identity_nesting n JOIN mine ON n.child_id = mine.group_id
           )
           SELECT 1 FROM mine JOIN publishing_grant g ON g.group_id = mine.group_id
           WHERE g.publication_id = p.core_id
       ))) AS may_call
FROM identity_user u
JOIN identity_tenant t ON t.slug = u.tenant_id AND t.is_active
JOIN publishing_publication p ON p.tenant_id = u.tenant_id
JOIN publishing_core c ON c.id = p.core_id AND c.live_id IS NOT NULL
WHERE u.is_active
"""

# In both, a limited key opens what it names, and of that only what its user may call.
DECISION = """
SELECT k.key_id, k.user_id, k.tenant_id, k.is_stale,
       a.publication_id, a.version_id, extract(epoch FROM a.published_at)::bigint AS published_at,
       a.may_call AND (k.models IS NULL OR a.name = ANY (k.models)) AS may_call,
       (k.models IS NULL OR a.name = ANY (k.models)) AS is_named,
       EXISTS (SELECT 1 FROM publishing_usagelimit) AS has_limits
"""
DECIDE = f"""
{DECISION}
FROM unnest(%s::bytea[], %s::text[]) WITH ORDINALITY AS asked (digest, name, index)
LEFT JOIN identity_live_key k ON k.digest = asked.digest
LEFT JOIN publishing_access a ON a.user_id = k.user_id AND a.name = asked.name
ORDER BY asked.index
"""

# The same, and what the call takes of its limits. `synchronous_commit`: what a crash of the database forgets of the
# last half second of counting is not worth a wait in every call.
RESERVE = f"""
WITH decided AS MATERIALIZED (
    {DECISION}, asked.index, asked.prompt, asked.completion
    FROM unnest(%s::bytea[], %s::text[], %s::bigint[], %s::bigint[])
        WITH ORDINALITY AS asked (digest, name, prompt, completion, index)
    LEFT JOIN identity_live_key k ON k.digest = asked.digest
    LEFT JOIN publishing_access a ON a.user_id = k.user_id AND a.name = asked.name
)
{limits.TAKE}
SELECT d.key_id, d.user_id, d.tenant_id, d.is_stale, d.publication_id, d.version_id, d.published_at, d.may_call,
       d.is_named, d.has_limits, taken.limits
FROM decided d CROSS JOIN (SELECT set_config('synchronous_commit', 'off', true)) AS unsafe LEFT JOIN taken USING (index)
ORDER BY d.index
"""  # noqa: S608

# What one user, a row of `caller (user_id, models)`, may call.
CALLABLE = """, mine (group_id) AS (
    SELECT m.group_id FROM identity_membership m JOIN caller ON m.user_id = caller.user_id
    UNION
    SELECT n.parent_id FROM identity_nesting n JOIN mine ON n.child_id = mine.group_id
)
, live AS (
    SELECT p.core_id, p.name, p.visibility, p.published_at, c.live_id FROM caller
    JOIN identity_user u ON u.id = caller.user_id AND u.is_active
    JOIN identity_tenant t ON t.slug = u.tenant_id AND t.is_active
    JOIN publishing_publication p ON p.tenant_id = u.tenant_id
    JOIN publishing_core c ON c.id = p.core_id AND c.live_id IS NOT NULL
    WHERE caller.models IS NULL OR p.name = ANY (caller.models)
)
SELECT core_id, name, extract(epoch FROM published_at)::bigint, live_id FROM live WHERE visibility = 'tenant'
UNION ALL
SELECT core_id, name, extract(epoch FROM published_at)::bigint, live_id FROM live
WHERE visibility = 'groups' AND core_id IN (
    SELECT g.publication_id FROM publishing_grant g JOIN mine ON mine.group_id = g.group_id)
ORDER BY name
"""
LIST = f"WITH RECURSIVE caller AS (SELECT user_id, models FROM identity_live_key WHERE key_id = %s){CALLABLE}"  # noqa: S608  texts of this file, as below
LIST_OF_USER = f"WITH RECURSIVE caller AS (SELECT %s AS user_id, NULL::text[] AS models){CALLABLE}"

AUDIENCE = """
WITH RECURSIVE opening (group_id) AS (
    SELECT group_id FROM publishing_grant WHERE publication_id = %s
    UNION
    SELECT n.child_id FROM identity_nesting n JOIN opening ON n.parent_id = opening.group_id
)
, active AS (
    SELECT u.id, p.visibility FROM publishing_publication p
    JOIN publishing_core c ON c.id = p.core_id AND c.live_id IS NOT NULL
    JOIN identity_tenant t ON t.slug = p.tenant_id AND t.is_active
    JOIN identity_user u ON u.tenant_id = p.tenant_id AND u.is_active
    WHERE p.core_id = %s
)
SELECT id FROM active WHERE visibility = 'tenant'
UNION ALL
SELECT id FROM active WHERE visibility = 'groups' AND id IN (
    SELECT m.user_id FROM identity_membership m JOIN opening ON opening.group_id = m.group_id)
"""

ALLOW = """
SELECT a.publication_id, a.version_id, extract(epoch FROM a.published_at)::bigint FROM publishing_access a
WHERE a.user_id = %s AND a.name = %s AND a.may_call
"""

LIVE = """
SELECT c.id, c.live_id FROM publishing_core c JOIN identity_tenant t ON t.slug = c.tenant_id
WHERE t.slug = %s AND t.is_active AND c.slug = %s AND c.live_id IS NOT NULL
"""

NAME = "SELECT name FROM publishing_publication WHERE core_id = %s"

VERSION = "SELECT id FROM publishing_coreversion WHERE core_id = %s AND number = %s"

LOAD = """
SELECT v.number, c.driver, v.program FROM publishing_coreversion v JOIN publishing_core c ON c.id = v.core_id
WHERE v.id = %s
"""

_asking = PerLoop(lambda: _decide())
_reserving = PerLoop(lambda: Reserving())
_loaded: OrderedDict[int, LiveCore] = OrderedDict()
MOST_LOADED = 512
# As long as a name can be in `publishing_publication`.
LONGEST_NAME = 200


async def resolve(digest: bytes, name: str) -> AccessDecision:
    """The decision about the key with this digest and the model `name`: one row, read now."""
    # What cannot be a name is not asked for, since its answer is known; the key is looked at all the same.
    question = (digest, name if _can_be_a_name(name) else "")
    return AccessDecision(*await _asking.current().get(question))


async def reserve(digest: bytes, name: str, estimate: Estimate) -> AccessDecision:
    """The decision about a call, and what it takes of its limits: one statement for both, one row, read now.

    Where there are no limits the plain decision is all; it says so itself, each time.
    """
    if not _reserving.current().is_needed:
        decision = await resolve(digest, name)
        if not decision.has_limits:
            return decision
    if not _can_be_a_name(name):
        return await resolve(digest, "")
    question = (digest, name, str(estimate.prompt), str(estimate.completion))
    decision = read_decision(await _reserving.current().batcher.get(question))
    _reserving.current().is_needed = decision.has_limits
    return decision


async def callable_models(key_id: str) -> list[ListedModel]:
    """Every model that may be called with this key, by name."""
    return [ListedModel(*model) for _, *model in await pool.rows(LIST, [key_id])]


async def allowed(caller: AllowedCall, name: str, *, version: int | None = None) -> AllowedCall | None:
    """The call of the model `name` by the one who made an earlier call; None when that user may not call it.

    The limit of a key ends at the model that it names: what that model calls in turn, it calls with the user's rights.
    `version`: another version of the Core than the live one; None as well when there is no such version.
    """
    rows = await pool.rows(ALLOW, [caller.user_id, name]) if _can_be_a_name(name) else []
    if not rows:
        return None
    [(core_id, version_id, published_at)] = rows
    if version is not None:
        found = await pool.rows(VERSION, [core_id, version])
        if not found:
            return None
        [(version_id,)] = found
    # What the first call took is settled with that one's run.
    return caller._replace(core_id=core_id, version_id=version_id, published_at=published_at, taken=())


async def published_name(core_id: str) -> str:
    """The name under which a Core is called; empty, which nothing is called, when it is not published."""
    rows = await pool.rows(NAME, [core_id]) if _can_be_a_name(core_id) else []
    return str(rows[0][0]) if rows else ""


async def unattended(tenant: str, slug: str) -> AllowedCall | None:
    """A call that nobody makes, of a Core's live version, published or not: no user, no key, and so no rights to call
    anything else. None when there is no such Core, it has no version, or its tenant is switched off.

    The caller has to know by other means that the call is right.
    """
    rows = await pool.rows(LIVE, [tenant, slug]) if _can_be_a_name(tenant + slug) else []
    if not rows:
        return None
    [(core_id, version_id)] = rows
    return AllowedCall(key_id="", user_id="", tenant_id=tenant, core_id=core_id, version_id=version_id, published_at=0)


async def load(version_id: int) -> LiveCore:
    """The runnable program of a Core version. Kept in memory by its id alone, since a version never changes."""
    if version_id in _loaded:
        _loaded.move_to_end(version_id)
        return _loaded[version_id]
    [(number, driver, program)] = await pool.rows(LOAD, [version_id])
    loaded = _loaded[version_id] = LiveCore(number, driver, scaicore.load(program))
    if len(_loaded) > MOST_LOADED:
        _loaded.popitem(last=False)
    return loaded


def audience(publication: Publication) -> QuerySet[User]:
    """The active users who may call `publication` now."""
    return User.objects.filter(pk__in=RawSQL(AUDIENCE, [publication.pk, publication.pk]))  # noqa: S611  our own text


def callable_by(user: User) -> QuerySet[Publication]:
    """The publications that `user` may call now."""
    listed = RawSQL(f"SELECT core_id FROM ({LIST_OF_USER}) AS listed", [user.pk])  # noqa: S608, S611  our own text
    return Publication.objects.filter(pk__in=listed)


def uncallable(user: User, names: Iterable[str]) -> list[str]:
    """Those of `names` that `user` may not call now, whatever the reason."""
    mine = set(callable_by(user).values_list("name", flat=True))
    return [name for name in names if name not in mine]


def access(user: User, core: Core) -> Access | None:
    """The decision about one user and one Core; None when the user's tenant does not publish it."""
    return Access.objects.filter(user=user, publication_id=core.pk).first()


class Reserving:
    """The calls of one event loop that take from limits, and whether there were any limits when it last looked."""

    def __init__(self) -> None:
        self.is_needed = False
        self.batcher: Batcher[tuple[bytes | str, ...], tuple[Any, ...]] = Batcher(
            partial(pool.rows_for_each, RESERVE),
            limit_s=settings.DATABASE_TIMEOUT_S,
            observe=metrics.note_decisions,
            on_left=self._give_back,
        )
        self._writing: set[asyncio.Task[None]] = set()

    def _give_back(self, row: tuple[Any, ...]) -> None:
        """The caller left while the decision was made: nothing runs, so nothing counts."""
        decision = read_decision(row)
        if decision.taken and decision.core_id is not None:
            rows = limits.give_back(decision.taken, decision.core_id)
            task = asyncio.create_task(self._write(msgspec.json.encode(rows).decode()))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(self, rows: str) -> None:
        with suppress(psycopg.Error):  # it stays counted
            await pool.rows_once(limits.SETTLE, [rows])


def read_decision(row: tuple[Any, ...]) -> AccessDecision:
    """A row of `RESERVE`."""
    return AccessDecision(*row[:-1])._replace(taken=limits.read(row[-1]))


def _decide() -> Batcher[tuple[bytes, str], tuple[Any, ...]]:
    return Batcher(
        partial(pool.rows_for_each, DECIDE),
        limit_s=settings.DATABASE_TIMEOUT_S,
        observe=metrics.note_decisions,
    )


def _can_be_a_name(text: str) -> bool:
    """Printable means no NUL character and no lone surrogate: PostgreSQL takes neither."""
    return len(text) <= LONGEST_NAME and text.isprintable()
