"""What is done on a model's page: un-publish, roll back, ask for access, grant or decline it. Each asks before."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from identity.caller import actor_of
from identity.errors import ActionRefused, NotAllowed, NotFound
from publishing import actions, offers, registry
from publishing.members import MemberRequest, admin_of, member_page
from publishing.models import AccessRequest, Core, CoreVersion, Publication

asked_first = require_http_methods(["GET", "HEAD", "POST"])


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
    version = get_object_or_404(CoreVersion.objects.defer("program", "manifest"), core=core_id, number=number)
    if request.method != "POST":
        return render(request, "models/roll_back.html", {"publication": publication, "version": version})
    return _done(
        request, core_id, f"Version {number} of {publication.name} is live",
        lambda: actions.rollback(publication.core, version=number, actor=actor, at=timezone.now()),
    )  # fmt: skip


@require_POST
@member_page
def ask(request: MemberRequest, core_id: str) -> HttpResponse:
    """Ask the tenant's admins for access."""
    core = get_object_or_404(Core, pk=core_id, tenant=request.user.tenant_id)
    actor, message = actor_of(request.user), request.POST.get("message", "")
    return _done(
        request, core_id, "Asked: a tenant admin will see it on this page",
        lambda: actions.ask_access(core, user=request.user, message=message, actor=actor, at=timezone.now()),
    )  # fmt: skip


@require_POST
@member_page
def answer(request: MemberRequest, core_id: str, asked_id: int) -> HttpResponse:
    """Grant a request by one of the model's groups, or decline it when no group is named."""
    actor = admin_of(request)
    asked = get_object_or_404(
        AccessRequest.objects.select_related("user"), pk=asked_id, core=core_id, tenant=request.user.tenant_id
    )
    group_id = request.POST.get("group", "")
    if not request.POST.get("grant"):
        said = f"Declined the request of {asked.user.email}"
        return _done(request, core_id, said, lambda: actions.decline_access(asked, actor=actor, at=timezone.now()))
    return _done(
        request, core_id, f"{asked.user.email} is now in {group_id} and may call this model",
        lambda: actions.grant_access(asked, group_id=group_id, actor=actor, at=timezone.now()),
    )  # fmt: skip


def _own(request: MemberRequest, core_id: str) -> Publication:
    return get_object_or_404(offers.published(request.user.tenant_id), pk=core_id)


def _done(request: MemberRequest, core_id: str, said: str, act: Callable[[], object]) -> HttpResponse:
    """Do it, and say so, or say why not."""
    try:
        act()
    except (NotAllowed, NotFound):
        raise
    except ActionRefused as refusal:
        messages.error(request, f"{refusal} Nothing was changed.")
    else:
        messages.success(request, said)
    return redirect("model", core_id)
