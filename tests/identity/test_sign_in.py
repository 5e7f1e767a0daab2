"""Passwords cannot be tried as often as one likes, and the rightful user is not locked out elsewhere."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings
from django.core import mail
from django.db import connection
from django.test import Client

from identity.models import AuditEntry, SignInCell, User
from identity.sign_in import throttle

SIGN_INS = pytest.mark.parametrize("url", ["/login/", "/admin/login/"])


@pytest.fixture(autouse=True)
def quick_hashes(settings: LazySettings) -> None:
    """A right password is hashed anew by the first of these, so that the next fifty tries take no minute."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


def sign_in(client: Client, url: str, password: str, *, email: str = "root@acme.test", address: str = "203.0.113.7"):
    return client.post(url, {"username": email, "password": password}, REMOTE_ADDR=address)


@SIGN_INS
def test_the_sixth_wrong_password_is_not_even_looked_at(client: Client, root: User, url: str) -> None:
    assert [sign_in(client, url, f"wrong-{number}").status_code for number in range(5)] == [200] * 5
    refused = sign_in(client, url, "change-me")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Too many attempts. Wait a minute and try again." in refused.content.decode()
    assert "_auth_user_id" not in client.session


@SIGN_INS
def test_the_rightful_user_signs_in_from_elsewhere_meanwhile(client: Client, root: User, url: str) -> None:
    for _ in range(40):
        sign_in(client, url, "wrong")
    assert sign_in(client, url, "change-me", address="198.51.100.1").status_code == 302


def test_both_sign_ins_count_together(client: Client, root: User) -> None:
    for number in range(6):
        last = sign_in(client, ["/login/", "/admin/login/"][number % 2], "wrong")
    assert last.status_code == 429


def test_other_spellings_of_the_address_are_the_same_account(client: Client, root: User) -> None:
    for _ in range(5):
        sign_in(client, "/login/", "wrong", email=" ROOT@acme.TEST ")
    assert sign_in(client, "/login/", "wrong").status_code == 429


def test_an_account_that_does_not_exist_is_refused_alike(client: Client, root: User) -> None:
    answers = [sign_in(client, "/login/", "wrong", email="nobody@acme.test").status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_an_address_that_tries_many_accounts_is_refused(client: Client, root: User) -> None:
    for number in range(50):
        throttle.admit(f"user-{number}@acme.test", "203.0.113.7")
    assert sign_in(client, "/login/", "change-me").status_code == 429


@pytest.mark.parametrize("other", ["2001:db8:1:2:ffff::9", "2001:db8:1:2::1"])
def test_one_ipv6_network_is_one_address(client: Client, root: User, other: str) -> None:
    for number in range(5):
        sign_in(client, "/login/", "wrong", address=f"2001:db8:1:2::{number}")
    assert sign_in(client, "/login/", "wrong", address=other).status_code == 429
    assert sign_in(client, "/login/", "wrong", address="2001:db8:1:3::1").status_code == 200


def test_many_addresses_that_guess_together_are_refused_but_not_where_the_user_is_known(
    client: Client, root: User
) -> None:
    assert sign_in(client, "/login/", "change-me", address="198.51.100.1").status_code == 302
    client.logout()
    for number in range(99):
        throttle.admit("root@acme.test", f"192.0.2.{number}")
    assert sign_in(client, "/login/", "change-me", address="203.0.113.200").status_code == 429
    assert sign_in(client, "/login/", "change-me", address="198.51.100.1").status_code == 302


def test_right_passwords_are_never_counted(client: Client, root: User) -> None:
    for _ in range(60):
        assert sign_in(client, "/login/", "change-me").status_code == 302
        client.logout()


def test_a_wave_of_tries_is_one_entry_of_the_audit_log(client: Client, root: User) -> None:
    for _ in range(20):
        sign_in(client, "/login/", "wrong")
    [entry] = AuditEntry.objects.filter(action="signin.throttled")
    assert (entry.tenant, entry.target, entry.actor) == ("acme", root.pk, "somebody at 203.0.113.7")


def test_what_is_stored_names_nobody(client: Client, root: User) -> None:
    sign_in(client, "/login/", "change-me")
    assert [cell.subject for cell in SignInCell.objects.all() if not re.fullmatch("[0-9a-f]{64}", cell.subject)] == []


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_are_counted_one_by_one(root: User) -> None:
    def attempt(_: int) -> bool:
        try:
            throttle.admit("root@acme.test", "203.0.113.7")
        except throttle.SignInThrottled:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(40))) == 5


