"""Who can call this, and why: the effective audience with the path to each user, and the answer for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from identity.models import Group, LiveKey, User
from publishing import group_paths, registry
from publishing.models import Publication, Refusal, Visibility
from webui import offered_models
from webui.decorators import MemberRequest, admin_of, member_page

PAGE_SIZE = 50
MOST_SUGGESTED = 200
RECENTLY = timedelta(days=7)
MOST_REFUSED = 20
UNKNOWN = "Nobody of this tenant has this address. Users of other tenants get 404."


@dataclass(frozen=True)
class AccessAnswer:
    """Whether one user may call, and why. `path` leads from a listed group to the user's own."""

    email: str
    user: User | None
    may_call: bool
    why: str
    path: list[Group]
    has_key: bool = False


@require_safe
@member_page
def who_can_call(request: MemberRequest, core_id: str) -> HttpResponse:
    """The audience of one publication, for the tenant's admins: its groups are not shown to others."""
    admin_of(request)
    publication = get_object_or_404(offered_models.published(request.user.tenant_id), pk=core_id)
    [offered] = offered_models.models_for(request.user, [publication])
    search, asked = _typed(request, "q"), _typed(request, "user")
    audience = registry.audience(publication)
    page = Paginator(_searched(audience, search), PAGE_SIZE).get_page(request.GET.get("page"))
    found = group_paths.paths_to(publication, page)
    return render(
        request,
        "models/access.html",
        {
            "publication": publication,
            "model": offered,
            "may_change": True,
            "is_open": publication.visibility == Visibility.TENANT,
            "total": audience.count(),
            "page": page,
            "rows": [(user, found.get(user.pk, [])) for user in page],
            "search": search,
            "asked": asked,
            "answer": explain_access(publication, asked) if asked else None,
            "refused": recent_refusals(publication, at=timezone.now()),
            "suggested": User.objects.filter(tenant=publication.tenant_id)[:MOST_SUGGESTED],
        },
    )


def explain_access(publication: Publication, email: str) -> AccessAnswer:
    """The decision about the user with this e-mail address (or id) of the publication's tenant, and its reason."""
    mine = User.objects.filter(tenant=publication.tenant_id)
    user = mine.filter(Q(email=email.lower()) | Q(pk=email)).first()
    if user is None:
        return AccessAnswer(email, None, False, UNKNOWN, [])
    access = registry.access(user, publication.core)
    may_call = bool(access and access.may_call)
    path = group_paths.paths_to(publication, [user]).get(user.pk, [])
    why = _why(publication, user, may_call=may_call)
    return AccessAnswer(user.email, user, may_call, why, path, _live_keys(user, publication.name).exists())


def recent_refusals(publication: Publication, *, at: datetime) -> list[Refusal]:
    """Who was refused lately and still may not call, the last first."""
    lately = Refusal.objects.filter(core=publication.pk, last_at__gt=at - RECENTLY, user__is_active=True)
    still = lately.exclude(user__in=registry.audience(publication)).order_by("-last_at", "pk")
    return list(still.select_related("user")[:MOST_REFUSED])


def _live_keys(user: User, name: str) -> QuerySet[LiveKey]:
    """The keys with which the user may call the model `name` now."""
    return LiveKey.objects.filter(Q(models__isnull=True) | Q(models__contains=[name]), user=user)


def _why(publication: Publication, user: User, *, may_call: bool) -> str:
    if not user.is_active:
        return "The account is switched off: all of its keys answer 401."
    if publication.visibility == Visibility.TENANT:
        return "It is open to everyone in the tenant."
    if may_call:
        return "A member of a listed group, directly or through nested ones."
    listed = ", ".join(publication.group_ids)
    if not listed:
        return "It is open to groups only, and none of them exists any more. A call answers 403."
    return f"In none of the groups it is open to ({listed}), directly or through nested ones. A call answers 403."


def _typed(request: MemberRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()


def _searched(users: QuerySet[User], search: str) -> QuerySet[User]:
    found = users.filter(Q(email__icontains=search) | Q(name__icontains=search)) if search else users
    return found.order_by("email")
