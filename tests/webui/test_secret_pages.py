"""The pages of secrets: listed with who uses each, added, replaced, removed; a value never comes back."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from identity.actors import actor_of
from identity.models import AuditEntry, Tenant, User
from publishing import vault
from publishing.clients import http
from publishing.models import Core, Secret
from tests.support.browsing import page_of, toasts
from tests.support.outside_users import deploy_fetching

VALUE = " tok en-77c1"
NEW = {"name": "crm", "value": VALUE}
CRM = "/secrets/crm/"


@pytest.fixture
def admin(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


@pytest.fixture
def fetching(acme: Tenant, root: User, settings: LazySettings) -> Core:
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1:9",)
    return deploy_fetching(acme, actor_of(root))


def value_of_crm() -> str:
    return vault.unseal(bytes(Secret.objects.get(name="crm").sealed), context=http.secret_context("acme", "crm"))


def test_an_empty_list_says_what_to_do(client: Client, root: User, ann: User) -> None:
    client.force_login(root)
    assert "No secret yet. Add one above" in page_of(client.get("/secrets/"))
    client.force_login(ann)
    assert "A tenant admin of Acme can add the first one." in page_of(client.get("/secrets/"))


def test_a_secret_is_added_replaced_and_never_shown(admin: Client) -> None:
    assert "Added crm" in toasts(admin, admin.post("/secrets/", NEW))[0]
    assert value_of_crm() == VALUE
    assert "the new value" in toasts(admin, admin.post(CRM, {"value": "other-5"}))[0]
    assert value_of_crm() == "other-5"
    with CaptureQueriesContext(connection) as captured:
        page = page_of(admin.get("/secrets/")) + page_of(admin.get(CRM)) + page_of(admin.get(f"{CRM}delete/"))
    assert VALUE not in page
    assert "other-5" not in page
    assert not [one for one in captured if '"publishing_secret"."sealed"' in one["sql"]]
    assert list(AuditEntry.objects.filter(target="crm").order_by("id").values_list("action", flat=True)) == [
        "secret.created",
        "secret.saved",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Give the secret a name"),
        ({"name": "a/b"}, "Use 1 to 100 letters"),
        ({"value": ""}, "Type the value."),
        ({"value": "é-1"}, "printable ASCII characters"),
    ],
)
def test_what_is_unusable_is_refused_beside_its_field(admin: Client, changes: dict[str, str], said: str) -> None:
    answer = admin.post("/secrets/", NEW | changes)
    [(name, errors)] = answer.context["form"].errors.items()
    assert name in changes
    assert said in str(errors)
    assert "é-1" not in page_of(answer)
    assert not Secret.objects.exists()


def test_what_is_secret_is_asked_for_again_beside_another_error(admin: Client) -> None:
    assert "Type the value again" not in page_of(admin.get("/secrets/"))
    assert "Type the value again" in page_of(admin.post("/secrets/", NEW | {"name": "a/b"}))


def test_a_name_that_is_taken_is_said_so(admin: Client) -> None:
    admin.post("/secrets/", NEW)
    assert "exists already" in str(admin.post("/secrets/", NEW | {"value": "x"}).context["form"].errors["name"])
    assert value_of_crm() == VALUE


def test_members_read_names_and_change_nothing(client: Client, root: User, ann: User) -> None:
    client.force_login(root)
    client.post("/secrets/", NEW)
    client.force_login(ann)
    for url in ("/secrets/", CRM):
        page = page_of(client.get(url))
        assert "crm" in page
        assert '<form class="card' not in page
        assert "/delete/" not in page
    for url in ("/secrets/", CRM, f"{CRM}delete/"):
        assert client.post(url, {"name": "mine", "value": "x"}).status_code == 403
    assert value_of_crm() == VALUE
    assert Secret.objects.count() == 1


def test_another_tenants_secret_reads_like_none(client: Client, root: User, cy: User) -> None:
    client.force_login(root)
    client.post("/secrets/", NEW)
    client.force_login(cy)
    assert "crm<" not in page_of(client.get("/secrets/"))
    assert [client.post(url, {"value": "x"}).status_code for url in (CRM, f"{CRM}delete/")] == [404, 404]
    assert value_of_crm() == VALUE


def test_a_secret_in_use_says_by_whom_and_stays(admin: Client, fetching: Core) -> None:
    link = f'<a href="/models/{fetching.pk}/">fetch</a>'
    for url in ("/secrets/", "/secrets/token/", "/secrets/token/delete/"):
        assert link in page_of(admin.get(url))
    assert "Remove secret" not in page_of(admin.get("/secrets/token/delete/"))
    [said] = toasts(admin, admin.post("/secrets/token/delete/"))
    assert said == "These Cores use the secret: fetch. Deploy them without it first. Nothing was removed."
    assert Secret.objects.exists()


def test_a_secret_that_nobody_uses_is_removed(admin: Client) -> None:
    admin.post("/secrets/", NEW)
    assert "Remove secret" in page_of(admin.get(f"{CRM}delete/"))
    assert Secret.objects.exists()
    assert admin.post(f"{CRM}delete/").headers["location"] == "/secrets/"
    assert not Secret.objects.exists()