# One's own password


def change(client: Client, old: str, new: str = "correct horse 9"):
    given = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/account/password/", given, REMOTE_ADDR="203.0.113.7")


def test_everybody_changes_their_own_password(client: Client, ann: User) -> None:
    client.force_login(ann)
    assert change(client, "change-me").status_code == 302
    assert client.get("/flows/").status_code == 200
    assert sign_in(Client(), "/login/", "correct horse 9", email="ann@acme.test").status_code == 302
    [entry] = AuditEntry.objects.filter(action="user.password_set")
    assert (entry.actor, entry.target, entry.door) == ("ann@acme.test", ann.pk, "page")


def test_a_stolen_session_cannot_guess_the_password(client: Client, ann: User) -> None:
    client.force_login(ann)
    for number in range(5):
        change(client, f"wrong-{number}")
    answer = change(client, "change-me")
    assert "Too many attempts" in answer.content.decode()
    ann.refresh_from_db()
    assert ann.check_password("change-me")


def test_staff_give_their_old_password_too(client: Client, root: User) -> None:
    client.force_login(root)
    given = {"new_password1": "correct horse 9", "new_password2": "correct horse 9"}
    assert client.post("/admin/password_change/", given).status_code == 200
    assert client.post("/admin/password_change/", given | {"old_password": "change-me"}).status_code == 302


# A forgotten one


@pytest.fixture
def mailing(settings: LazySettings) -> None:
    settings.CAN_SEND_MAIL = True
    settings.PUBLIC_URL = "https://grid.example.com"


def test_without_a_mail_server_nothing_is_offered(client: Client, root: User) -> None:
    assert client.get("/forgotten/").status_code == 404
    assert "Forgot" not in client.get("/login/").content.decode()


def test_a_link_by_mail_sets_a_new_password_once(client: Client, ann: User, mailing: None) -> None:
    assert client.post("/forgotten/", {"email": "Ann@acme.test"}).headers["location"] == "/forgotten/sent/"
    [message] = mail.outbox
    [link] = re.findall(r"https://grid\.example\.com(/forgotten/\S+)", message.body)
    page = client.get(link, follow=True)
    where = page.redirect_chain[-1][0]
    given = {"new_password1": "correct horse 9", "new_password2": "correct horse 9"}
    assert client.post(where, given).headers["location"] == "/login/"
    ann.refresh_from_db()
    assert ann.check_password("correct horse 9")
    assert "does not work any more" in Client().get(link, follow=True).content.decode()


@pytest.mark.parametrize("email", ["nobody@acme.test", "bo@acme.test"])
def test_who_has_no_password_gets_no_mail_and_the_same_answer(
    client: Client, bo: User, mailing: None, email: str
) -> None:
    bo.set_unusable_password()
    bo.save(update_fields=["password"])
    assert client.post("/forgotten/", {"email": email}).headers["location"] == "/forgotten/sent/"
    assert mail.outbox == []


def test_a_host_name_that_a_stranger_chose_is_not_in_the_link(client: Client, ann: User, mailing: None) -> None:
    client.post("/forgotten/", {"email": "ann@acme.test"}, headers={"host": "localhost"})
    assert "localhost" not in mail.outbox[0].body


def test_nobodys_mailbox_is_flooded(client: Client, ann: User, mailing: None) -> None:
    for _ in range(10):
        client.post("/forgotten/", {"email": "ann@acme.test"}, REMOTE_ADDR="203.0.113.7")
    assert len(mail.outbox) == 5
