"""The playground: a client of `/v1/chat/completions` in the browser, with a key of the user that lives for minutes.

Cookies never authenticate `/v1`. The session mints the key here, by a POST that carries the CSRF token.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Case, Q, When
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from identity import keys
from identity.actors import actor_of
from identity.models import User
from publishing import registry
from publishing.models import Access
from scaicore import KINDS
from webui.decorators import MemberRequest, member_page

ASKING = tuple(name for name, kind in KINDS.items() if kind.asks)


@dataclass(frozen=True)
class PlaygroundModel:
    """A model to try: whether a call of it needs an entity id, and of its live version whether it keeps run traces and
    may stop at a checkpoint."""

    name: str
    core_id: str
    flow_id: str | None
    has_memory: bool
    is_traced: bool
    asks: bool


@require_safe
@member_page
def playground(request: MemberRequest) -> HttpResponse:
    """The page; `?model=` chooses what to try."""
    wanted = request.GET.get("model", "")
    choices = _choices(request.user)
    is_offered = any(choice.name == wanted for choice in choices)
    return render(
        request,
        "playground/playground.html",
        {
            "choices": choices,
            "wanted": wanted,
            "refused": None if is_offered else _refused(request.user, wanted),
            "is_unknown": bool(wanted) and not is_offered,
            "base_url": request.build_absolute_uri("/v1"),
            "may_change": actor_of(request.user).manages(request.user.tenant_id),
        },
    )


@require_POST
@member_page
def key(request: MemberRequest) -> HttpResponse:
    """A fresh key for this browser; the one before it ends."""
    made, secret = keys.mint_for_playground(user=request.user, actor=actor_of(request.user), at=timezone.now())
    return JsonResponse({"key": secret, "expires_at": made.expires_at}, status=201)


def _choices(user: User) -> list[PlaygroundModel]:
    asks = Q()
    for kind in ASKING:
        asks |= Q(core__live__program__nodes__contains=[{"kind": kind}])
    live = ("core__live__instance_mode", "core__live__program__tracing", "asks")
    rows = registry.callable_by(user).annotate(asks=Case(When(asks, then=True), default=False)).order_by("name")
    return [
        PlaygroundModel(name, core, flow, mode == "entity", tracing is True, asks)
        for name, core, flow, mode, tracing, asks in rows.values_list("name", "core_id", "core__flow_id", *live)
    ]


def _refused(user: User, name: str) -> Access | None:
    """The model of this name that the user's tenant publishes and the user may not call."""
    if "\0" in name:
        return None
    return Access.objects.filter(user=user, name=name, may_call=False).first()
