"""Who was refused lately: noted behind the 403, shown to the tenant's admin until access is given."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.test import Client
from django.utils import timezone

from identity import actors, groups
from identity.models import Group, User
from publishing.models import Core, Refusal
from tests.support.chat_calls import call
from tests.support.serving import Server
from webui.views import access


def noted(*, at_least: int) -> list[Refusal]:
    """What the server has written behind its answers."""
    until = time.monotonic() + 5
    while Refusal.objects.count() < at_least and time.monotonic() < until:
        time.sleep(0.02)
    return list(Refusal.objects.all())


def test_a_refusal_is_noted_once_for_each_user_and_model(
    server: Server, narrow_echo: Core, bo: User, ann: User, cy: User, key_of: Callable[[User], str]
) -> None:
    bos = key_of(bo)
    statuses = [call(server, key).status_code for key in (bos, bos, key_of(ann), key_of(cy))]
    assert statuses == [403, 403, 200, 404]
    [refusal] = noted(at_least=1)
    assert (refusal.user, refusal.core) == (bo, narrow_echo)


def test_the_admin_sees_who_was_refused_until_they_may_call(
    client: Client, narrow_echo: Core, engineering: Group, root: User, ann: User, bo: User
) -> None:
    Refusal.objects.create(core=narrow_echo, user=bo, last_at=timezone.now())
    client.force_login(root)
    assert "Refused in the last 7 days" in client.get(f"/models/{narrow_echo.pk}/access/").content.decode()
    actor, at = actors.actor_of(root), timezone.now()
    groups.set_members(engineering, users=[ann, bo], groups=[], actor=actor, at=at)
    assert access.recent_refusals(narrow_echo.publication, at=at) == []


def test_an_old_refusal_is_not_shown(narrow_echo: Core, bo: User) -> None:
    at = timezone.now()
    Refusal.objects.create(core=narrow_echo, user=bo, last_at=at - access.RECENTLY)
    assert access.recent_refusals(narrow_echo.publication, at=at) == []
