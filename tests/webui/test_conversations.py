"""The playground's list of what a model remembers: one's own memories and nobody else's."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from identity.models import User
from publishing.models import Core, Entity, Turn


def remembered(core: Core, owner: str, entity_id: str = "c-1") -> Entity:
    stamps = {"created_at": timezone.now(), "updated_at": timezone.now()}
    kept = {"partition": "entity", "owner": owner, "entity_id": entity_id, "turns_committed": 1, "state": {}}
    entity = Entity.objects.create(core=core, **kept, **stamps)
    said = {"message": f"hello from {owner}", "response": "hi", "request_id": f"req_{owner}", "user_id": owner}
    counted = {"core_version": 1, "prompt_tokens": 1, "completion_tokens": 1}
    Turn.objects.create(entity=entity, number=1, created_at=timezone.now(), **said, **counted)
    return entity


def test_the_list_holds_ones_own_memories(client: Client, ann: User, bo: User, echo: Core) -> None:
    remembered(echo, ann.pk)
    remembered(echo, bo.pk, "c-2")
    client.force_login(ann)
    items = client.get(f"/playground/{echo.pk}/conversations/").json()["items"]
    assert [(each["entity_id"], each["turns_committed"]) for each in items] == [("c-1", 1)]


def test_a_conversation_is_what_was_said_in_it(client: Client, ann: User, bo: User, echo: Core) -> None:
    remembered(echo, ann.pk)
    remembered(echo, bo.pk)
    client.force_login(ann)
    told = client.get(f"/playground/{echo.pk}/conversation/?entity_id=c-1").json()
    assert [each["content"] for each in told["messages"]] == [f"hello from {ann.pk}", "hi"]
    assert told["options"] == []


@pytest.mark.parametrize("who, status", [("bo", 404), ("cy", 404), ("root", 404)])
def test_nobody_reads_anothers(
    client: Client, request: pytest.FixtureRequest, ann: User, echo: Core, who: str, status: int
) -> None:
    remembered(echo, ann.pk)
    client.force_login(request.getfixturevalue(who))
    assert client.get(f"/playground/{echo.pk}/conversation/?entity_id=c-1").status_code == status
