"""The cast. Ann may, Bo of the same tenant may not, Cy is of another tenant, Root is the tenant's admin and staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import OperationalError
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from identity import actors, groups, keys
from identity.audit.retention import MAY_CUT
from identity.models import Group, Role, Tenant, User
from publishing import actions
from publishing.db.statements import Row, StatementConnection, Values
from publishing.models import Core, Flow
from tests.support import upstream as scripted
from tests.support.serving import Server, serving
from tests.support.upstream import Upstream

ECHO: dict[str, Any] = {
    "name": "Echo Agent",
    "version": "1.0.0",
    "scaicore_target": ">=1.0",
    "metadata": {"author": "tests", "description": "Says what it hears."},
    "nodes": [
        {
            "id": "entry",
            "type": "entry_api",
            "label": "API",
            "position": {"x": 0, "y": 0},
            "config": {},
            "inputs": [],
            "outputs": [{"id": "out", "label": "out", "type": "any"}],
        },
        {
            "id": "reply",
            "type": "llm_rigid",
            "label": "Reply",
            "position": {"x": 240, "y": 0},
            "config": {"template": "{{message}}", "result_binding": "response"},
            "inputs": [{"id": "in", "label": "in", "type": "any"}],
            "outputs": [],
        },
    ],
    "edges": [
        {
            "id": "e1",
            "type": "sequential",
            "source": {"node": "entry", "port": "out"},
            "target": {"node": "reply", "port": "in"},
        },
    ],
    "variables": [],
    "config": {"publish_as_model": True, "model_visibility_group_ids": []},
    "tests": [],
}


@pytest.fixture(scope="session", autouse=True)
def patient_flush() -> Iterator[None]:
    """Empty the tables, the audit log too, and once more where the last row of a server's ledger came at the same
    moment: each locks what the other waits for, and the database lets one of the two fail."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_again(self: BaseDatabaseOperations, statements: list[str]) -> None:
        statements = [MAY_CUT, *statements]
        for _ in range(5):
            try:
                return flush(self, statements)
            except OperationalError as error:
                if not isinstance(error.__cause__, DeadlockDetected):
                    raise
        return flush(self, statements)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_again)
        yield


def echo_document(**config: Any) -> dict[str, Any]:
    """The echo flow, with `config` laid over its own."""
    document = deepcopy(ECHO)
    document["config"].update(config)
    return document


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    return Tenant.objects.create(slug="globex", name="Globex")


@cache
def _hashed(password: str) -> str:
    """Made once: a good hash is slow on purpose."""
    return make_password(password)


def _user(email: str, tenant: Tenant, **fields: Any) -> User:
    return User.objects.create(email=email, tenant=tenant, **fields)


@pytest.fixture
def root(acme: Tenant) -> User:
    return _user("root@acme.test", acme, role=Role.ADMIN, is_staff=True, password=_hashed("change-me"))


@pytest.fixture
def ann(acme: Tenant) -> User:
    return _user("ann@acme.test", acme, password=_hashed("change-me"))


@pytest.fixture
def bo(acme: Tenant) -> User:
    return _user("bo@acme.test", acme)


@pytest.fixture
def cy(globex: Tenant) -> User:
    return _user("cy@globex.test", globex, role=Role.ADMIN)


@pytest.fixture
def engineering(acme: Tenant, root: User, ann: User) -> Group:
    """A group that Ann is in and Bo is not."""
    group = Group.objects.create(tenant=acme, scaikey_id="group_acme_eng", name="Engineering")
    groups.set_members(group, users=[ann], groups=[], actor=actors.actor_of(root), at=timezone.now())
    return group


@pytest.fixture
def key_of() -> Callable[[User], str]:
    """Mints a key for a user and gives its secret."""

    def mint(user: User) -> str:
        return keys.mint(user=user, name="test", actor=actors.actor_of(user), at=timezone.now())[1]

    return mint


@pytest.fixture
def echo_flow(acme: Tenant, root: User) -> Flow:
    """The echo flow, saved, not deployed."""
    return actions.create_flow(
        tenant=acme,
        name="Echo Agent",
        content=echo_document(),
        owner=root,
        actor=actors.actor_of(root),
        at=timezone.now(),
    )


@pytest.fixture
def echo(echo_flow: Flow, root: User) -> Core:
    """The echo flow's Core, live and published to the whole tenant as scaicore/acme/echo-agent."""
    return actions.deploy(echo_flow, actor=actors.actor_of(root), at=timezone.now()).core


@pytest.fixture
def narrow_echo(echo: Core, engineering: Group, root: User) -> Core:
    """The echo Core, published to the engineers alone."""
    actions.publish(echo, group_ids=[engineering.scaikey_id], actor=actors.actor_of(root), at=timezone.now())
    return echo


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[Upstream]:
    with scripted.running() as running:
        yield running


@pytest.fixture
def upstream(upstream_server: Upstream) -> Upstream:
    """A scripted model server and web server on loopback, with nothing yet to remember."""
    upstream_server.forget()
    return upstream_server


@pytest.fixture(scope="session")
def lean_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """One process for all tests, with the lean door."""
    with django_db_blocker.unblock(), serving(ENTITY_WAIT_S="3", OUTBOUND_ALLOWED_HOSTS="127.0.0.1") as server:
        yield server


@pytest.fixture(scope="session")
def drf_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """One process for all tests, where the DRF view answers the chat."""
    with (
        django_db_blocker.unblock(),
        serving(LEAN_DOOR="off", ENTITY_WAIT_S="3", OUTBOUND_ALLOWED_HOSTS="127.0.0.1") as server,
    ):
        yield server


@pytest.fixture(params=["lean", "drf"])
def server(request: pytest.FixtureRequest, transactional_db: None) -> Server:
    """A real server; each test that takes it runs through both doors of the chat."""
    return request.getfixturevalue(f"{request.param}_server")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the async side sends."""
    sent: list[str] = []
    rows = StatementConnection.rows

    async def recording(self: StatementConnection, statement: str, values: Values, deadline: float) -> list[Row]:
        sent.append(statement)
        return await rows(self, statement, values, deadline)

    monkeypatch.setattr(StatementConnection, "rows", recording)
    return sent
