"""API keys: found by their digest alone, and only while they live."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from identity import actors, keys
from identity.errors import Invalid, NotAllowed
from identity.models import ApiKey, AuditEntry, User
from tests.support import views


def mint(user: User, **more: object) -> tuple[ApiKey, str]:
    return keys.mint(user=user, name="test", actor=actors.actor_of(user), at=timezone.now(), **more)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_the_text_of_what_a_live_key_is_is_what_the_database_asks() -> None:
    assert views.written(keys.LIVE_KEY) == views.migrated("identity_live_key")


def test_a_secret_is_a_prefix_and_43_url_safe_characters(ann: User) -> None:
    _, secret = mint(ann)
    assert len(secret) == 47
    assert secret.startswith("sgk_")
    assert set(secret) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_only_the_digest_is_stored_anywhere(ann: User) -> None:
    key, secret = mint(ann)
    assert bytes(ApiKey.objects.get().digest) == hashlib.sha256(secret.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT k::text || a::text FROM identity_apikey k, identity_auditentry a")
        assert all(secret not in row and secret[12:] not in row for (row,) in cursor.fetchall())
    assert key.prefix == secret[:10]


def test_a_live_key_is_found_with_its_user_and_tenant(ann: User) -> None:
    live = keys.find(mint(ann)[1])
    assert live is not None
    assert (live.user, live.tenant_id) == (ann, "acme")


@pytest.mark.parametrize("secret", ["", "sgk_", "sgk_" + "x" * 43, "\0", "\ud800", "é"])
def test_no_other_text_finds_a_key(ann: User, secret: str) -> None:
    mint(ann)
    assert keys.find(secret) is None


def test_a_revoked_key_is_not_found(ann: User) -> None:
    key, secret = mint(ann)
    keys.revoke(key, actor=actors.actor_of(ann), at=timezone.now())
    assert keys.find(secret) is None


def test_revoking_twice_changes_and_tells_once(ann: User) -> None:
    key, _ = mint(ann)
    first = timezone.now()
    keys.revoke(key, actor=actors.actor_of(ann), at=first)
    keys.revoke(key, actor=actors.actor_of(ann), at=first + timedelta(hours=1))
    assert ApiKey.objects.get().revoked_at == first
    assert AuditEntry.objects.filter(action="key.revoked").count() == 1


def test_a_key_ends_with_its_expiry(ann: User) -> None:
    key, secret = mint(ann, expires_at=timezone.now() + timedelta(days=1))
    assert keys.find(secret) is not None
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    assert keys.find(secret) is None


def test_a_key_that_would_be_expired_is_refused(ann: User) -> None:
    with pytest.raises(Invalid):
        mint(ann, expires_at=timezone.now())


def test_a_switched_off_user_has_no_live_key(ann: User) -> None:
    _, secret = mint(ann)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert keys.find(secret) is None


def test_a_switched_off_tenant_has_no_live_key(ann: User) -> None:
    _, secret = mint(ann)
    type(ann.tenant).objects.update(is_active=False)
    assert keys.find(secret) is None


def test_use_is_written_down_at_most_once_a_minute(ann: User) -> None:
    key, secret = mint(ann)
    now = timezone.now()
    for seconds in (0, 30):
        live = keys.find(secret)
        assert live is not None
        keys.touch(live, at=now + timedelta(seconds=seconds))
    assert ApiKey.objects.get(pk=key.pk).last_used_at == now


def test_use_is_written_down_anew_after_a_minute(ann: User) -> None:
    key, secret = mint(ann)
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now() - timedelta(seconds=61))
    live = keys.find(secret)
    assert live is not None
    assert live.is_stale


def test_nobody_mints_a_key_for_somebody_else(ann: User, bo: User) -> None:
    with pytest.raises(NotAllowed):
        keys.mint(user=bo, name="x", actor=actors.actor_of(ann), at=timezone.now())


def test_an_admin_of_another_tenant_mints_no_key_here(ann: User, cy: User) -> None:
    with pytest.raises(NotAllowed):
        keys.mint(user=ann, name="x", actor=actors.actor_of(cy), at=timezone.now())


def test_an_admin_revokes_any_key_of_the_tenant(ann: User, root: User) -> None:
    key, secret = mint(ann)
    keys.revoke(key, actor=actors.actor_of(root), at=timezone.now())
    assert keys.find(secret) is None


def test_two_keys_never_share_a_digest(ann: User) -> None:
    key, _ = mint(ann)
    twin = ApiKey(user=ann, name="x", prefix="x", digest=bytes(key.digest), created_at=timezone.now())
    with pytest.raises(IntegrityError):
        twin.save()


def test_a_limit_is_kept_once_for_each_name_and_through_a_rotation(ann: User) -> None:
    key, _ = mint(ann, models=["scaicore/acme/a", " scaicore/acme/b ", "scaicore/acme/a"])
    made, secret = keys.rotate(key, overlap=timedelta(0), actor=actors.actor_of(ann), at=timezone.now())
    assert key.models == made.models == ["scaicore/acme/a", "scaicore/acme/b"]
    live = keys.find(secret)
    assert live is not None
    assert live.models == made.models


def test_the_audit_log_tells_a_limit(ann: User) -> None:
    mint(ann, models=["scaicore/acme/a"])
    after = AuditEntry.objects.get(action="key.minted").after
    assert after is not None
    assert after["models"] == ["scaicore/acme/a"]


@pytest.mark.parametrize("models", [[], [""], ["x" * 201], ["a\0"], [str(place) for place in range(101)]])
def test_a_limit_that_cannot_be_is_refused(ann: User, models: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        mint(ann, models=models)
    assert [problem.field for problem in refused.value.problems] == ["models"]
    assert not ApiKey.objects.exists()


def test_the_database_refuses_an_empty_limit(ann: User) -> None:
    key, _ = mint(ann)
    with pytest.raises(IntegrityError, match="key_limit_not_empty"):
        ApiKey.objects.filter(pk=key.pk).update(models=[])
