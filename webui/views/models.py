"""The pages of the published models, where one un-publishes, rolls back, asks for access and answers requests.

Whatever takes something away asks first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatapi import activity
from identity.actors import actor_of
from identity.errors import ActionRefused, NotAllowed, NotFound
from publishing import actions, deploy_state, registry
from publishing.disagreements import find_disagreement
from publishing.limits.standing import standings_of
from publishing.models import AccessRequest, Core, CoreVersion, Price, Publication
from webui import offered_models, snippets
from webui.decorators import MemberRequest, admin_of, member_page
from webui.offered_models import ModelForUser

PAGE_SIZE = 25
VERSIONS_SHOWN = 20
asked_first = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@member_page
def models(request: MemberRequest) -> HttpResponse:
    """The tenant's publications, all or those that the user may call, a page at a time; the figures are for admins."""
    search, tag = (request.GET.get(name, "").replace("\0", "").strip() for name in ("q", "tag"))
    tenant_id, is_mine = request.user.tenant_id, "mine" in request.GET
    may_change = actor_of(request.user).manages(tenant_id)
    everything = offered_models.published(tenant_id)
    found = offered_models.published(tenant_id, search, tag)
    listed = offered_models.callable_by(request.user, found) if is_mine else found
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = offered_models.models_for(request.user, page)
    lately = activity.count_activity((one.publication.pk for one in shown), at=timezone.now()) if may_change else {}
    return render(
        request,
        "models/list.html",
        {
            "page": page,
            "search": search,
            "tag": tag,
            "tags": offered_models.tags_of(everything),
            "is_mine": is_mine,
            "may_change": may_change,
            "rows": [(one, lately.get(one.publication.pk)) for one in shown],
            "waiting": offered_models.waiting(everything.values_list("pk", flat=True)) if may_change else [],
        },
    )


@require_safe
@member_page
def model(request: MemberRequest, core_id: str) -> HttpResponse:
    """One published model. Another tenant's is 404 like one that never existed."""
    publication = _own(request, core_id)
    [offered] = offered_models.models_for(request.user, [publication])
    may_change = actor_of(request.user).manages(publication.tenant_id)
    context: dict[str, Any] = {
        "model": offered,
        "publication": publication,
        "may_change": may_change,
        "limits": standings_of(request.user, publication.pk) if offered.may_call else [],
        "price": Price.objects.filter(core=publication.pk).first(),
        "capabilities": offered_models.capabilities(publication),
        "samples": snippets.make_snippets(publication, base_url=request.build_absolute_uri("/v1")),
        **(_for_admins(offered) if may_change else {}),
    }
    return render(request, "models/model.html", context)


@asked_first
@member_page
def unpublish(request: MemberRequest, core_id: str) -> HttpResponse:
    """End a publication, once the admin has seen what that means."""
    actor = admin_of(request)
    publication = _own(request, core_id)
    if request.method != "POST":
        audience = registry.audience(publication).count()
        return render(request, "models/unpublish.html", {"publication": publication, "audience": audience})
    name = actions.unpublish(publication.core, actor=actor, at=timezone.now())
    messages.success(request, f"Unpublished {name}" if name else "It was not published any more")
    return redirect("models")


@asked_first
@member_page
def roll_back(request: MemberRequest, core_id: str, number: int) -> HttpResponse:
    """Make another version of the Core live, once the admin has seen which."""
    actor = admin_of(request)
    publication = _own(request, core_id)
    version = get_object_or_404(CoreVersion.objects.defer("manifest"), core=core_id, number=number)
    lost = deploy_state.count_forgotten(publication.core, deploy_state.layout_of(version))
    # What was shown is what was agreed to: with more memories than that at stake it is asked again.
    if request.method != "POST" or str(lost) != request.POST.get("lost", "0"):
        shown = {"publication": publication, "version": version, "lost": lost}
        return render(request, "models/roll_back.html", shown, status=409 if request.method == "POST" else 200)
    return _done(
        request,
        core_id,
        f"Version {number} of {publication.name} is live",
        lambda: actions.rollback(publication.core, version=number, actor=actor, at=timezone.now()),
    )


@require_POST
@member_page
def ask(request: MemberRequest, core_id: str) -> HttpResponse:
    """Ask the tenant's admins for access."""
    core = get_object_or_404(Core, pk=core_id, tenant=request.user.tenant_id)
    actor, message = actor_of(request.user), request.POST.get("message", "")
    return _done(
        request,
        core_id,
        "Asked: a tenant admin will see it on this page",
        lambda: actions.ask_access(core, user=request.user, message=message, actor=actor, at=timezone.now()),
    )


@require_POST
@member_page
def answer(request: MemberRequest, core_id: str, asked_id: int) -> HttpResponse:
    """Grant a request by adding the user to one of the model's groups, or decline it."""
    actor = admin_of(request)
    asked = get_object_or_404(
        AccessRequest.objects.select_related("user"), pk=asked_id, core=core_id, tenant=request.user.tenant_id
    )
    group_id = request.POST.get("group", "")
    if not request.POST.get("grant"):
        said = f"Declined the request of {asked.user.email}"
        return _done(request, core_id, said, lambda: actions.decline_access(asked, actor=actor, at=timezone.now()))
    return _done(
        request,
        core_id,
        f"{asked.user.email} is now in {group_id} and may call this model",
        lambda: actions.grant_access(asked, group_id=group_id, actor=actor, at=timezone.now()),
    )


def _for_admins(offered: ModelForUser) -> dict[str, Any]:
    core_id, flow = offered.publication.pk, offered.publication.core.flow
    return {
        "disagreement": find_disagreement(offered.publication.core, flow.saved.content) if flow else None,
        "audience": registry.audience(offered.publication).count(),
        "lately": activity.count_activity([core_id], at=timezone.now())[core_id],
        "waiting": offered_models.waiting([core_id]),
        "granted": offered_models.granted_lately(core_id, at=timezone.now()),
        "versions": CoreVersion.objects.filter(core=core_id).defer("program", "manifest")[:VERSIONS_SHOWN],
    }


def _own(request: MemberRequest, core_id: str) -> Publication:
    return get_object_or_404(offered_models.published(request.user.tenant_id), pk=core_id)


def _done(request: MemberRequest, core_id: str, said: str, act: Callable[[], object]) -> HttpResponse:
    """Do it and say so, or say why it was not done."""
    try:
        act()
    except (NotAllowed, NotFound):
        raise
    except ActionRefused as refusal:
        messages.error(request, f"{refusal} Nothing was changed.")
    else:
        messages.success(request, said)
    return redirect("model", core_id)
