"""The pages of limits: listed with what is used, added, changed, removed; and what is left to a user of a model."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity.models import ApiKey, Group, Tenant, User
from publishing.models import Core, LimitCell, Price, UsageLimit
from tests.support.browsing import page_of, toasts
from tests.support.limiting import make_limit

ECHO_NAME = "scaicore/acme/echo-agent"
NEW = {"amount": "1000", "measure": "tokens", "per": "day", "whose": "all", "who": "", "model": ""}


@pytest.fixture
def admin(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def use(limit: UsageLimit, level: float, subject: str = "") -> None:
    LimitCell.objects.create(limit=limit, subject=subject, level=level, at=timezone.now(), granted=0)


def test_a_limit_is_added_shown_with_what_is_used_changed_and_removed(admin: Client, acme: Tenant) -> None:
    assert "No limit yet" in page_of(admin.get("/limits/"))
    assert "1,000 tokens a day" in toasts(admin, admin.post("/limits/", NEW))[0]
    limit = UsageLimit.objects.get()
    use(limit, 780)
    page = page_of(admin.get("/limits/"))
    assert "78 % used" in page
    assert "the whole tenant" in page
    assert "2,000 tokens a day" in toasts(admin, admin.post(f"/limits/{limit.pk}/", {"amount": "2000"}))[0]
    assert "39 % used" in page_of(admin.get(f"/limits/{limit.pk}/"))
    assert UsageLimit.objects.get().measure == "tokens"
    assert "Remove this limit?" in page_of(admin.get(f"/limits/{limit.pk}/delete/"))
    assert "Removed" in toasts(admin, admin.post(f"/limits/{limit.pk}/delete/"))[0]
    assert not UsageLimit.objects.exists()


def test_a_limit_is_of_whom_it_names(admin: Client, ann: User, engineering: Group, echo: Core, key_of: Any) -> None:
    key_of(ann)
    key = ApiKey.objects.get(user=ann)
    cases: list[tuple[dict[str, str], dict[str, object], str]] = [
        ({"whose": "user", "who": ann.email.upper()}, {"user_id": ann.pk, "each": ""}, ann.email),
        ({"whose": "key", "who": key.pk}, {"key_id": key.pk, "each": ""}, "API key test"),
        ({"whose": "group", "who": "group_acme_eng"}, {"group_id": engineering.pk, "each": ""}, "group group_acme_eng"),
        (
            {"whose": "member", "who": "group_acme_eng"},
            {"group_id": engineering.pk, "each": "user"},
            "each user in group_acme_eng",
        ),
        (
            {"whose": "each-key", "model": "scaicore/acme/echo-agent"},
            {"core_id": echo.pk, "each": "key"},
            "each API key",
        ),
    ]
    for given, kept, said in cases:
        admin.post("/limits/", NEW | given)
        limit = UsageLimit.objects.latest("created_at")
        assert {name: getattr(limit, name) for name in kept} == kept
        assert said in page_of(admin.get(f"/limits/{limit.pk}/"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": ""}, "This field is required."),
        ({"amount": "0"}, "greater than or equal to 0.000001"),
        ({"amount": "many"}, "Enter a number."),
        ({"per": "hour"}, "Select a valid choice."),
        ({"whose": "user", "who": ""}, "There is no such user"),
        ({"whose": "user", "who": "cy@globex.test"}, "There is no such user"),
        ({"whose": "group", "who": "a\0b"}, "Null characters are not allowed."),
        ({"model": "scaicore/globex/other"}, "publishes no model with this name"),
    ],
    ids=str,
)
def test_what_is_no_limit_is_said_at_its_field(admin: Client, cy: User, changes: dict[str, str], said: str) -> None:
    assert said in page_of(admin.post("/limits/", NEW | changes))
    assert not UsageLimit.objects.exists()


@pytest.mark.parametrize("path", ["/limits/", "/limits/{}/", "/limits/{}/delete/"])
def test_members_and_other_tenants_admins_see_none(
    client: Client, acme: Tenant, ann: User, cy: User, path: str
) -> None:
    limit = make_limit(5)
    client.force_login(ann)
    assert client.get(path.format(limit.pk)).status_code == 403
    client.force_login(cy)
    response = client.post(path.format(limit.pk), NEW)
    assert response.status_code == (302 if path == "/limits/" else 404)
    assert UsageLimit.objects.filter(tenant=acme).count() == 1


def test_a_models_page_says_what_is_left_to_whoever_looks(
    client: Client, echo: Core, ann: User, bo: User, engineering: Group
) -> None:
    own, shared = make_limit(100, each="user"), make_limit(1000, "tokens", group=engineering)
    make_limit(7, user=bo)
    use(own, 78, ann.pk)
    use(own, 12, bo.pk)
    use(shared, 500)
    client.force_login(ann)
    page = page_of(client.get(f"/models/{echo.pk}/"))
    assert "Your limits" in page
    assert "78 % used" in page
    assert "50 % used" in page
    assert "7 requests" not in page
    client.force_login(bo)
    page = page_of(client.get(f"/models/{echo.pk}/"))
    assert "12 % used" in page
    assert "7 requests a day" in page
    assert "tokens a day" not in page


def test_the_usage_page_says_what_is_left_of_every_model(client: Client, echo: Core, ann: User, bo: User) -> None:
    use(make_limit(100, each="user"), 78, ann.pk)
    use(make_limit(50, "tokens", core=echo), 10)
    make_limit(7, user=bo)
    client.force_login(ann)
    page = page_of(client.get("/usage/"))
    assert "78 % used" in page
    assert "of scaicore/acme/echo-agent" in page
    assert "20 % used" in page
    assert "7 requests" not in page


def test_the_keys_page_says_what_is_left_of_each_key(
    client: Client, echo: Core, ann: User, key_of: Any, django_assert_num_queries: Any
) -> None:
    key_of(ann)
    key_of(ann)
    first, second = ApiKey.objects.filter(user=ann).order_by("created_at")
    use(make_limit(100, key=first), 78)
    use(make_limit(200, each="key"), 100, second.pk)
    client.force_login(ann)
    page = page_of(client.get("/keys/"))
    assert page.count("% used") == 2
    assert "78 % used" in page
    assert "50 % used" in page


def test_a_price_is_set_shown_and_taken_away(admin: Client, client: Client, echo: Core, bo: User) -> None:
    make_limit(20, "money", "month")
    assert "counts nothing" in page_of(admin.get("/limits/"))
    assert "It has no price" in page_of(admin.get(f"/models/{echo.pk}/"))
    saved = admin.post(f"/models/{echo.pk}/price/", {"prompt": "2.5", "completion": "10"}, follow=True)
    assert "costs 2.5 and 10 for a million tokens" in page_of(saved)
    assert "counts nothing" not in page_of(admin.get("/limits/"))
    assert 'value="2.5"' in page_of(admin.get(f"/models/{echo.pk}/price/"))
    client.force_login(bo)
    page = page_of(client.get(f"/models/{echo.pk}/"))
    assert "2.5 and 10" in page
    assert "Change the price" not in page
    admin.force_login(User.objects.get(email="root@acme.test"))
    admin.post(f"/models/{echo.pk}/price/", {"prompt": "0", "completion": "0"})
    assert not Price.objects.exists()


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ({"prompt": "-1", "completion": "1"}, "greater than or equal to 0"),
        ({"prompt": "many", "completion": "1"}, "Enter a number"),
        ({"prompt": "", "completion": "1"}, "required"),
        ({"prompt": "1", "completion": "1e400"}, "digits"),
        ({"prompt": "NaN", "completion": "1"}, "Enter a number"),
    ],
)
def test_what_is_no_price_is_said_at_its_field(admin: Client, echo: Core, price: dict[str, str], said: str) -> None:
    assert said in page_of(admin.post(f"/models/{echo.pk}/price/", price))
    assert not Price.objects.exists()


def test_a_price_is_for_the_tenants_own_admins(client: Client, echo: Core, ann: User, cy: User) -> None:
    client.force_login(ann)
    assert client.get(f"/models/{echo.pk}/price/").status_code == 403
    cy.role = "tenant_admin"
    cy.save()
    client.force_login(cy)
    assert client.post(f"/models/{echo.pk}/price/", {"prompt": "1", "completion": "1"}).status_code == 404
    assert not Price.objects.exists()
