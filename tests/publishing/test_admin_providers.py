"""Providers and secrets in the admin: names and use, and nothing that is sealed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from identity import actors
from identity.models import Tenant, User
from publishing import actions
from publishing.models import Core, ModelProvider, Secret
from tests.support.outside_users import deploy_fetching
from tests.support.staff import page, signed_in

PROVIDERS = "/admin/publishing/modelprovider/"
SECRETS = "/admin/publishing/secret/"
OPERATOR = actors.operator("test")


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def fetching(acme: Tenant, settings: Any) -> Core:
    """A Core whose flow asks a model of the provider `house` and sends the secret `token`."""
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1:9",)
    return deploy_fetching(acme, OPERATOR)


@pytest.mark.parametrize(("url", "model"), [(PROVIDERS, ModelProvider), (SECRETS, Secret)])
def test_the_list_and_the_page_say_who_uses_it(staff: Client, fetching: Core, url: str, model: Any) -> None:
    [row] = staff.get(url).context["cl"].result_list
    assert row.used_by == [fetching.pk]
    assert "acme/fetch" in staff.get(page(url, model.objects.get())).content.decode()


def test_nothing_sealed_is_shown_nor_even_read(staff: Client, fetching: Core) -> None:
    with CaptureQueriesContext(connection) as captured:
        text = "".join(
            staff.get(url).content.decode()
            for url in (PROVIDERS, SECRETS, page(PROVIDERS, ModelProvider.objects.defer("sealed_key").get()))
        )
    assert "sk-very-secret" not in text
    assert "hush-hush" not in text
    assert not [one["sql"] for one in captured if '"publishing_secret"."sealed"' in one["sql"]]


@pytest.mark.parametrize("url", [PROVIDERS, SECRETS])
def test_nothing_is_changed_here(staff: Client, fetching: Core, url: str) -> None:
    assert staff.get(f"{url}add/").status_code == 403
    row: Any = (ModelProvider if url == PROVIDERS else Secret).objects.get()
    assert staff.post(page(url, row), {"name": "x"}).status_code == 403
    assert staff.post(page(url, row, "delete"), {"post": "yes"}).status_code == 403


def test_names_of_another_tenant_are_its_own(staff: Client, fetching: Core, globex: Tenant) -> None:
    actions.create_secret(tenant=globex, name="token", value="theirs", actor=OPERATOR, at=timezone.now())
    sid = signed_in(User.objects.create_user("sid@globex.test", tenant=globex, is_staff=True))
    [row] = sid.get(SECRETS).context["cl"].result_list
    assert (row.tenant_id, row.used_by) == ("globex", [])
    assert sid.get(PROVIDERS).context["cl"].result_count == 0
