"""Invitations: a link with which a person sets a password, once."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.utils import timezone

from identity import actors
from identity.errors import NotAllowed
from identity.models import AuditEntry, Tenant, User
from identity.sign_in import invitations

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def without_password(bo: User) -> None:
    bo.set_unusable_password()
    bo.save()


def path_for(user: User, by: User) -> str:
    url = invitations.invite(user, actor=actors.actor_of(by), at=timezone.now())
    return urlsplit(url).path


def choose(path: str, password: str = PASSWORD) -> int:
    return Client().post(path, {"new_password1": password, "new_password2": password}).status_code


def test_the_link_sets_a_password_once(bo: User, root: User) -> None:
    path = path_for(bo, root)
    assert [Client().get(path).status_code for _ in range(2)] == [200, 200]
    assert choose(path) == 302
    assert Client().login(username="bo@acme.test", password=PASSWORD)
    assert [choose(path, "another horse battery"), Client().get(path).status_code] == [404, 404]
    assert set(AuditEntry.objects.values_list("action", "actor")) == {
        ("user.invited", "root@acme.test"),
        ("user.password_set", "bo@acme.test"),
    }


def test_a_weak_password_is_refused_and_the_link_still_works(bo: User, root: User) -> None:
    path = path_for(bo, root)
    assert choose(path, "bo") == 200
    assert not User.objects.get(pk=bo.pk).has_usable_password()
    assert choose(path) == 302


def test_a_newer_link_ends_the_earlier_one(bo: User, root: User) -> None:
    earlier, later = path_for(bo, root), path_for(bo, root)
    assert Client().get(earlier).status_code == 404
    assert Client().get(later).status_code == 200


def test_a_link_ends_after_a_week(bo: User, root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_for(bo, root)
    monkeypatch.setattr(invitations, "LIFE", timedelta(seconds=-1))
    assert Client().get(path).status_code == 404


def test_a_changed_link_is_no_link(bo: User, root: User) -> None:
    path = path_for(bo, root)
    for wrong in (path[:-3] + "x/", path.replace(":", "::"), "/invitation/x/", path.replace("on/", "on/e")):
        assert Client().get(wrong).status_code == 404


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "bo2@acme.test"}])
def test_a_link_ends_with_the_account_as_it_was(bo: User, root: User, change: dict[str, object]) -> None:
    path = path_for(bo, root)
    User.objects.filter(pk=bo.pk).update(**change)
    assert Client().get(path).status_code == 404


def test_no_link_works_in_a_tenant_that_is_off(bo: User, root: User, acme: Tenant) -> None:
    path = path_for(bo, root)
    Tenant.objects.filter(pk="acme").update(is_active=False)
    assert Client().get(path).status_code == 404


def test_only_an_admin_of_the_tenant_invites_and_only_staff_invite_staff(
    bo: User, ann: User, root: User, cy: User
) -> None:
    for stranger in (ann, cy):
        with pytest.raises(NotAllowed):
            path_for(bo, stranger)
    other = User.objects.create(email="staff@acme.test", tenant=root.tenant, is_staff=True)
    with pytest.raises(NotAllowed):
        path_for(other, root)


def test_the_mail_holds_the_link_of_the_operators_address(bo: User, root: User, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://grid.example.com"
    url = invitations.invite(bo, actor=actors.actor_of(root), at=timezone.now())
    assert invitations.mail(bo, url, actor=actors.actor_of(root))
    [sent] = mail.outbox
    assert sent.to == ["bo@acme.test"]
    assert url.startswith("https://grid.example.com/invitation/")
    assert url in sent.body
