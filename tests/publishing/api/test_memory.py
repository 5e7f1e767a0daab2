"""What a Core remembers, read and erased by REST: its owner and the tenant's admin, nobody else."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
import requests
from django.utils import timezone

from identity.models import AuditEntry, User
from publishing.models import Core, Entity, Partition, Turn
from tests.support.api_calls import Rest, code, data
from tests.support.serving import Server

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
def test_an_owner_reads_state_turns_and_export(as_ann: Rest, echo: Core) -> None:
    url = f"{URL}/{echo.pk}/entity"
    assert data(as_ann.get(f"{url}?entity_id=c/1"))["state"] == {"of": "ann"}
    assert [turn["request_id"] for turn in data(as_ann.get(f"{url}/turns?entity_id=c/1"))["items"]] == ["req_ann"]
    exported = as_ann.get(f"{url}/export?entity_id=c/1")
    assert "attachment" in exported["Content-Disposition"]
    assert data(exported)["history"][0]["response"] == "hello"


@pytest.mark.usefixtures("memories")
def test_an_admin_says_whose_memory_is_meant(as_root: Rest, echo: Core, bo: User) -> None:
    url = f"{URL}/{echo.pk}/entity"
    assert code(as_root.get(f"{url}?entity_id=c/1")) == (404, "NOT_FOUND")
    assert data(as_root.get(f"{url}?entity_id=c/1&owner={bo.pk}"))["state"] == {"of": "bo"}
    assert data(as_root.get(f"{url}?entity_id=shared"))["state"] == {"of": "tenant"}


@pytest.mark.usefixtures("memories")
def test_somebody_elses_memory_reads_like_none(as_ann: Rest, as_cy: Rest, echo: Core, bo: User) -> None:
    url = f"{URL}/{echo.pk}/entity"
    assert code(as_ann.get(f"{url}?entity_id=c/1&owner={bo.pk}")) == (404, "NOT_FOUND")
    assert code(as_ann.get(f"{url}?entity_id=shared")) == (404, "NOT_FOUND")
    assert code(as_cy.get(f"{url}?entity_id=shared")) == (404, "CORE_NOT_FOUND")


def test_erasing_takes_the_turns_along_and_is_audited(
    as_ann: Rest, echo: Core, memories: dict[str, Entity], ann: User
) -> None:
    assert as_ann.delete(f"{URL}/{echo.pk}/entity?entity_id=c/1").status_code == 204
    assert {entity.state["of"] for entity in Entity.objects.all()} == {"bo", "tenant"}
    assert not Turn.objects.filter(request_id="req_ann").exists()
    entry = AuditEntry.objects.get(action="entity.erased")
    assert (entry.actor, entry.target, entry.before["owner"]) == ("ann@acme.test", "c/1", ann.pk)
    assert code(as_ann.delete(f"{URL}/{echo.pk}/entity?entity_id=c/1")) == (404, "NOT_FOUND")


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


IDS = [
    "a",
    "a/",
    "/a",
    "a//b",
    "turns",
    "export",
    "a/turns",
    "a/export",
    "turns/",
    " a ",
    " ",
    "a%2F",
    "%",
    "..",
    "a?b#c&d=e",
    "a+b",
    "é",
    "e\u0301",
    "\U0001f600",
]


def remembered(core: Core, owner: str, entity_id: str) -> None:
    at = timezone.now()
    Entity.objects.create(
        core=core,
        partition=Partition.ENTITY,
        owner=owner,
        entity_id=entity_id,
        state={"id": entity_id},
        turns_committed=1,
        created_at=at,
        updated_at=at,
    )


@pytest.mark.parametrize("entity_id", IDS)
def test_every_id_is_read_and_erased_under_exactly_itself(as_ann: Rest, echo: Core, ann: User, entity_id: str) -> None:
    for each in IDS:
        remembered(echo, ann.pk, each)
    url, query = f"{URL}/{echo.pk}/entity", f"?entity_id={quote(entity_id, safe='')}"
    assert data(as_ann.get(url + query))["state"] == {"id": entity_id}
    assert data(as_ann.get(f"{url}/turns{query}"))["items"] == []
    assert data(as_ann.get(f"{url}/export{query}"))["entity_id"] == entity_id
    listed = data(as_ann.get(f"{URL}/{echo.pk}/entities?limit=200"))["items"]
    assert {item["entity_id"] for item in listed} == set(IDS)
    assert as_ann.delete(url + query).status_code == 204
    assert set(IDS) - set(Entity.objects.values_list("entity_id", flat=True)) == {entity_id}


@pytest.mark.parametrize("query", ["", "?entity_id=", "?entity_id=a%00b"])
def test_an_entity_that_is_not_named_is_422(as_ann: Rest, echo: Core, query: str) -> None:
    assert as_ann.delete(f"{URL}/{echo.pk}/entity{query}").status_code in (400, 422)


@pytest.mark.parametrize("entity_id", ["a", "turns", "export", " a ", "a%252F", "%C3%A9"])
def test_an_earlier_path_still_serves_ids_without_a_slash(as_ann: Rest, echo: Core, ann: User, entity_id: str) -> None:
    remembered(echo, ann.pk, unquote(entity_id))
    url = f"{URL}/{echo.pk}/entities/{entity_id}"
    assert data(as_ann.get(f"{url}/turns"))["items"] == []
    assert data(as_ann.get(f"{url}/export"))["entity_id"] == unquote(entity_id)
    assert as_ann.delete(url).status_code == 204


@pytest.mark.parametrize("entity_id", ["a/", "a%2F", "a%2f", "a/b", "a%2Fb", "a/b/turns"])
def test_an_earlier_path_erases_nothing_for_an_id_with_a_slash(
    as_ann: Rest, echo: Core, ann: User, entity_id: str
) -> None:
    for each in ("a", "b", "a/b", "a/"):
        remembered(echo, ann.pk, each)
    assert as_ann.delete(f"{URL}/{echo.pk}/entities/{entity_id}").status_code == 404
    assert Entity.objects.count() == 4


def test_an_encoded_slash_in_an_earlier_path_is_not_a_separator(
    transactional_db: None, lean_server: Server, as_ann: Rest, echo: Core, ann: User
) -> None:
    remembered(echo, ann.pk, "a")
    headers = {"authorization": f"Bearer {as_ann.key}"}
    for path in ("a%2Fturns", "a%2Fexport"):
        answer = requests.get(f"{lean_server.url}{URL}/{echo.pk}/entities/{path}", headers=headers, timeout=20)
        assert answer.status_code == 404
