"""The pages of people."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from identity.models import AuditEntry, Role, Tenant, User
from publishing.models import Core


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_admin_without_staff_rights_finds_people_of_the_tenant(root: User, ann: User, bo: User, cy: User) -> None:
    User.objects.filter(pk=root.pk).update(is_staff=False)
    page = signed_in(root).get("/people/?q=ann").content.decode()
    assert "ann@acme.test" in page
    assert "bo@acme.test" not in page
    assert "cy@globex.test" not in signed_in(root).get("/people/").content.decode()


def test_nobody_but_an_admin_opens_the_pages(root: User, ann: User, cy: User) -> None:
    assert signed_in(ann).get("/people/").status_code == 403
    assert signed_in(ann).get(f"/people/{ann.pk}/").status_code == 403
    assert signed_in(cy).get(f"/people/{ann.pk}/").status_code == 404
    assert signed_in(cy).post(f"/people/{ann.pk}/", {"role": Role.ADMIN}).status_code == 404


def test_the_page_says_what_a_person_may_call_and_why(root: User, ann: User, bo: User, narrow_echo: Core) -> None:
    page = signed_in(root).get(f"/people/{ann.pk}/").content.decode()
    assert "scaicore/acme/echo-agent" in page
    assert "group_acme_eng (Engineering)" in page
    assert "No model" in signed_in(root).get(f"/people/{bo.pk}/").content.decode()


def test_a_person_is_switched_off_by_the_page(root: User, ann: User) -> None:
    signed_in(root).post(f"/people/{ann.pk}/", {"name": "Ann", "role": "tenant_user"})
    ann.refresh_from_db()
    assert (ann.name, ann.is_active) == ("Ann", False)
    assert AuditEntry.objects.filter(action="user.saved", target=ann.pk, door="page").count() == 1


def test_the_last_admin_is_not_demoted_and_reads_why(root: User) -> None:
    page = signed_in(root).post(f"/people/{root.pk}/", {"role": "tenant_user", "is_active": "on"})
    assert "last active admin" in page.content.decode()
    assert User.objects.get(pk=root.pk).role == Role.ADMIN


def test_a_longer_list_takes_no_more_statements(root: User, acme: Tenant) -> None:
    client = signed_in(root)

    def count() -> int:
        with CaptureQueriesContext(connection) as sent:
            client.get("/people/")
        return len(sent)

    few = count()
    User.objects.bulk_create(User(email=f"u{number}@acme.test", tenant=acme) for number in range(30))
    assert count() == few


def test_an_admin_invites_a_person_and_is_shown_the_link_once(root: User) -> None:
    made = signed_in(root).post("/people/", {"email": "Dee@acme.test", "name": "Dee", "role": "tenant_user"})
    assert "/invitation/" in made.content.decode()
    dee = User.objects.get(email="dee@acme.test")
    assert "/invitation/" not in signed_in(root).get(f"/people/{dee.pk}/").content.decode()


def test_an_address_that_is_taken_anywhere_is_refused_in_the_same_words(root: User, ann: User, cy: User) -> None:
    for taken in ("ann@acme.test", "cy@globex.test"):
        page = signed_in(root).post("/people/", {"email": taken, "role": "tenant_user"}).content.decode()
        assert "This e-mail address cannot be used." in page
    assert not AuditEntry.objects.filter(action="user.invited").exists()


def test_a_mail_that_is_not_taken_is_said_and_the_link_is_there(root: User, bo: User, settings: LazySettings) -> None:
    settings.CAN_SEND_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = signed_in(root).post(f"/people/{bo.pk}/invite/", {"is_mailed": "1"}).content.decode()
    assert "did not take the mail" in page
    assert "/invitation/" in page


def test_the_page_lists_the_persons_live_keys(root: User, ann: User, key_of: Callable[[User], str]) -> None:
    secret = key_of(ann)
    page = signed_in(root).get(f"/people/{ann.pk}/").content.decode()
    assert secret[:8] in page
    assert secret not in page
