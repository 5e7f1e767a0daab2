"""The pages of the published models: what there is, who it is for, what is live, how it is called."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chatapi import activity
from identity.caller import actor_of
from publishing import offers, registry, samples
from publishing.members import MemberRequest, member_page
from publishing.models import CoreVersion
from publishing.offers import Offer

PAGE_SIZE = 25
VERSIONS_SHOWN = 20


@require_safe
@member_page
def models(request: MemberRequest) -> HttpResponse:
    """The tenant's publications, a page at a time; the figures are for its admins."""
    search = request.GET.get("q", "").replace("\0", "").strip()
    tenant_id = request.user.tenant_id
    may_change = actor_of(request.user).manages(tenant_id)
    page = Paginator(offers.published(tenant_id, search), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = offers.to(request.user, page)
    lately = activity.of((offer.publication.pk for offer in shown), at=timezone.now()) if may_change else {}
    return render(
        request,
        "models/list.html",
        {
            "page": page,
            "search": search,
            "may_change": may_change,
            "rows": [(offer, lately.get(offer.publication.pk)) for offer in shown],
            "waiting": offers.waiting(offers.published(tenant_id).values_list("pk", flat=True)) if may_change else [],
        },
    )


@require_safe
@member_page
def model(request: MemberRequest, core_id: str) -> HttpResponse:
    """One published model. Another tenant's is 404 like one that never existed."""
    publication = get_object_or_404(offers.published(request.user.tenant_id), pk=core_id)
    [offer] = offers.to(request.user, [publication])
    may_change = actor_of(request.user).manages(publication.tenant_id)
    live = publication.core.live
    context: dict[str, Any] = {
        "offer": offer,
        "publication": publication,
        "may_change": may_change,
        "has_memory": bool(live and live.instance_mode == "entity"),
        "samples": _samples(request, offer),
        **(_for_admins(offer) if may_change else {}),
    }
    return render(request, "models/model.html", context)


def _samples(request: MemberRequest, offer: Offer) -> list[samples.Sample]:
    live = offer.publication.core.live
    has_memory = bool(live and live.instance_mode == "entity")
    return samples.of(offer.publication.name, base_url=request.build_absolute_uri("/v1"), has_memory=has_memory)


def _for_admins(offer: Offer) -> dict[str, Any]:
    core_id = offer.publication.pk
    return {
        "audience": registry.audience(offer.publication).count(),
        "lately": activity.of([core_id], at=timezone.now())[core_id],
        "waiting": offers.waiting([core_id]),
        "versions": CoreVersion.objects.filter(core=core_id).defer("program", "manifest")[:VERSIONS_SHOWN],
    }
