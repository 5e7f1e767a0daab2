"""The pages on which a tenant admin opens flows, sets their properties, saves and deploys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

import scaicore
from identity.actors import Actor, actor_of
from identity.errors import ActionRefused, Invalid
from publishing import actions, deploy_plan, deploy_state
from publishing.actions.base import locked_flow
from publishing.deploy_plan import DeployPlan
from publishing.errors import DoesNotCompile, StaleSave
from publishing.models import Flow
from webui import flow_context
from webui.decorators import MemberRequest, admin_of, member_page
from webui.flow_context import Notice
from webui.forms import NewFlowForm, PropertiesForm, saved_values
from webui.views import flow_editor

PAGE_SIZE = 25
browsed = require_http_methods(["GET", "HEAD", "POST"])

NOT_SAVED = Notice("Nothing was deployed.", "Deploy takes the saved flow, and what you typed below is not saved yet.")
OUTDATED = Notice("Nothing was deployed.", "Somebody saved meanwhile. Below is what is saved now: look, then deploy.")
REFUSED = Notice("Nothing was deployed.", "What is live stays as it is. Mend what is marked, save, and deploy again.")


@browsed
@member_page
def flows(request: MemberRequest) -> HttpResponse:
    """The tenant's flows, a page at a time."""
    search = request.GET.get("q", "").replace("\0", "").strip()
    listed = deploy_state.listed(request.user.tenant_id, search)
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = deploy_state.with_states(page)
    may_change = actor_of(request.user).manages(request.user.tenant_id)
    return render(request, "flows/list.html", {"page": page, "rows": rows, "search": search, "may_change": may_change})


@browsed
@member_page
def new_flow(request: MemberRequest) -> HttpResponse:
    """A form for a new flow, which starts as one that answers every message with the message itself."""
    actor = admin_of(request)
    form = NewFlowForm(request.POST if request.method == "POST" else None)
    if not (form.is_bound and form.is_valid()):
        return render(request, "flows/new.html", {"form": form})
    name, description = form.cleaned_data["name"], form.cleaned_data["description"]
    flow = actions.create_flow(
        tenant=request.user.tenant,
        name=name,
        description=description,
        content=scaicore.new_document(name),
        owner=request.user,
        actor=actor,
        at=timezone.now(),
    )
    messages.success(request, f"Created {flow.name}")
    return redirect("flow", flow.pk)


@browsed
@member_page
def flow(request: MemberRequest, flow_id: str) -> HttpResponse:
    """One flow: drawn, with its properties; a POST saves them."""
    shown = _own_flow(request, flow_id)
    if request.method != "POST":
        return _page(request, shown)
    actor = admin_of(request)
    form = PropertiesForm(request.POST, tenant=shown.tenant)
    if not form.is_valid():
        return _page(request, shown, form)
    try:
        said = _save(shown, form, over=request.POST.get("over", ""), actor=actor)
    except StaleSave:
        return _clash(request, form, flow_id)
    except Invalid as refusal:
        form.refuse(refusal)
        return _page(request, shown, form)
    messages.success(request, said)
    return redirect("flow", shown.pk)


