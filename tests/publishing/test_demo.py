"""The demo that `make run` makes once."""

from __future__ import annotations

from django.core.management import call_command
from django.utils import timezone

from identity import keys
from identity.models import ApiKey, Tenant, User
from publishing import demo, registry
from publishing.models import Publication
from tests.support.staff import audited


def test_the_demo_is_a_published_flow_and_a_key_that_may_call_it(db: None) -> None:
    made = demo.prepare(at=timezone.now())
    assert made.is_new
    live = keys.find(made.key or "")
    assert live is not None
    assert live.user.email == made.caller
    publication = Publication.objects.get(name=made.model)
    assert live.user in registry.audience(publication)


def test_the_login_that_it_prints_opens_the_ui_and_the_admin(db: None) -> None:
    made = demo.prepare(at=timezone.now())
    root = User.objects.get(email=made.email)
    assert root.check_password(made.password or "")
    assert (root.role, root.is_staff, root.is_superuser) == ("tenant_admin", True, False)


def test_a_second_time_it_changes_nothing_and_has_no_stale_key(db: None) -> None:
    demo.prepare(at=timezone.now())
    told = audited()
    again = demo.prepare(at=timezone.now())
    assert (again.is_new, again.key, again.password) == (False, None, None)
    assert (audited(), ApiKey.objects.count()) == (told, 1)


def test_a_tenant_of_that_name_is_never_touched(acme: Tenant) -> None:
    assert not demo.prepare(at=timezone.now()).is_new
    assert not User.objects.exists()


def test_the_commands_file_may_be_applied_again(db: None) -> None:
    demo.prepare(at=timezone.now())
    told = audited()
    call_command("apply", str(demo.FILE))
    assert audited() == told
