"""`/api/v1/limits` and the price of a model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from identity.actors import actor_of
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions
from publishing.actions import LimitTerms
from publishing.models import Core, LimitCell, Price, UsageLimit
from tests.support.api_calls import Rest, error

LIMITS = "/api/v1/limits"
DAILY = {"measure": "tokens", "per": "day", "amount": 1000}


def created(caller: Rest, **fields: Any) -> Any:
    answer = caller.post(LIMITS, DAILY | fields)
    assert answer.status_code == 201, answer.content
    return json.loads(answer.content)


def test_a_limit_is_set_listed_with_what_is_used_changed_and_removed(as_root: Rest, echo: Core) -> None:
    made = created(as_root)
    assert (made["amount"], made["used"], made["percent"], made["each"]) == (1000, 0, 0, "")
    LimitCell.objects.create(limit_id=made["id"], subject="", level=780, at=timezone.now(), granted=0)
    [shown] = json.loads(as_root.get(LIMITS).content)["items"]
    assert (shown["used"], shown["percent"]) == (780, 78)
    changed = json.loads(as_root.put(f"{LIMITS}/{made['id']}", DAILY | {"amount": 1560}).content)
    assert (changed["amount"], changed["percent"]) == (1560, 50)
    assert as_root.delete(f"{LIMITS}/{made['id']}").status_code == 204
    assert error(as_root.delete(f"{LIMITS}/{made['id']}")) == (404, "not_found")
    actions_told = list(AuditEntry.objects.filter(action__startswith="limit.").values_list("action", flat=True))
    assert sorted(actions_told) == ["limit.created", "limit.deleted", "limit.saved"]


def test_what_was_used_does_not_count_on_when_a_limit_counts_in_another_way(as_root: Rest, acme: Tenant) -> None:
    made = created(as_root)
    LimitCell.objects.create(limit_id=made["id"], subject="", level=780, at=timezone.now(), granted=0)
    as_root.put(f"{LIMITS}/{made['id']}", DAILY | {"measure": "requests"})
    assert not LimitCell.objects.exists()


def test_where_it_counts_for_each_the_one_who_used_most_is_shown(as_root: Rest, ann: User, bo: User) -> None:
    made = created(as_root, each="user")
    for user, level in ((ann, 100), (bo, 400)):
        LimitCell.objects.create(limit_id=made["id"], subject=user.pk, level=level, at=timezone.now(), granted=0)
    [shown] = json.loads(as_root.get(LIMITS).content)["items"]
    assert shown["percent"] == 40


def test_a_limit_names_what_is_the_tenants_own(
    as_root: Rest, as_cy: Rest, echo: Core, ann: User, engineering: Group
) -> None:
    made = created(as_root, user=ann.pk, core=echo.pk)
    assert (made["user"], made["core"], made["group"]) == (ann.pk, echo.pk, None)
    assert created(as_root, group=engineering.scaikey_id, each="user")["group"] == engineering.scaikey_id
    for named in ({"user": ann.pk}, {"core": echo.pk}, {"group": engineering.scaikey_id}):
        assert error(as_cy.post(LIMITS, DAILY | named))[0] == 422
    assert error(as_cy.put(f"{LIMITS}/{made['id']}", DAILY)) == (404, "not_found")
    assert json.loads(as_cy.get(LIMITS).content)["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": -5},
        {"amount": "many"},
        {"amount": True},
        {"amount": 1e300},
        {"per": "hour"},
        {"measure": "words"},
        {"each": "tenant"},
        {"user": 5},
        {"user": "user_gone"},
        {"is_soft": "perhaps"},
    ],
    ids=str,
)
def test_what_is_no_limit_is_refused_and_nothing_changes(as_root: Rest, acme: Tenant, wrong: dict[str, Any]) -> None:
    assert as_root.post(LIMITS, DAILY | wrong).status_code in (400, 422)
    assert not UsageLimit.objects.exists()


def test_one_of_user_key_and_group_is_named_at_most(as_root: Rest, ann: User, engineering: Group) -> None:
    assert error(as_root.post(LIMITS, DAILY | {"user": ann.pk, "group": engineering.scaikey_id}))[0] == 422
    assert error(as_root.post(LIMITS, DAILY | {"user": ann.pk, "each": "user"}))[0] == 422
    assert not UsageLimit.objects.exists()


def test_members_neither_see_nor_set_limits(as_root: Rest, as_ann: Rest, echo: Core) -> None:
    made = created(as_root)
    assert error(as_ann.get(LIMITS))[0] == 403
    assert error(as_ann.post(LIMITS, DAILY))[0] == 403
    assert error(as_ann.delete(f"{LIMITS}/{made['id']}"))[0] == 403
    assert error(as_ann.put(f"/api/v1/cores/{echo.pk}/price", {"prompt": 1, "completion": 1}))[0] == 403
    assert UsageLimit.objects.count() == 1


def test_a_model_gets_a_price_and_loses_it(as_root: Rest, as_cy: Rest, echo: Core) -> None:
    url = f"/api/v1/cores/{echo.pk}/price"
    for prompt in (1.25, 2.5):
        assert json.loads(as_root.put(url, {"prompt": prompt, "completion": 10}).content)["prompt"] == prompt
    assert float(Price.objects.get().prompt) == 2.5
    assert error(as_cy.put(url, {"prompt": 1, "completion": 1}))[0] == 404
    assert error(as_root.put(url, {"prompt": -1, "completion": 1}))[0] in (400, 422)
    as_root.put(url, {"prompt": 0, "completion": 0})
    assert not Price.objects.exists()


def test_a_tenant_has_so_many_limits_and_no_more(acme: Tenant, root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publishing.actions.limits.MOST_LIMITS", 1)
    terms = LimitTerms(measure="requests", per="day", amount=1)  # type: ignore[arg-type]
    actions.create_limit(tenant=acme, terms=terms, actor=actor_of(root), at=timezone.now())
    with pytest.raises(Exception, match="too many limits"):
        actions.create_limit(tenant=acme, terms=terms, actor=actor_of(root), at=timezone.now())
