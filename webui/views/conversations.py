"""What a model with memory remembers of the signed-in user, for the playground to list and to go on from."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from publishing.models import Core, Entity, Partition
from webui.decorators import MemberRequest, member_page

MOST = 30
MOST_TURNS = 100


@require_safe
@member_page
def conversations(request: MemberRequest, core_id: str) -> HttpResponse:
    """The user's own memories of this Core, the last used first."""
    found = _own(request, core_id).order_by("-updated_at")[:MOST]
    rows = found.values("entity_id", "turns_committed", "updated_at")
    return JsonResponse({"items": list(rows)})


@require_safe
@member_page
def conversation(request: MemberRequest, core_id: str) -> HttpResponse:
    """What was said last in one of them (`?entity_id=`), and the answers that a checkpoint in it waits for."""
    entity = get_object_or_404(_own(request, core_id), entity_id=request.GET.get("entity_id", ""))
    turns = list(entity.turns.order_by("-number")[:MOST_TURNS])[::-1]
    said = [(turn.message, turn.response) for turn in turns]
    messages = [
        {"role": role, "content": content}
        for message, response in said
        for role, content in (("user", message), ("assistant", response))
    ]
    return JsonResponse({"messages": messages, "options": find_options(entity)})


def find_options(entity: Entity) -> list[str]:
    """The options of the node at which the run waits, as the live version has them; none where it waits for nothing."""
    waiting = [parked["node"] for parked in (entity.resume or {}).get("parked", ())]
    nodes = entity.core.live.program["nodes"] if waiting and entity.core.live else ()
    return [option for node in nodes if node["id"] in waiting[:1] for option in node["config"].get("options", ())]


def _own(request: MemberRequest, core_id: str) -> QuerySet[Entity]:
    core = get_object_or_404(Core.objects.select_related("live"), pk=core_id, tenant=request.user.tenant_id)
    mine = Entity.objects.select_related("core__live").filter(core=core, owner=request.user.pk, turns_committed__gt=0)
    return mine.filter(partition=Partition.ENTITY)
