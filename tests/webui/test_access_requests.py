"""Request access: a refused user asks, a tenant admin answers, and only a membership ever opens anything."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from identity import groups
from identity.actors import actor_of
from identity.errors import Conflict, NotAllowed
from identity.models import AuditEntry, Group, User
from publishing import actions, registry
from publishing.models import AccessRequest, Core
from webui import offered_models


def asks(client: Client, user: User, core: Core, message: str = "") -> Any:
    client.force_login(user)
    return client.post(f"/models/{core.pk}/requests/", {"message": message}, follow=True)


def answers(client: Client, user: User, core: Core, **fields: str) -> Any:
    client.force_login(user)
    asked = AccessRequest.objects.latest("pk")
    return client.post(f"/models/{core.pk}/requests/{asked.pk}/", fields, follow=True)


def test_a_refused_user_asks_and_a_grant_by_a_listed_group_opens_the_model(
    client: Client, root: User, bo: User, ann: User, narrow_echo: Core, engineering: Group
) -> None:
    assert "A tenant admin decides" in asks(client, bo, narrow_echo, "for the demo").content.decode()
    page = client.get(f"/models/{narrow_echo.pk}/").content.decode()
    assert "Request access</button>" not in page
    told = answers(client, root, narrow_echo, grant="yes", group="group_acme_eng").content.decode()
    assert "bo@acme.test is now in group_acme_eng" in told
    access = registry.access(bo, narrow_echo)
    assert access
    assert access.may_call
    assert groups.members(engineering) == ["ann@acme.test", "bo@acme.test"]
    acts = list(AuditEntry.objects.filter(target=narrow_echo.pk, action__startswith="access.").values_list("action"))
    assert acts == [("access.granted",), ("access.asked",)]


def test_a_declined_user_may_still_not_call_and_may_ask_again(
    client: Client, root: User, bo: User, narrow_echo: Core
) -> None:
    asks(client, bo, narrow_echo)
    answers(client, root, narrow_echo)
    assert AccessRequest.objects.get().decision == "declined"
    assert not registry.access(bo, narrow_echo).may_call  # type: ignore[union-attr]
    asks(client, bo, narrow_echo)
    assert list(AccessRequest.objects.values_list("decision", flat=True)) == ["declined", "open"]


def test_asking_twice_is_one_request_with_the_newer_message(client: Client, bo: User, narrow_echo: Core) -> None:
    asks(client, bo, narrow_echo, "one")
    asks(client, bo, narrow_echo, "two")
    assert AccessRequest.objects.get().message == "two"


def test_the_database_refuses_a_second_open_request(bo: User, narrow_echo: Core) -> None:
    actions.ask_access(narrow_echo, user=bo, actor=actor_of(bo), at=timezone.now())
    with pytest.raises(IntegrityError):
        AccessRequest.objects.create(core=narrow_echo, user=bo, tenant=bo.tenant, asked_at=timezone.now())


def test_a_grant_names_a_group_of_the_model(client: Client, root: User, bo: User, narrow_echo: Core) -> None:
    Group.objects.create(tenant=root.tenant, scaikey_id="group_other")
    asks(client, bo, narrow_echo)
    told = answers(client, root, narrow_echo, grant="yes", group="group_other").content.decode()
    assert "The model is not open to this group." in told
    assert AccessRequest.objects.get().decision == "open"


def test_only_a_tenant_admin_answers(client: Client, ann: User, bo: User, narrow_echo: Core) -> None:
    asks(client, bo, narrow_echo)
    assert answers(client, bo, narrow_echo, grant="yes", group="group_acme_eng").status_code == 403
    assert answers(client, ann, narrow_echo, grant="yes", group="group_acme_eng").status_code == 403
    assert AccessRequest.objects.get().decision == "open"


def test_strangers_neither_ask_nor_answer(client: Client, bo: User, cy: User, narrow_echo: Core) -> None:
    asks(client, bo, narrow_echo)
    assert asks(client, cy, narrow_echo).status_code == 404
    assert answers(client, cy, narrow_echo, grant="yes", group="group_acme_eng").status_code == 404


def test_who_may_call_already_has_nothing_to_ask(client: Client, ann: User, narrow_echo: Core) -> None:
    assert "You can call this model already." in asks(client, ann, narrow_echo).content.decode()
    assert not AccessRequest.objects.exists()


def test_nobody_asks_for_somebody_else(bo: User, root: User, narrow_echo: Core) -> None:
    with pytest.raises(NotAllowed):
        actions.ask_access(narrow_echo, user=bo, actor=actor_of(root), at=timezone.now())


def test_a_request_is_answered_once(root: User, bo: User, narrow_echo: Core) -> None:
    asked, _ = actions.ask_access(narrow_echo, user=bo, actor=actor_of(bo), at=timezone.now())
    actions.decline_access(asked, actor=actor_of(root), at=timezone.now())
    with pytest.raises(Conflict):
        actions.grant_access(asked, group_id="group_acme_eng", actor=actor_of(root), at=timezone.now())


def test_the_navigation_says_how_many_requests_wait_for_an_admin(
    client: Client, root: User, bo: User, ann: User, cy: User, narrow_echo: Core
) -> None:
    waits = '<span class="unseen"> request for access waiting'

    def is_told(user: User) -> bool:
        client.force_login(user)
        return waits in client.get("/keys/").content.decode()

    assert not is_told(root)
    asks(client, bo, narrow_echo)
    assert [is_told(one) for one in (root, ann, cy)] == [True, False, False]
    answers(client, root, narrow_echo, grant="yes", group="group_acme_eng")
    assert not is_told(root)


def test_a_request_that_was_met_in_another_way_waits_no_longer(
    client: Client, root: User, bo: User, narrow_echo: Core, engineering: Group
) -> None:
    asks(client, bo, narrow_echo)
    groups.add_members(engineering, users=[bo], groups=[], actor=actor_of(root), at=timezone.now())
    assert offered_models.count_waiting("acme") == 0


def test_a_grant_is_taken_back_where_it_was_given(client: Client, root: User, bo: User, narrow_echo: Core) -> None:
    asks(client, bo, narrow_echo)
    page = answers(client, root, narrow_echo, grant="yes", group="group_acme_eng").content.decode()
    path = page.partition("Access granted in the last 30 days")[2].partition('quiet" href="')[2].partition('"')[0]
    client.post(path)
    access = registry.access(bo, narrow_echo)
    assert access
    assert not access.may_call
