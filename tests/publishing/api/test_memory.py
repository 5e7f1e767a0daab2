"""What a Core remembers, read and erased by REST: its owner and the tenant's admin, nobody else."""

from __future__ import annotations

import pytest
from django.utils import timezone

from identity.models import AuditEntry, User
from publishing.models import Core, Entity, Partition, Turn
from tests.support.api_calls import Rest, code, data

URL = "/v1/modules/scaicore/cores"


@pytest.fixture
def memories(echo: Core, ann: User, bo: User) -> dict[str, Entity]:
    """A memory of Ann's, one of Bo's under the same id, and one of the tenant's."""
    at = timezone.now()
    made = {}
    for name, owner, entity_id in (("ann", ann.pk, "c/1"), ("bo", bo.pk, "c/1"), ("tenant", "", "shared")):
        entity = made[name] = Entity.objects.create(
            core=echo,
            partition=Partition.ENTITY,
            owner=owner,
            entity_id=entity_id,
            state={"of": name},
            turns_committed=1,
            created_at=at,
            updated_at=at,
        )
        Turn.objects.create(
            entity=entity,
            number=1,
            request_id=f"req_{name}",
            user_id=owner,
            core_version=1,
            message="hello",
            response="hello",
            prompt_tokens=1,
            completion_tokens=1,
            fingerprint=b"x" * 32,
            created_at=at,
        )
    return made


def owners(rest: Rest, core: Core, query: str = "") -> list[str]:
    return [item["owner"] for item in data(rest.get(f"{URL}/{core.pk}/entities{query}"))["items"]]


@pytest.mark.usefixtures("memories")
def test_an_owner_sees_the_own_memories_and_an_admin_all(
    as_ann: Rest, as_root: Rest, echo: Core, ann: User, bo: User
) -> None:
    assert owners(as_ann, echo) == [ann.pk]
    assert owners(as_root, echo) == ["", bo.pk, ann.pk]
    assert owners(as_root, echo, f"?owner={bo.pk}") == [bo.pk]


@pytest.mark.usefixtures("memories")
def test_the_list_pages(as_root: Rest, echo: Core, ann: User) -> None:
    first = data(as_root.get(f"{URL}/{echo.pk}/entities?limit=2"))
    rest = data(as_root.get(f"{URL}/{echo.pk}/entities?limit=2&cursor={first['next_cursor']}"))
    assert [item["owner"] for item in rest["items"]] == [ann.pk]
    assert rest["next_cursor"] is None


@pytest.mark.usefixtures("memories")
@pytest.mark.parametrize("entity_id", ["c/1", "c%2F1"])
def test_an_owner_reads_state_turns_and_export(as_ann: Rest, echo: Core, entity_id: str) -> None:
    url = f"{URL}/{echo.pk}/entities/{entity_id}"
    assert data(as_ann.get(url))["state"] == {"of": "ann"}
    assert [turn["request_id"] for turn in data(as_ann.get(f"{url}/turns"))["items"]] == ["req_ann"]
    exported = as_ann.get(f"{url}/export")
    assert "attachment" in exported["Content-Disposition"]
    assert data(exported)["history"][0]["response"] == "hello"


@pytest.mark.usefixtures("memories")
def test_an_admin_says_whose_memory_is_meant(as_root: Rest, echo: Core, bo: User) -> None:
    url = f"{URL}/{echo.pk}/entities"
    assert code(as_root.get(f"{url}/c/1")) == (404, "NOT_FOUND")
    assert data(as_root.get(f"{url}/c/1?owner={bo.pk}"))["state"] == {"of": "bo"}
    assert data(as_root.get(f"{url}/shared"))["state"] == {"of": "tenant"}


@pytest.mark.usefixtures("memories")
def test_somebody_elses_memory_reads_like_none(as_ann: Rest, as_cy: Rest, echo: Core, bo: User) -> None:
    url = f"{URL}/{echo.pk}/entities"
    assert code(as_ann.get(f"{url}/c/1?owner={bo.pk}")) == (404, "NOT_FOUND")
    assert code(as_ann.get(f"{url}/shared")) == (404, "NOT_FOUND")
    assert code(as_cy.get(url)) == (404, "CORE_NOT_FOUND")


def test_erasing_takes_the_turns_along_and_is_audited(
    as_ann: Rest, echo: Core, memories: dict[str, Entity], ann: User
) -> None:
    assert as_ann.delete(f"{URL}/{echo.pk}/entities/c/1").status_code == 204
    assert {entity.state["of"] for entity in Entity.objects.all()} == {"bo", "tenant"}
    assert not Turn.objects.filter(request_id="req_ann").exists()
    entry = AuditEntry.objects.get(action="entity.erased")
    assert (entry.actor, entry.target, entry.before["owner"]) == ("ann@acme.test", "c/1", ann.pk)
    assert code(as_ann.delete(f"{URL}/{echo.pk}/entities/c/1")) == (404, "NOT_FOUND")


def test_a_key_without_memory_and_a_turn_that_never_ended_are_not_listed(as_root: Rest, echo: Core) -> None:
    at = timezone.now()
    for partition, turns in ((Partition.CALL, 1), (Partition.ENTITY, 0)):
        Entity.objects.create(
            core=echo,
            partition=partition,
            owner="u",
            entity_id="x",
            turns_committed=turns,
            created_at=at,
            updated_at=at,
        )
    assert owners(as_root, echo) == []
