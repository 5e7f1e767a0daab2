"""The tenant's limits: each with how much of it is used, added, changed, removed. For its admins alone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from identity.errors import Conflict, Invalid
from publishing import actions
from publishing.limits.standing import Standing, standings
from publishing.models import Core, Each, Measure, Price, Publication, UsageLimit
from webui.decorators import MemberRequest, admin_of, member_page
from webui.limit_forms import LimitForm, PriceForm

MODELS_SUGGESTED = 200
browsed = require_http_methods(["GET", "HEAD", "POST"])


@browsed
@member_page
def limit_list(request: MemberRequest) -> HttpResponse:
    """The limits; a POST adds one."""
    actor, tenant = admin_of(request), request.user.tenant
    if request.method != "POST":
        return _listed(request, LimitForm(tenant=tenant))
    form = LimitForm(request.POST, tenant=tenant)
    if not form.is_valid():
        return _listed(request, form)
    try:
        limit = actions.create_limit(tenant=tenant, terms=form.terms(), actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _listed(request, form)
    messages.success(request, f"Added the limit of {limit}. It counts from the next call.")
    return redirect("limits")


@browsed
@member_page
def limit(request: MemberRequest, limit_id: str) -> HttpResponse:
    """One limit; a POST changes how much it gives."""
    actor, shown = admin_of(request), _own(request, limit_id)
    if request.method != "POST":
        return _page(request, shown, LimitForm.of(shown))
    form = LimitForm(request.POST, tenant=shown.tenant, limit=shown)
    if not form.is_valid():
        return _page(request, shown, form)
    try:
        saved = actions.save_limit(shown, terms=form.terms(), actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _page(request, shown, form)
    messages.success(request, f"The limit is {saved} now, from the next call.")
    return redirect("limits")


@browsed
@member_page
def delete_limit(request: MemberRequest, limit_id: str) -> HttpResponse:
    """Remove a limit, once an admin has seen which."""
    actor, shown = admin_of(request), _own(request, limit_id)
    if request.method != "POST":
        return render(request, "limits/delete.html", {"row": _row(*standings([shown]))})
    actions.delete_limit(shown, actor=actor, at=timezone.now())
    messages.success(request, f"Removed the limit of {shown}")
    return redirect("limits")


@browsed
@member_page
def price(request: MemberRequest, core_id: str) -> HttpResponse:
    """What a million tokens of a model cost; a POST sets it."""
    actor = admin_of(request)
    core = get_object_or_404(
        Core.objects.select_related("publication", "price"), pk=core_id, tenant=request.user.tenant_id
    )
    found = getattr(core, "price", None)
    form = PriceForm(request.POST) if request.method == "POST" else PriceForm.of(found)
    if request.method != "POST" or not form.is_valid():
        return render(request, "limits/price.html", {"core": core, "price": found, "form": form})
    try:
        made = actions.set_price(core, **form.cleaned_data, actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return render(request, "limits/price.html", {"core": core, "price": found, "form": form})
    messages.success(
        request, f"{core.name} costs {made}, from the next call." if made else f"{core.name} has no price."
    )
    return redirect("model", core.pk)


def _listed(request: MemberRequest, form: LimitForm) -> HttpResponse:
    tenant = request.user.tenant
    own = UsageLimit.objects.filter(tenant=tenant).select_related("user", "key", "group", "core__publication")
    names = Publication.objects.filter(tenant=tenant).order_by("name").values_list("name", flat=True)
    shown = {"rows": [_row(one) for one in standings(own)], "form": form, "models": names[:MODELS_SUGGESTED]}
    return render(request, "limits/list.html", shown)


def _page(request: MemberRequest, shown: UsageLimit, form: LimitForm) -> HttpResponse:
    return render(request, "limits/limit.html", {"row": _row(*standings([shown])), "form": form})


def _row(standing: Standing) -> dict[str, Any]:
    return {
        "limit": standing.limit,
        "whose": _whose(standing.limit),
        "standing": standing,
        "is_idle": _counts_nothing(standing.limit),
    }


def _counts_nothing(limit: UsageLimit) -> bool:
    """Whether a limit of money is about models of which none has a price."""
    if limit.measure != Measure.MONEY:
        return False
    priced = Price.objects.filter(tenant=limit.tenant_id)
    return not (priced.filter(core=limit.core_id) if limit.core_id else priced).exists()


def _whose(limit: UsageLimit) -> str:
    """Whose calls a limit is about, in words."""
    each = {Each.USER: "each user", Each.KEY: "each API key"}.get(Each(limit.each), "")
    if limit.user is not None:
        return f"{limit.user.email}, {each}" if each else limit.user.email
    if limit.key is not None:
        return f"API key {limit.key.name} ({limit.key.pk})"
    if limit.group is not None:
        return f"{each} in {limit.group.scaikey_id}" if each else f"group {limit.group.scaikey_id}"
    return each or "the whole tenant"


def _own(request: MemberRequest, limit_id: str) -> UsageLimit:
    rows = UsageLimit.objects.select_related("user", "key", "group", "core__publication", "tenant")
    return get_object_or_404(rows, tenant=request.user.tenant_id, pk=limit_id)
