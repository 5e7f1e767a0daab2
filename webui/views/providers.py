"""The tenant's model providers: listed with who uses each, added, changed, tried, and removed once nobody uses them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from identity.actors import actor_of
from identity.errors import Conflict, Invalid
from publishing import actions, providers
from publishing.models import ModelProvider, references
from webui.decorators import MemberRequest, admin_of, member_page
from webui.provider_forms import ProviderForm, TrialForm
from webui.used_by import cores_by_name

PAGE_SIZE = 50
browsed = require_http_methods(["GET", "HEAD", "POST"])


@browsed
@member_page
def provider_list(request: MemberRequest) -> HttpResponse:
    """The providers by name; a POST adds one."""
    if request.method != "POST":
        return _listed(request, ProviderForm())
    actor, form = admin_of(request), ProviderForm(request.POST)
    if not form.is_valid():
        return _listed(request, form)
    try:
        made = actions.create_provider(
            tenant=request.user.tenant,
            ref=form.cleaned_data["ref"],
            base_url=form.cleaned_data["base_url"],
            api_key=form.cleaned_data["api_key"],
            timeout_s=form.cleaned_data["timeout_s"],
            options=form.options,
            actor=actor,
            at=timezone.now(),
        )
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _listed(request, form)
    messages.success(request, f"Added {made.ref}. Test it now, so that no flow finds out first.")
    return redirect("provider", made.ref)


@browsed
@member_page
def provider(request: MemberRequest, ref: str) -> HttpResponse:
    """One provider; a POST changes it."""
    shown = _own(request, ref)
    if request.method != "POST":
        return _page(request, shown)
    actor, form = admin_of(request), ProviderForm(request.POST, provider=shown)
    if not form.is_valid():
        return _page(request, shown, form=form)
    try:
        actions.save_provider(
            shown,
            base_url=form.cleaned_data["base_url"],
            api_key=form.key,
            timeout_s=form.cleaned_data["timeout_s"],
            options=form.options,
            actor=actor,
            at=timezone.now(),
        )
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _page(request, shown, form=form)
    messages.success(request, f"Saved {ref}. Flows use it so from the next call.")
    return redirect("provider", ref)


@browsed
@member_page
def try_provider(request: MemberRequest, ref: str) -> HttpResponse:
    """Call the provider and show what came of it; nothing of it is kept, so a reload leads back to the provider."""
    shown = _own(request, ref)
    if request.method != "POST":
        return redirect("provider", ref)
    actor, asked = admin_of(request), TrialForm(request.POST)
    if not asked.is_valid():
        return _page(request, shown, asked=asked)
    try:
        trial = actions.test_provider(shown, model=asked.cleaned_data["model"].strip(), actor=actor)
    except Invalid as refusal:
        messages.error(request, f"{refusal} {refusal.problems[0].message}")
        return redirect("provider", ref)
    return _page(request, shown, asked=asked, trial=trial)


@browsed
@member_page
def delete_provider(request: MemberRequest, ref: str) -> HttpResponse:
    """Remove a provider, once an admin has seen who uses it."""
    shown, actor = _own(request, ref), admin_of(request)
    if request.method != "POST":
        return render(request, "providers/delete.html", _facts(request, shown))
    try:
        actions.delete_provider(shown, actor=actor, at=timezone.now())
    except Conflict as refusal:
        messages.error(request, f"{refusal} Nothing was removed.")
        return redirect("provider", ref)
    messages.success(request, f"Removed {ref}")
    return redirect("providers")


def _listed(request: MemberRequest, form: ProviderForm) -> HttpResponse:
    tenant_id = request.user.tenant_id
    own = ModelProvider.objects.filter(tenant=tenant_id).order_by("ref")
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    users = cores_by_name(references.PROVIDERS, tenant_id)
    shown = {
        "page": page,
        "rows": [(one, users.get(one.ref, [])) for one in page],
        "operators": [(ref, users.get(ref, [])) for ref in sorted(providers.operators())],
        "form": form,
        "manages": actor_of(request.user).manages(tenant_id),
    }
    return render(request, "providers/list.html", shown)


def _page(request: MemberRequest, shown: ModelProvider, **more: Any) -> HttpResponse:
    facts = _facts(request, shown)
    forms = {"form": ProviderForm(provider=shown), "asked": TrialForm()} if facts["manages"] else {}
    return render(request, "providers/provider.html", facts | forms | more)


def _facts(request: MemberRequest, shown: ModelProvider) -> dict[str, Any]:
    users = cores_by_name(references.PROVIDERS, shown.tenant_id).get(shown.ref, [])
    return {
        "provider": shown,
        "users": users,
        "has_other": shown.ref in providers.operators(),
        "manages": actor_of(request.user).manages(shown.tenant_id),
    }


def _own(request: MemberRequest, ref: str) -> ModelProvider:
    return get_object_or_404(ModelProvider, tenant=request.user.tenant_id, ref=ref)
