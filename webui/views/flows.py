"""The pages on which a tenant admin opens flows, and, without scripts, sets their properties, saves and deploys."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from chatapi.flow_tests import gate
from identity.actors import Actor, actor_of
from identity.errors import ActionRefused, Invalid
from publishing import actions, deploy_plan, deploy_state
from publishing.errors import DoesNotCompile, FlowTestsFailed, StaleSave
from publishing.models import Flow
from webui import editor_data, flow_context, flow_saves
from webui.decorators import MemberRequest, admin_of, member_page
from webui.flow_context import Clash, Notice, own_flow
from webui.forms import FlowFileForm, NewFlowForm, PropertiesForm

PAGE_SIZE = 25
browsed = require_http_methods(["GET", "HEAD", "POST"])

NOT_DEPLOYED = "Nothing was deployed."
NOT_SAVED = Notice(NOT_DEPLOYED, "Deploy takes the saved flow, and what you typed below is not saved yet.")
REFUSED = Notice(
    NOT_DEPLOYED, "What is live stays as it is. Correct the fields that are marked, save, and deploy again."
)


@browsed
@member_page
def flows(request: MemberRequest) -> HttpResponse:
    """The tenant's flows, a page at a time."""
    search, tag = (request.GET.get(name, "").replace("\0", "").strip() for name in ("q", "tag"))
    tenant_id = request.user.tenant_id
    listed = deploy_state.list_flows(tenant_id, search, tag)
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = deploy_state.with_states(page)
    shown = {
        "page": page,
        "rows": rows,
        "search": search,
        "tag": tag,
        "tags": deploy_state.list_tags(tenant_id),
        "may_change": actor_of(request.user).manages(tenant_id),
    }
    return render(request, "flows/list.html", shown)


@browsed
@member_page
def new_flow(request: MemberRequest) -> HttpResponse:
    """A form for a new flow, which begins as the copy of a starter."""
    actor = admin_of(request)
    form = NewFlowForm(request.POST if request.method == "POST" else None, tenant_id=request.user.tenant_id)
    if not (form.is_bound and form.is_valid()):
        return render(request, "flows/new.html", {"form": form, "file_form": FlowFileForm()})
    given, starter = form.cleaned_data, form.chosen
    flow = actions.create_flow(
        tenant=request.user.tenant,
        name=given["name"],
        description=given["description"] or starter.explanation,
        content=starter.copy(request.user.tenant_id, provider=given["provider"], model=given["model"]),
        owner=request.user,
        actor=actor,
        at=timezone.now(),
    )
    messages.success(request, f"Created {flow.name}")
    return redirect("flow", flow.pk)


@browsed
@member_page
def flow(request: MemberRequest, flow_id: str) -> HttpResponse:
    """One flow on its canvas or, without scripts, drawn next to its properties; a POST of the form saves them."""
    shown = own_flow(request.user, flow_id)
    if request.method != "POST":
        return _page(request, shown)
    actor = admin_of(request)
    form = PropertiesForm(request.POST, flow=shown)
    if not form.is_valid():
        return _page(request, shown, form=form)
    try:
        said = flow_saves.save(shown, form.changes(), base=form.base, actor=actor, at=timezone.now())
    except StaleSave:
        return _clash(request, flow_id, form, "Nothing was saved")
    except Invalid as refusal:
        form.refuse(refusal)
        return _page(request, shown, form=form)
    messages.success(request, said)
    return redirect("flow", shown.pk)


@browsed
@member_page
def deploy(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Deploy what is saved, if it is what the page showed and nothing that was typed would be left out."""
    shown = own_flow(request.user, flow_id)
    if request.method != "POST":
        return redirect("flow", shown.pk)
    actor = admin_of(request)
    form = PropertiesForm(request.POST, flow=shown)
    form.full_clean()
    if form.base != flow_saves.current_base(shown):
        return _clash(request, flow_id, form, "Nothing was deployed")
    if form.edits:
        return _page(request, shown, form=form, notice=NOT_SAVED)
    if (question := _question(shown, actor)) and request.POST.get("agreed") != question.agreed:
        return _page(request, shown, notice=question)
    return _deployed(request, shown, form, actor)


def _deployed(request: MemberRequest, flow: Flow, form: PropertiesForm, actor: Actor) -> HttpResponse:
    """The page after a deploy of what the form shows, or with the reason why there was none."""
    try:
        gate.must_pass(flow, user_id=request.user.pk, key_id="")
        done = actions.deploy(flow, actor=actor, at=timezone.now(), expected=form.base.version)
    except FlowTestsFailed as refusal:
        return _page(request, flow, notice=_untested(refusal))
    except StaleSave:
        return _clash(request, flow.pk, form, "Nothing was deployed")
    except DoesNotCompile as refusal:
        return _page(request, flow, notice=_uncompiled(refusal))
    except Invalid as refusal:
        form.refuse(refusal)
        return _page(request, flow, form=form, notice=REFUSED)
    messages.success(request, done.message)
    return redirect("flow", flow.pk)


def _page(request: MemberRequest, flow: Flow, *, status: int = 200, **more: Any) -> HttpResponse:
    base_url = request.build_absolute_uri("/v1")
    context = flow_context.page_context(request.user, flow, base_url=base_url, **more)
    # A form that was sent is answered by the form; who has scripts and may read the flow is given the canvas, unless
    # it is not wanted.
    if request.method != "POST" and "plain" not in request.GET and context["may_read"]:
        context["editor_data"] = editor_data.page_data(request.user, flow, again=request.GET.get("again", ""))
        context["csrf_cookie"] = settings.CSRF_COOKIE_NAME
    return render(request, "flows/flow.html", context, status=status)


def _clash(request: MemberRequest, flow_id: str, form: PropertiesForm, refused: str) -> HttpResponse:
    """409: what was typed stays in the form, next to what somebody else saved."""
    flow = own_flow(request.user, flow_id)
    mine = form.on_newest(flow)
    clash = Clash(refused, flow_saves.last_save(flow), mine.differences())
    return _page(request, flow, status=409, form=mine, clash=clash)


def _question(flow: Flow, actor: Actor) -> Notice | None:
    """What must be asked before the saved version goes live: access that widens, memory that it would not read."""
    try:
        plan = deploy_plan.plan_deploy(flow, actor=actor, at=timezone.now())
    except ActionRefused:
        return None  # the deploy itself will say why
    if not plan.questions:
        return None
    return Notice("Nothing was deployed yet.", " ".join(plan.questions), agreed=plan.saved, changes=tuple(plan.changes))


def _untested(refusal: FlowTestsFailed) -> Notice:
    return Notice(NOT_DEPLOYED, str(refusal), tests=tuple(refusal.tests))


def _uncompiled(refusal: DoesNotCompile) -> Notice:
    count = len(refusal.problems)
    found = "1 error" if count == 1 else f"{count} errors"
    advice = f"The check of the saved flow found {found}. What is live stays as it is."
    return Notice(NOT_DEPLOYED, advice, is_about_findings=True)
