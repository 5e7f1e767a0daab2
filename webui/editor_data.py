"""What the canvas is given: the data in its page, and the parts of it that a save or a deploy makes new."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse

import scaicore
from identity.actors import Actor, actor_of
from identity.models import User
from publishing import deploy_state, registry
from publishing.api import flow_serializers
from publishing.models import Flow
from scaicore.capabilities import CAPABILITIES, DECLARED
from scaicore.language.variables import TYPES
from webui import flow_context, flow_saves, forms
from webui.runs.repeating import find_call

URLS = ("state", "save", "plan", "go-live", "rollback")


def page_data(user: User, flow: Flow, *, again: str = "") -> str:
    """Everything that the editor starts with, as JSON; `again` is the request id of a run that is to be tried again."""
    actor = actor_of(user)
    may_change = actor.manages(flow.tenant_id)
    data = {
        "flow_id": flow.pk,
        "saved": saved_data(flow, actor),
        "state": state_data(flow, actor),
        "kinds": scaicore.describe(),
        "unavailable": scaicore.UNAVAILABLE,
        "variable_types": list(TYPES),
        "properties": forms.describe_properties(flow),
        "capabilities": [
            {"name": name, "label": meaning, "is_declared": name in DECLARED} for name, meaning in CAPABILITIES.items()
        ],
        "group_separators": forms.GroupIdsField.SEPARATORS,
        "user_id": user.pk,
        "may_change": may_change,
        "trace_days": settings.TRACE_DAYS,
        "again": find_call(user, actor, flow, again) if again and may_change else None,
        "note": "" if may_change else flow_context.read_only_note(flow),
        "urls": {"flow": reverse("flow", args=[flow.pk]), "playground": reverse("playground")}
        | {name: reverse(f"flow-{name}", args=[flow.pk]) for name in URLS},
    }
    return json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False)


def saved_data(flow: Flow, actor: Actor) -> dict[str, Any]:
    """The saved document as `actor` may see it, and who saved it last. `base_time` goes back with the next save."""
    last = flow_saves.last_save(flow)
    return {
        "version": last.version,
        "base_time": last.at.isoformat(),
        "by": last.by,
        "at": last.at,
        "content": flow_serializers.document(flow.saved, actor),
    }


def state_data(flow: Flow, actor: Actor) -> dict[str, Any]:
    """What of the saved flow is live and who may call it; the warning, groups and figures are for its admins."""
    saved = flow.saved
    state = deploy_state.find_state(flow, saved.version)
    core, publication = state.core, state.publication
    may_change = actor.manages(flow.tenant_id)
    return {
        "saved": state.saved,
        "live": state.live,
        "core_id": core.pk if core else None,
        "core_version": core.live.number if core and core.live else None,
        "is_behind": state.is_behind,
        "has_drifted": state.has_drifted(saved.content),
        "published_slug": publication.name if publication else None,
        "visibility": publication.visibility if publication else None,
        "group_ids": publication.group_ids if publication and may_change else [],
        "audience": registry.audience(publication).count() if publication and may_change else None,
        "warning": flow_context.warning(flow, state, saved.content) if may_change else "",
    }
