"""A user who is deleted leaves no memory behind, by whatever way the row goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from identity import actors, users
from identity.models import Tenant, User
from publishing.models import Core, Entity, Partition, Turn

Deletion = Callable[[User, User], object]


def remember(core: Core, owner: str, user: User, partition: Partition = Partition.ENTITY) -> None:
    """A memory of `owner` in which `user` said something."""
    at = timezone.now()
    entity = Entity.objects.create(
        core=core, partition=partition, owner=owner, entity_id="c", turns_committed=1, created_at=at, updated_at=at
    )
    Turn.objects.create(
        entity=entity,
        number=1,
        request_id=f"req_{user.pk}",
        user_id=user.pk,
        core_version=1,
        message="secret",
        response="secret",
        prompt_tokens=1,
        completion_tokens=1,
        fingerprint=b"x" * 32,
        idempotency_key="k" if owner == "" else None,
        created_at=at,
    )


def by_sql(user: User, root: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM identity_user WHERE id = %s", [user.pk])


WAYS: dict[str, Deletion] = {
    "the action": lambda user, root: users.delete_user(user, actor=actors.actor_of(root), at=timezone.now()),
    "Django's ORM": lambda user, root: User.objects.filter(pk=user.pk).delete(),
    "SQL": by_sql,
}


@pytest.mark.parametrize("delete", WAYS.values(), ids=WAYS)
def test_a_deleted_users_memory_goes_with_the_user(
    delete: Deletion, echo: Core, root: User, ann: User, bo: User
) -> None:
    for partition in (Partition.ENTITY, Partition.CALL):
        remember(echo, ann.pk, ann, partition)
    remember(echo, bo.pk, bo)
    delete(ann, root)
    assert list(Entity.objects.values_list("owner", flat=True)) == [bo.pk]
    assert list(Turn.objects.values_list("user_id", flat=True)) == [bo.pk]


@pytest.mark.parametrize("partition", [Partition.ENTITY, Partition.SINGLETON])
def test_a_shared_memory_stays_and_no_longer_says_who_spoke(
    echo: Core, root: User, ann: User, bo: User, partition: Partition
) -> None:
    for user, core in ((ann, echo), (bo, _another(echo))):
        remember(core, "", user, partition)
        users.delete_user(user, actor=actors.actor_of(root), at=timezone.now())
    assert list(Turn.objects.values_list("user_id", "idempotency_key", "message")) == [("", None, "secret")] * 2


def test_the_memory_of_a_deleted_tenants_users_goes_too(echo: Core, globex: Tenant) -> None:
    gone = User.objects.create(email="gone@globex.test", tenant=globex)
    remember(echo, gone.pk, gone)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM identity_user WHERE tenant_id = %s", [globex.pk])
    globex.delete()
    assert not Entity.objects.exists()


def _another(core: Core) -> Core:
    at = timezone.now()
    return Core.objects.create(tenant=core.tenant, slug="other", name="Other", created_at=at, updated_at=at)
