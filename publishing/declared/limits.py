"""The limits of a tenant: one for each of what they count, by whom and of which model."""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET

from identity.models import Group, Tenant, User
from publishing import actions
from publishing.actions import LimitTerms
from publishing.declared.base import ApplyRun, must_differ, refusal_at, refusals_at
from publishing.declared.schema import DeclaredLimit
from publishing.models import Core, UsageLimit

SAME = ("user", "group", "key", "core", "each", "measure", "per")


def apply_limits(run: ApplyRun, location: str, tenant: Tenant, declared: list[DeclaredLimit]) -> None:
    """Set every limit of the list, or change how much it gives. Limits that are not in it stay."""
    terms = [_terms(f"{location}[{number}]", tenant, limit) for number, limit in enumerate(declared)]
    must_differ(location, "measure", (f"{one.measure} a {one.per} of {_whose(one)}" for one in terms))
    for number, one in enumerate(terms):
        _apply_limit(run, f"{location}[{number}]", tenant, one)


def _apply_limit(run: ApplyRun, location: str, tenant: Tenant, terms: LimitTerms) -> None:
    same = {name: getattr(terms, name) for name in SAME}
    limit = UsageLimit.objects.filter(tenant=tenant, **same).order_by("created_at").first()
    with refusals_at(location):
        if limit is None:
            made = actions.create_limit(tenant=tenant, terms=terms, actor=run.actor, at=run.at)
            run.added(f"limit {made} of {_whose(terms)}")
        elif (limit.amount, limit.is_soft) != (terms.amount, terms.is_soft):
            before = f"{limit}{', only warns' if limit.is_soft else ''}"
            saved = actions.save_limit(limit, terms=terms, actor=run.actor, at=run.at)
            after = f"{saved}{', only warns' if saved.is_soft else ''}"
            run.changed(f"limit of {_whose(terms)}", f"{before} → {after}")


def _terms(location: str, tenant: Tenant, declared: DeclaredLimit) -> LimitTerms:
    user = group = core = None
    if declared.user is not UNSET:
        user = User.objects.filter(tenant=tenant, email=declared.user.strip().lower()).first()
        _must_exist(user, f"{location}.user", f"user {declared.user}", tenant)
    if declared.group is not UNSET:
        group = Group.objects.filter(tenant=tenant, scaikey_id=declared.group).first()
        _must_exist(group, f"{location}.group", f"group {declared.group}", tenant)
    if declared.model is not UNSET:
        core = Core.objects.filter(tenant=tenant, slug=declared.model).first()
        _must_exist(core, f"{location}.model", f"Core {declared.model}", tenant)
    return LimitTerms(
        measure=declared.measure,
        per=declared.per,
        amount=round(Decimal(str(declared.amount)), 6),
        each="" if declared.each is UNSET else declared.each,
        is_soft=declared.soft,
        user=user,
        group=group,
        core=core,
    )


def _must_exist(found: object, location: str, what: str, tenant: Tenant) -> None:
    if found is None:
        raise refusal_at(location, f"The {what} does not exist in {tenant.pk}.")


def _whose(terms: LimitTerms) -> str:
    named = terms.user or terms.group or "the whole tenant"
    each = f", each {terms.each}" if terms.each else ""
    return f"{named}{each}{f' on {terms.core.slug}' if terms.core else ''}"
