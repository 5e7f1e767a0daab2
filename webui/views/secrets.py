"""The tenant's secrets: their names with who uses each, added, given another value, removed once nobody uses them."""

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
from publishing import actions
from publishing.models import Secret, references
from webui.decorators import MemberRequest, admin_of, member_page
from webui.provider_forms import SecretForm
from webui.used_by import cores_by_name

PAGE_SIZE = 50
browsed = require_http_methods(["GET", "HEAD", "POST"])


@browsed
@member_page
def secret_list(request: MemberRequest) -> HttpResponse:
    """The secrets by name; a POST adds one."""
    if request.method != "POST":
        return _listed(request, SecretForm())
    actor, form = admin_of(request), SecretForm(request.POST)
    if not form.is_valid():
        return _listed(request, form)
    name, value = form.cleaned_data["name"], form.cleaned_data["value"]
    try:
        actions.create_secret(tenant=request.user.tenant, name=name, value=value, actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _listed(request, form)
    messages.success(request, f"Added {name}. Flows name it in their secret fields.")
    return redirect("secrets")


@browsed
@member_page
def secret(request: MemberRequest, name: str) -> HttpResponse:
    """One secret; a POST gives it another value."""
    shown = _own(request, name)
    if request.method != "POST":
        return _page(request, shown)
    actor, form = admin_of(request), SecretForm(request.POST, has_name=False)
    if not form.is_valid():
        return _page(request, shown, form=form)
    try:
        actions.save_secret(shown, value=form.cleaned_data["value"], actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _page(request, shown, form=form)
    messages.success(request, f"{name} has the new value. Flows use it from the next call.")
    return redirect("secrets")


@browsed
@member_page
def delete_secret(request: MemberRequest, name: str) -> HttpResponse:
    """Remove a secret, once an admin has seen who uses it."""
    shown, actor = _own(request, name), admin_of(request)
    if request.method != "POST":
        return render(request, "secrets/delete.html", _facts(request, shown))
    try:
        actions.delete_secret(shown, actor=actor, at=timezone.now())
    except Conflict as refusal:
        messages.error(request, f"{refusal} Nothing was removed.")
        return redirect("secret", name)
    messages.success(request, f"Removed {name}")
    return redirect("secrets")


def _listed(request: MemberRequest, form: SecretForm) -> HttpResponse:
    tenant_id = request.user.tenant_id
    # No page reads what is sealed.
    own = Secret.objects.filter(tenant=tenant_id).order_by("name").defer("sealed")
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    users = cores_by_name(references.SECRETS, tenant_id)
    shown = {
        "page": page,
        "rows": [(one, users.get(one.name, [])) for one in page],
        "form": form,
        "manages": actor_of(request.user).manages(tenant_id),
    }
    return render(request, "secrets/list.html", shown)


def _page(request: MemberRequest, shown: Secret, form: SecretForm | None = None) -> HttpResponse:
    return render(
        request, "secrets/secret.html", {**_facts(request, shown), "form": form or SecretForm(has_name=False)}
    )


def _facts(request: MemberRequest, shown: Secret) -> dict[str, Any]:
    users = cores_by_name(references.SECRETS, shown.tenant_id).get(shown.name, [])
    return {"secret": shown, "users": users, "manages": actor_of(request.user).manages(shown.tenant_id)}


def _own(request: MemberRequest, name: str) -> Secret:
    return get_object_or_404(Secret.objects.defer("sealed"), tenant=request.user.tenant_id, name=name)
