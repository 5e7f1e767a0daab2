"""Two who act at once: every outcome is one that they could also have had one after the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from identity.actors import actor_of
from identity.models import AuditEntry, Group, User
from publishing import actions
from publishing.models import Core, CoreVersion, Flow, FlowVersion, Publication
from tests.conftest import echo_document
from tests.support.api_calls import Rest
from tests.support.staff import fields_on, page, send, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[], HttpResponse]


def at_once(*acts: Act) -> list[HttpResponse]:
    """What the acts answer when they all start at the same moment, each on its own connection."""
    start = Barrier(len(acts))

    def run(act: Act) -> HttpResponse:
        try:
            start.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def statuses(answers: list[HttpResponse]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def deploying(caller: Rest, flow: Flow) -> Act:
    return lambda: Rest(caller.key).post(f"/api/v1/flows/{flow.pk}/deploy")


def publishing(caller: Rest, core: Core, body: Any) -> Act:
    return lambda: Rest(caller.key).post(f"/v1/modules/scaicore/cores/{core.pk}/publish", body)


def unpublishing(caller: Rest, core: Core) -> Act:
    return lambda: Rest(caller.key).delete(f"/v1/modules/scaicore/cores/{core.pk}/publish")


def saving(caller: Rest, flow: Flow, base: str) -> Act:
    body = {"base_version": base, "content": echo_document()}
    return lambda: Rest(caller.key).put(f"/api/v1/flows/{flow.pk}", body)


def test_first_deploys_of_one_flow_make_one_core(as_root: Rest, echo_flow: Flow) -> None:
    answers = at_once(*[deploying(as_root, echo_flow)] * 6)
    assert statuses(answers) == {200: 6}
    assert {json.loads(answer.content)["core_id"] for answer in answers} == {Core.objects.get().pk}
    assert sorted(CoreVersion.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert Publication.objects.count() == 1


def test_first_deploys_of_two_flows_of_one_name_get_two_slugs(as_root: Rest, echo_flow: Flow, root: User) -> None:
    other = actions.create_flow(
        tenant=echo_flow.tenant, name=echo_flow.name, content=echo_document(), actor=actor_of(root), at=timezone.now()
    )
    assert statuses(at_once(deploying(as_root, echo_flow), deploying(as_root, other))) == {200: 2}
    assert set(Publication.objects.values_list("name", flat=True)) == {
        "scaicore/acme/echo-agent",
        "scaicore/acme/echo-agent-2",
    }


def test_first_publishes_of_one_core_make_one_publication(as_root: Rest, echo: Core) -> None:
    as_root.delete(f"/v1/modules/scaicore/cores/{echo.pk}/publish")
    assert statuses(at_once(*[publishing(as_root, echo, {})] * 6)) == {201: 1, 200: 5}
    assert Publication.objects.count() == 1


def test_deploys_publishes_and_unpublishes_of_one_core_never_fail(
    as_root: Rest, echo: Core, echo_flow: Flow, engineering: Group
) -> None:
    narrow = publishing(as_root, echo, {"group_ids": ["group_acme_eng"]})
    acts = [deploying(as_root, echo_flow), narrow, publishing(as_root, echo, {}), unpublishing(as_root, echo)] * 2
    assert set(statuses(at_once(*acts))) <= {200, 201, 204}
    assert sorted(CoreVersion.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert Publication.objects.count() <= 1


def test_of_saves_on_one_base_one_wins_and_the_others_are_told(as_root: Rest, echo_flow: Flow) -> None:
    assert statuses(at_once(*[saving(as_root, echo_flow, "1.0.0")] * 5)) == {200: 1, 409: 4}
    assert FlowVersion.objects.count() == 2


def test_a_slug_is_given_to_one_of_those_who_ask_for_it(as_root: Rest, echo_flow: Flow) -> None:
    body = {"name": "Echo", "slug": "mine", "content": echo_document()}
    acts: list[Act] = [lambda: Rest(as_root.key).post("/v1/modules/scaicore/cores", body)] * 4
    assert statuses(at_once(*acts)) == {201: 1, 409: 3}


def test_a_group_deleted_while_it_is_granted_never_widens(as_root: Rest, narrow_echo: Core) -> None:
    narrow = publishing(as_root, narrow_echo, {"group_ids": ["group_acme_eng"]})
    answers = at_once(narrow, narrow, lambda: Rest(as_root.key).delete("/api/v1/groups/group_acme_eng"), narrow)
    assert set(statuses(answers)) <= {200, 204, 422}
    assert Publication.objects.get().visibility == "groups"


def test_a_group_deleted_while_its_model_is_unpublished_and_published_again_never_widens(
    as_root: Rest, narrow_echo: Core
) -> None:
    delete: Act = lambda: Rest(as_root.key).delete("/api/v1/groups/group_acme_eng")  # noqa: E731
    again = publishing(as_root, narrow_echo, {})
    answers = at_once(unpublishing(as_root, narrow_echo), delete, again, unpublishing(as_root, narrow_echo), again)
    assert set(statuses(answers)) <= {200, 201, 204}
    as_root.post(f"/v1/modules/scaicore/cores/{narrow_echo.pk}/publish", {})
    assert (Publication.objects.get().visibility, Publication.objects.get().group_ids) == ("groups", [])


def test_of_staff_who_save_one_page_at_once_one_is_done_and_the_others_are_shown_what_changed(
    echo: Core, engineering: Group, root: User
) -> None:
    url = page("/admin/publishing/core/", echo)
    clients = [signed_in(root) for _ in range(4)]
    fields = fields_on(clients[0], url) | {"visibility": "groups", "allowed_groups": [engineering.pk]}
    acts: list[Act] = [partial(send, client, url, fields) for client in clients]
    assert statuses(at_once(*acts)) == {302: 1, 200: 3}
    assert AuditEntry.objects.filter(action="publication.changed").count() == 1


def test_a_core_deleted_while_it_is_published_leaves_nothing(as_root: Rest, echo: Core) -> None:
    acts = [publishing(as_root, echo, {}), lambda: Rest(as_root.key).delete(f"/v1/modules/scaicore/cores/{echo.pk}")]
    assert set(statuses(at_once(*acts * 2))) <= {200, 204, 404}
    assert not Publication.objects.exists()


def test_a_flow_deleted_while_it_is_deployed_is_whole_or_gone(as_root: Rest, echo_flow: Flow) -> None:
    delete: Act = lambda: Rest(as_root.key).delete(f"/api/v1/flows/{echo_flow.pk}")  # noqa: E731
    answers = at_once(deploying(as_root, echo_flow), delete, deploying(as_root, echo_flow), delete)
    assert set(statuses(answers)) <= {200, 204, 404, 409}
    assert Core.objects.count() == Publication.objects.count() == Flow.objects.count()
