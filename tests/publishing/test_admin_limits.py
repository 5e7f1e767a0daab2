"""Limits and prices in Django admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity.models import AuditEntry, Group, Tenant, User
from publishing.models import Core, LimitCell, Price, UsageLimit
from tests.support.limiting import make_limit
from tests.support.staff import signed_in, superuser

LIMITS = "/admin/publishing/usagelimit/"
PRICES = "/admin/publishing/price/"
NEW = {"amount": "100", "measure": "requests", "per": "day", "each": "", "user": "", "key": "", "group": "", "core": ""}


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def test_staff_add_change_and_remove_a_limit_by_the_audited_actions(staff: Client, acme: Tenant) -> None:
    assert staff.post(f"{LIMITS}add/", NEW).status_code == 302
    limit = UsageLimit.objects.get()
    assert (limit.tenant_id, limit.amount) == ("acme", 100)
    LimitCell.objects.create(limit=limit, subject="", level=78, at=timezone.now(), granted=0)
    assert "78 %" in staff.get(LIMITS).content.decode()
    assert staff.post(f"{LIMITS}{limit.pk}/change/", {"amount": "200"}).status_code == 302
    assert "39 %" in staff.get(LIMITS).content.decode()
    assert staff.post(f"{LIMITS}{limit.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not UsageLimit.objects.exists()
    told = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert [action for action in told if action.startswith("limit")] == [
        "limit.created",
        "limit.saved",
        "limit.deleted",
    ]


def test_what_is_another_tenants_cannot_be_chosen(staff: Client, cy: User, ann: User, engineering: Group) -> None:
    for wrong in ({"user": cy.pk}, {"user": ann.pk, "group": str(engineering.pk)}, {"amount": "0"}):
        assert staff.post(f"{LIMITS}add/", NEW | wrong).status_code == 200
    assert not UsageLimit.objects.exists()
    other = superuser()
    response = signed_in(other).post(f"{LIMITS}add/", NEW | {"tenant": "globex", "user": ann.pk})
    assert "tenant" in response.content.decode()
    assert not UsageLimit.objects.exists()


def test_staff_of_another_tenant_see_no_limit(acme: Tenant, cy: User) -> None:
    limit = make_limit(5)
    cy.is_staff = True
    cy.save()
    other = signed_in(cy)
    assert limit.pk not in other.get(LIMITS).content.decode()
    assert other.post(f"{LIMITS}{limit.pk}/delete/", {"post": "yes"}).status_code in (302, 403, 404)
    assert UsageLimit.objects.exists()


def test_staff_set_and_remove_a_price(staff: Client, echo: Core) -> None:
    fields: dict[str, Any] = {"core": echo.pk, "prompt": "2.5", "completion": "10"}
    assert staff.post(f"{PRICES}add/", fields).status_code == 302
    assert float(Price.objects.get().prompt) == 2.5
    assert staff.post(f"{PRICES}{echo.pk}/change/", {"prompt": "3", "completion": "10"}).status_code == 302
    assert float(Price.objects.get().prompt) == 3
    assert staff.post(f"{PRICES}{echo.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Price.objects.exists()
