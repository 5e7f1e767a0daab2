"""Every page of the admin takes few statements, however many rows there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from chatapi.models import UsageRecord
from identity import actors, groups, keys
from identity.models import ApiKey, Group, Tenant, User
from publishing import actions
from publishing.models import AccessRequest, Price, Publication, Refusal, UsageLimit
from tests.chatapi.test_admin import hooked, remote, scheduled
from tests.conftest import echo_document
from tests.support.admin_pages import lists, of, pages
from tests.support.staff import previewed, queries, signed_in, superuser

MOST = 20
OPERATOR = actors.operator("test")
ROWS = 30


def plant(tenant: Tenant, rows: range) -> None:
    """Of each noun as many as `rows`, and what hangs together with them."""
    at = timezone.now()
    people = User.objects.bulk_create(
        User(email=f"user-{n}@acme.test", name=f"User {n}", tenant=tenant, is_active=n % 5 > 0) for n in rows
    )
    made = Group.objects.bulk_create(Group(tenant=tenant, scaikey_id=f"group_{n}", name=f"Group {n}") for n in rows)
    for n, group in enumerate(made):
        nested = made[n - 1 : n] if n % 3 else []
        groups.set_members(group, users=people[n : n + 5], groups=nested, actor=OPERATOR, at=at)
    for n, (user, group) in enumerate(zip(people, made, strict=True)):
        listed = [] if n % 4 == 0 else [group.scaikey_id]
        content = echo_document(model_visibility_group_ids=listed)
        flow = actions.create_flow(tenant=tenant, name=f"Flow {user.pk}", content=content, actor=OPERATOR, at=at)
        core = actions.deploy(flow, actor=OPERATOR, at=at).core
        UsageRecord.objects.create(
            at=at - timedelta(days=n),
            request_id=f"req_{user.pk}",
            tenant_id=tenant.pk,
            user_id=user.pk,
            core_id=core.pk,
            core_version=1,
            model=core.model_name,
            is_streamed=False,
            outcome="failed" if n % 2 else "ok",
            prompt_tokens=1,
            completion_tokens=1,
            duration_ms=1,
        )
        keys.mint(user=user, name="key", actor=OPERATOR, at=at)
        Refusal.objects.create(core=core, user=user, last_at=at)
        if listed and user.is_active:
            AccessRequest.objects.create(tenant=tenant, core=core, user=people[n - 7], asked_at=at)
        owner = [{"user": user}, {"group": group}, {"core": core}, {"each": "key"}][n % 4]
        UsageLimit.objects.create(
            tenant=tenant, measure="tokens", per="day", amount=9, created_at=at, updated_at=at, **owner
        )
        Price.objects.create(core=core, tenant=tenant, prompt=1, completion=2)
        actions.create_secret(
            tenant=tenant, name=f"secret-{user.pk}".replace("_", "-"), value="s", actor=OPERATOR, at=at
        )
        actions.create_provider(
            tenant=tenant,
            ref=f"provider-{user.pk}".replace("_", "-"),
            base_url="https://models.example/v1",
            actor=OPERATOR,
            at=at,
        )
        actions.create_mcp_server(
            tenant=tenant,
            ref=f"server-{user.pk}".replace("_", "-"),
            url="https://mcp.example/mcp",
            actor=OPERATOR,
            at=at,
        )


@pytest.fixture
def sue(acme: Tenant, root: User) -> Client:
    plant(acme, range(ROWS))
    for make in (hooked, scheduled, remote):
        make(root)
    return signed_in(superuser())


def test_every_list_takes_few_statements(sue: Client) -> None:
    assert {url: count for url in lists() if (count := queries(sue, url)) > MOST} == {}


def test_every_page_takes_few_statements(sue: Client) -> None:
    assert {url: count for url in pages(sue) if (count := queries(sue, url)) > MOST} == {}


def test_what_fields_find_takes_few_statements(sue: Client) -> None:
    fields = [
        "app_label=identity&model_name=user&field_name=tenant",
        "app_label=identity&model_name=group&field_name=tenant",
    ]
    urls = [f"/admin/autocomplete/?term=a&{field}" for field in fields]
    assert {url: count for url in urls if (count := queries(sue, url)) > MOST} == {}


CHANGES: list[tuple[type[Model], str, dict[str, Any]]] = [
    (Publication, "unpublish", {}),
    (Publication, "hold", {"reason": "Leaks."}),
    (User, "switch_off", {}),
    (User, "revoke_all_keys", {}),
    (ApiKey, "revoke", {}),
    (AccessRequest, "decline", {}),
    (AccessRequest, "grant", {}),
]


@pytest.mark.parametrize(("model", "change", "chosen"), CHANGES, ids=[f"{one[0].__name__}-{one[1]}" for one in CHANGES])
def test_a_preview_of_many_takes_few_statements(
    sue: Client, model: type[Model], change: str, chosen: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    rows = list(model._default_manager.all()[:20])
    with django_assert_max_num_queries(MOST):
        answer = previewed(sue, of(model, ""), change, rows, **chosen)
    assert len(answer.context["lines"]) == len(rows)


def test_more_rows_take_no_more_statements(sue: Client, acme: Tenant) -> None:
    few = {url: queries(sue, url) for url in lists()}
    plant(acme, range(ROWS, ROWS + 15))
    assert {url: count for url in lists() if (count := queries(sue, url)) > few[url]} == {}
