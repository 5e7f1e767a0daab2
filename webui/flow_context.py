"""What the page of one flow shows, put together from the saved document, its state and the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.shortcuts import get_object_or_404

import scaicore
from identity.actors import actor_of
from identity.models import User
from publishing import actions, deploy_plan, deploy_state, documents, registry
from publishing.deploy_state import DeployState
from publishing.disagreements import find_disagreement, find_lost_groups
from publishing.models import Flow, FlowVersion
from scaicore.capabilities import CAPABILITIES
from webui import flow_saves, flow_svg, snippets, triggers
from webui.flow_saves import LastSave
from webui.forms import PropertiesForm

ADMINS_NAMED = 3


@dataclass(frozen=True)
class Notice:
    """What did not happen, and what to do; with `agreed` it is a question that a button answers with yes.

    `changes` are rows of what a deploy would change: what, now, then. `tests` are those that failed before it.
    """

    headline: str
    advice: str
    is_about_findings: bool = False
    agreed: str = ""
    changes: tuple[deploy_plan.Change, ...] = ()
    tests: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Clash:
    """Somebody saved meanwhile: who, and where the form differs from that; `refused` is what was not done."""

    refused: str
    theirs: LastSave
    differences: list[tuple[str, str, str]]


def own_flow(user: User, flow_id: str) -> Flow:
    """The flow of the user's own tenant; another's is 404 like one that never existed."""
    mine = Flow.objects.select_related("tenant", "core__live", "core__publication", "core__hold")
    return get_object_or_404(mine, pk=flow_id, tenant=user.tenant_id)


def page_context(
    user: User,
    flow: Flow,
    *,
    base_url: str,
    form: PropertiesForm | None = None,
    notice: Notice | None = None,
    clash: Clash | None = None,
) -> dict[str, Any]:
    """Everything that the template of the page reads; `base_url` is where clients call."""
    saved = flow.saved
    state = deploy_state.find_state(flow, saved.version)
    may_change = actor_of(user).manages(flow.tenant_id)
    may_read = may_change or scaicore.properties(saved.content).readers == "tenant"
    return {
        "flow": flow,
        "may_read": may_read,
        "saved": flow_saves.last_save(flow),
        "state": state,
        "notice": notice,
        "clash": clash,
        **_document(flow, saved, may_read=may_read),
        **(_for_admins(flow, state, form) if may_change else {"note": read_only_note(flow)}),
        **_model(user, state, base_url),
        **triggers.find_triggers(state.core, site=base_url.removesuffix("/v1")),
    }


def warning(flow: Flow, state: DeployState, content: dict[str, Any]) -> str:
    """What an admin should know about who can call the flow, in a sentence or two; empty when all is well."""
    if state.hold:
        return f"Held by staff: {state.hold.reason} — it stays un-published until they lift the hold. Deploy works."
    if lost := find_lost_groups(flow.tenant_id, content):
        named = f"The saved group {lost[0]} does" if len(lost) == 1 else f"The saved groups {', '.join(lost)} do"
        return (
            f"{named} not exist (any more). Deploy will refuse until the list is corrected; an empty list would open "
            "the model to everyone in the tenant."
        )
    return find_disagreement(state.core, content) or ""


def read_only_note(flow: Flow) -> str:
    """Who may change the flow, for those who may not."""
    admins = list(User.objects.admins_of(flow.tenant_id).values_list("email", flat=True)[:ADMINS_NAMED])
    named = f": {', '.join(admins)}" if admins else ""
    return f"Only tenant admins of {flow.tenant.name or flow.tenant} may change, save and deploy this flow{named}."


def _document(flow: Flow, saved: FlowVersion, *, may_read: bool) -> dict[str, Any]:
    """The saved document: drawn, checked, and its properties; without what stands in it for who may not read that."""
    result = actions.compile_document(documents.complete(flow, saved), tenant=flow.tenant_id)
    # What is found wrong quotes what is written there.
    findings = list(result.diagnostics) if may_read else []
    return {
        "findings": findings,
        "capabilities": [CAPABILITIES[name] for name in result.program.capabilities] if result.program else [],
        "picture": flow_svg.draw(saved.content if may_read else scaicore.outline(saved.content), findings),
        "wanted": scaicore.properties(saved.content),
    }


def _for_admins(flow: Flow, state: DeployState, form: PropertiesForm | None) -> dict[str, Any]:
    """The form, and what Save and Deploy would do."""
    content = flow.saved.content
    is_live = state.live == state.saved
    return {
        "form": form or PropertiesForm(flow=flow),
        "warning": warning(flow, state, content),
        "is_due": not is_live or state.has_drifted(content),
        "deploy_does": f"Version {state.saved} is live." if is_live else f"Deploy makes version {state.saved} live.",
    }


def _model(user: User, state: DeployState, base_url: str) -> dict[str, Any]:
    """The published model: who may call it, and how."""
    if state.core is None or state.publication is None:
        return {}
    access = registry.access(user, state.core)
    return {
        "may_call": bool(access and access.may_call),
        "audience": registry.audience(state.publication).count(),
        "samples": snippets.make_snippets(state.publication, base_url=base_url),
    }
