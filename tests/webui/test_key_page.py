"""The page of API keys: shown once, rotated with an overlap, revoked for good, and never somebody else's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, keys
from identity.models import ApiKey, AuditEntry, User
from publishing.models import Core
from tests.support.browsing import page_of

SECRET = re.compile(r"sgk_[\w-]{43}")


def secret_in(response: Any) -> str:
    [secret] = set(SECRET.findall(page_of(response)))
    return str(secret)


def minted(user: User, **more: Any) -> ApiKey:
    return keys.mint(user=user, name="Laptop", actor=actors.actor_of(user), at=timezone.now(), **more)[0]


def test_a_new_key_is_shown_once_and_opens_the_door(client: Client, ann: User) -> None:
    client.force_login(ann)
    made = client.post("/keys/", {"name": "Open WebUI", "days": "30"})
    assert "no-store" in made.headers["cache-control"]
    live = keys.find(secret_in(made))
    assert live
    assert live.user == ann
    assert live.key.expires_at == live.key.created_at + timedelta(days=30)
    page = page_of(client.get("/keys/"))
    assert "Open WebUI" in page
    assert not SECRET.search(page)


def test_a_key_is_limited_to_the_models_that_are_chosen(client: Client, ann: User, echo: Core) -> None:
    client.force_login(ann)
    page = page_of(client.post("/keys/", {"name": "Kiosk", "models": [echo.model_name]}))
    assert "It opens the chat alone" in page
    assert ApiKey.objects.get().models == [echo.model_name]
    assert echo.model_name in page_of(client.get(f"/keys/{ApiKey.objects.get().pk}/rotate/"))


def test_only_models_that_the_user_may_call_are_offered(
    client: Client, ann: User, bo: User, root: User, narrow_echo: Core
) -> None:
    option = f'<option value="{narrow_echo.model_name}">'
    seen = []
    for user in (ann, bo, root):
        client.force_login(user)
        seen.append(option in page_of(client.get("/keys/")))
    assert seen == [True, False, True]
    chosen = {"name": "x", "models": [narrow_echo.model_name]}
    assert "root@acme.test may not call" in page_of(client.post("/keys/", chosen))
    client.post("/keys/", {**chosen, "user": "ann@acme.test"})
    assert ApiKey.objects.get().user == ann


def test_a_key_without_a_name_is_refused_beside_the_field(client: Client, ann: User) -> None:
    client.force_login(ann)
    assert "Give the key a name that says where it is used." in page_of(client.post("/keys/", {"name": " "}))
    assert not ApiKey.objects.exists()


def test_only_an_admin_makes_keys_for_others_and_only_in_the_tenant(
    client: Client, root: User, ann: User, bo: User, cy: User
) -> None:
    client.force_login(ann)
    client.post("/keys/", {"name": "x", "user": "bo@acme.test"})
    assert ApiKey.objects.get().user == ann
    client.force_login(root)
    assert "Nobody of this tenant has this address." in page_of(
        client.post("/keys/", {"name": "y", "user": "cy@globex.test"})
    )
    client.post("/keys/", {"name": "z", "user": "BO@acme.test"})
    assert ApiKey.objects.get(name="z").user == bo


def test_members_see_their_own_keys_and_admins_the_tenants(
    client: Client, root: User, ann: User, bo: User, cy: User
) -> None:
    prefixes = [minted(user).prefix for user in (ann, bo, cy)]

    def seen(user: User, url: str) -> list[bool]:
        client.force_login(user)
        page = page_of(client.get(url))
        return [prefix in page for prefix in prefixes]

    assert seen(ann, "/keys/?all") == [True, False, False]
    assert seen(root, "/keys/") == [False, False, False]
    assert seen(root, "/keys/?all") == [True, True, False]


def test_rotating_makes_a_new_key_and_lets_the_old_one_end_later(client: Client, ann: User) -> None:
    old = minted(ann, expires_at=timezone.now() + timedelta(days=90))
    client.force_login(ann)
    new = keys.find(secret_in(client.post(f"/keys/{old.pk}/rotate/", {"overlap": "24"})))
    old.refresh_from_db()
    assert new
    assert new.key.name == "Laptop"
    assert old.expires_at
    assert timedelta(hours=23) < old.expires_at - timezone.now() <= timedelta(hours=24)
    assert new.key.expires_at
    assert timedelta(days=89) < new.key.expires_at - timezone.now() <= timedelta(days=90)
    assert AuditEntry.objects.get(action="key.rotated").after["successor"] == new.key_id  # type: ignore[index]


def test_rotating_without_an_overlap_ends_the_old_key_at_once(client: Client, ann: User) -> None:
    old, secret = keys.mint(user=ann, name="a", actor=actors.actor_of(ann), at=timezone.now())
    client.force_login(ann)
    secret_in(client.post(f"/keys/{old.pk}/rotate/", {"overlap": "0"}))
    assert keys.find(secret) is None


def test_rotating_never_lengthens_a_life(client: Client, ann: User) -> None:
    ends = timezone.now() + timedelta(hours=2)
    old = minted(ann, expires_at=ends)
    client.force_login(ann)
    client.post(f"/keys/{old.pk}/rotate/", {"overlap": "168"})
    old.refresh_from_db()
    assert old.expires_at == ends


def test_a_revoked_key_is_not_rotated(client: Client, ann: User) -> None:
    old = minted(ann)
    keys.revoke(old, actor=actors.actor_of(ann), at=timezone.now())
    client.force_login(ann)
    assert client.post(f"/keys/{old.pk}/rotate/", {"overlap": "1"}).status_code == 302
    assert ApiKey.objects.count() == 1


def test_revoking_is_asked_and_then_done(client: Client, ann: User) -> None:
    key = minted(ann)
    client.force_login(ann)
    assert "Revoke this key?" in page_of(client.get(f"/keys/{key.pk}/revoke/"))
    client.post(f"/keys/{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at
    assert key.prefix not in page_of(client.get("/keys/"))
    assert key.prefix in page_of(client.get("/keys/?ended"))


@pytest.mark.parametrize("act", ["revoke", "rotate"])
def test_another_members_key_reads_like_one_that_never_existed(
    client: Client, ann: User, bo: User, cy: User, act: str
) -> None:
    key = minted(ann)
    for user in (bo, cy):
        client.force_login(user)
        assert client.post(f"/keys/{key.pk}/{act}/", {"overlap": "0"}).status_code == 404
    assert ApiKey.objects.get().revoked_at is None