@browsed
@member_page
def deploy(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Deploy what is saved, if it is what the page showed and nothing typed would be lost."""
    shown = _own_flow(request, flow_id)
    if request.method != "POST":
        return redirect("flow", shown.pk)
    actor = admin_of(request)
    form = PropertiesForm(request.POST, tenant=shown.tenant)
    form.full_clean()
    if form.edits:
        return _page(request, shown, form, notice=NOT_SAVED)
    if (question := _question(shown, actor)) and request.POST.get("agreed") != question.agreed:
        return _page(request, shown, notice=question)
    try:
        done = actions.deploy(shown, actor=actor, at=timezone.now(), expected=request.POST.get("base_version", ""))
    except StaleSave:
        return _page(request, shown, notice=OUTDATED)
    except DoesNotCompile as refusal:
        return _page(request, shown, notice=_uncompiled(refusal))
    except Invalid as refusal:
        form.refuse(refusal)
        return _page(request, shown, form, notice=REFUSED)
    messages.success(request, done.message)
    return redirect("flow", shown.pk)


def _own_flow(request: MemberRequest, flow_id: str) -> Flow:
    """The flow of the user's own tenant; another's is 404 like one that never existed."""
    mine = Flow.objects.select_related("tenant", "core__live", "core__publication")
    return get_object_or_404(mine, pk=flow_id, tenant=request.user.tenant_id)


def _page(request: MemberRequest, flow: Flow, form: PropertiesForm | None = None, **more: Any) -> HttpResponse:
    base_url = request.build_absolute_uri("/v1")
    chosen = request.GET.get("node", "")
    context = flow_context.context(request.user, flow, form, base_url=base_url, chosen=chosen, **more)
    # A form that was sent is answered by the form; whoever has scripts is given the canvas, unless it is not wanted.
    is_plain = request.method == "POST" or "plain" in request.GET
    if request.method == "GET" and is_plain and context["form"] and context["is_due"]:
        plan = _planned(flow, actor_of(request.user))
        context["changes"] = plan.changes if plan else ()
    context["editor_data"] = None if is_plain else flow_editor.page_data(request.user, flow, context["saved"])
    return render(request, "flows/flow.html", context)


def _question(flow: Flow, actor: Actor) -> Notice | None:
    """What must be asked before the saved version goes live: access that widens, memory that it would not read."""
    plan = _planned(flow, actor)
    if plan is None or not plan.questions:
        return None
    return Notice("Nothing was deployed yet.", " ".join(plan.questions), agreed=plan.saved, changes=tuple(plan.changes))


def _planned(flow: Flow, actor: Actor) -> DeployPlan | None:
    """What a deploy would change; None when it would be refused, which the deploy itself will tell."""
    try:
        return deploy_plan.plan_deploy(flow, actor=actor, at=timezone.now())
    except ActionRefused:
        return None


def _uncompiled(refusal: DoesNotCompile) -> Notice:
    count = len(refusal.problems)
    found = "1 error" if count == 1 else f"{count} errors"
    advice = f"The check of the saved flow found {found}. What is live stays as it is."
    return Notice("Nothing was deployed.", advice, is_about_findings=True)


@transaction.atomic
def _save(flow: Flow, form: PropertiesForm, *, over: str, actor: Actor) -> str:
    """Store what the form changed and say so; `over` is the newer version that this person chose to save over.

    Name and description alone make no new version.
    """
    flow = locked_flow(flow)
    saved = flow.saved
    base_version = over or form.cleaned_data["base_version"]
    # A rename moves no version on, so the action cannot see that two people did it; the form can.
    renamed = [name for name in ("name", "description") if name in form.edits]
    if not all(form.was_shown(name, getattr(flow, name)) for name in renamed):
        raise StaleSave(current=saved.version, based_on=base_version)
    changes: dict[str, Any] = {name: form.cleaned_data[name] for name in renamed}
    if properties := form.content_changes():
        changes["content"] = scaicore.with_properties(saved.content, **properties)
    if not changes:
        return "Nothing has changed"
    actions.save_flow(flow, base_version=base_version, actor=actor, at=timezone.now(), **changes)
    return f"Saved version {flow.saved.version}" if "content" in changes else "Saved"


def _clash(request: MemberRequest, form: PropertiesForm, flow_id: str) -> HttpResponse:
    """Both sides: what was typed stays in the form, and the page tells what somebody else saved."""
    flow = _own_flow(request, flow_id)
    saved = flow.saved
    rebased = form.rebased(saved_values(flow, saved))
    if not rebased.edits:
        messages.info(request, "Somebody else saved the same meanwhile")
        return redirect("flow", flow.pk)
    return _page(request, flow, rebased, clash=flow_context.clash(flow, saved, rebased))
