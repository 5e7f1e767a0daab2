"""What the page of one flow shows, put together from the saved document, its standing and the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import scaicore
from identity.actors import actor_of
from identity.models import AuditEntry, Role, User
from publishing import actions, deploy_plan, deploy_state, documents, registry
from publishing.models import Flow, FlowVersion
from webui import flow_svg, snippets
from webui.forms import PropertiesForm, saved_values, unknown_groups


@dataclass(frozen=True)
class Notice:
    """What did not happen, and what to do; with `agreed` it is a question that can be answered by yes.

    `changes` are rows of what would change: what, now, then.
    """

    headline: str
    advice: str
    is_about_findings: bool = False
    agreed: str = ""
    changes: tuple[deploy_plan.Change, ...] = ()


@dataclass(frozen=True)
class Clash:
    """Somebody saved meanwhile: who, what, and where the two sides differ."""

    by: str
    at: datetime
    version: str
    differences: list[tuple[str, str, str]]


def fresh_form(flow: Flow) -> PropertiesForm:
    """The properties as they are saved now."""
    return PropertiesForm(initial=saved_values(flow, flow.saved), tenant=flow.tenant)


def context(
    user: User,
    flow: Flow,
    form: PropertiesForm | None = None,
    *,
    base_url: str,
    chosen: str = "",
    notice: Notice | None = None,
    clash: Clash | None = None,
) -> dict[str, Any]:
    """Everything that the template of the page reads; `base_url` is where clients call, `chosen` a node's id."""
    saved = flow.saved
    may_change = actor_of(user).manages(flow.tenant_id)
    findings = list(actions.compilation(documents.shown(flow, saved), tenant=flow.tenant_id).diagnostics)
    picture = flow_svg.draw(saved.content, findings)
    where = deploy_state.find_state(flow, saved.version)
    wanted = scaicore.properties(saved.content)
    has_drifted = where.has_drifted(wanted)
    is_live = where.live == saved.version
    return {
        "flow": flow,
        "saved": saved,
        "standing": where,
        "has_drifted": has_drifted,
        "is_due": has_drifted or not is_live,
        "deploy_does": f"Version {saved.version} is live."
        if is_live
        else f"Deploy makes version {saved.version} live.",
        "wanted": wanted,
        "form": (form or fresh_form(flow)) if may_change else None,
        "admins": [] if may_change else _admins(flow.tenant_id),
        "lost_groups": _lost_groups(flow, wanted) if may_change else [],
        "findings": findings,
        "picture": picture,
        "chosen": next((box for box in picture.boxes if box.node.id == chosen), None),
        "notice": notice,
        "clash": clash,
        **_model(user, where, base_url),
    }


def clash(flow: Flow, saved: FlowVersion, mine: PropertiesForm) -> Clash:
    """Who saved `saved`, and where it differs from what `mine` holds."""
    entry = AuditEntry.objects.filter(target=flow.pk, action="flow.saved").first()
    theirs = saved_values(flow, saved)
    differences = [
        (str(mine[name].label), _told(mine.fields[name].to_python(mine[name].data)), _told(theirs[name]))
        for name in mine.edits
    ]
    by, at = (entry.actor, entry.at) if entry else (saved.created_by, saved.created_at)
    return Clash(by, at, saved.version, differences)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "ticked" if value else "not ticked"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _admins(tenant_id: str) -> list[str]:
    """Some of those who may change the tenant's flows."""
    found = User.objects.filter(tenant=tenant_id, role=Role.ADMIN, is_active=True)
    return list(found.values_list("email", flat=True)[:3])


def _lost_groups(flow: Flow, wanted: scaicore.Properties) -> list[str]:
    """Saved group ids that a deploy would refuse."""
    return unknown_groups(flow.tenant, list(wanted.group_ids)) if wanted.publish_as_model else []


def _model(user: User, where: deploy_state.DeployState, base_url: str) -> dict[str, Any]:
    """The published model: who may call it, and how."""
    if where.core is None or where.publication is None:
        return {"samples": []}
    access = registry.access(user, where.core)
    has_memory = where.core.live is not None and where.core.live.instance_mode == "entity"
    return {
        "may_call": bool(access and access.may_call),
        "audience": registry.audience(where.publication).count(),
        "samples": snippets.make_snippets(where.publication.name, base_url=base_url, has_memory=has_memory),
    }
