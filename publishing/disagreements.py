"""One truth or two: what a flow's saved document says of its publication, compared with the registry."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from identity.models import Group
from publishing import documents
from publishing.models import Core, FlowVersion, Publication, Visibility

# A document without a list of groups leaves the visibility to the registry.
GROUP_IDS, AS_IT_WAS = "model_visibility_group_ids", ""


class Difference(NamedTuple):
    """What a flow's document says of its publication, and what the registry says."""

    flow: str
    registry: str


def find_disagreement(core: Core | None, content: dict[str, Any]) -> str | None:
    """One sentence when the saved document `content` says something else than the registry; None when they agree.

    A flow without a Core was never deployed and cannot disagree. The sentence names groups, and the reason of a hold:
    it is for those who manage the tenant.
    """
    difference = find_difference(core, content)
    if core is None or difference is None:
        return None
    is_published = getattr(core, "publication", None) is not None
    then = "leave it un-published" if hasattr(core, "hold") else _outcome(core, content, is_published=is_published)
    return f"The flow says {difference.flow}; the registry says {difference.registry}; the next deploy will {then}."


def find_difference(core: Core | None, content: dict[str, Any]) -> Difference | None:
    """What the saved document says and what the registry says, in words; None when they agree."""
    if core is None or core.flow_id is None:
        return None
    publication, hold = getattr(core, "publication", None), getattr(core, "hold", None)
    says, has = _said(documents.config(content)), _registered(publication)
    if says == has or (says == AS_IT_WAS and has):
        return None
    flow = "not published" if says is None else f"published to {says}" if says else "published"
    return Difference(flow, f"held by staff ({hold.reason})" if hold else has or "not published")


def find_contents(cores: Iterable[Core]) -> dict[str, dict[str, Any]]:
    """What each Core's flow says of its publication, as saved, by the id of the flow: its config and no more."""
    newest = FlowVersion.objects.filter(flow__in=[core.flow_id for core in cores if core.flow_id])
    said = newest.order_by("flow_id", "-number").distinct("flow_id").values_list("flow_id", "content__config")
    return {flow_id: {"config": config} for flow_id, config in said}


def find_lost_groups(tenant_id: str, content: dict[str, Any]) -> list[str]:
    """What the document names as groups and a deploy would refuse, in its order; nothing if it does not publish."""
    config = documents.config(content)
    given = config.get(GROUP_IDS, []) if config.get("publish_as_model", False) else []
    if not isinstance(given, list):
        return [json.dumps(given)]
    names = {name for name in given if isinstance(name, str) and "\0" not in name}
    known = set(Group.objects.filter(tenant=tenant_id, scaikey_id__in=names).values_list("scaikey_id", flat=True))
    return [str(name) for name in given if not isinstance(name, str) or name not in known]


def _said(config: dict[str, Any]) -> str | None:
    """Whom the document publishes to; None when it does not publish."""
    if not config.get("publish_as_model", False):
        return None
    if GROUP_IDS not in config:
        return AS_IT_WAS
    given = config[GROUP_IDS]
    return _audience(sorted({str(name) for name in given})) if isinstance(given, list) else str(given)


def _registered(publication: Publication | None) -> str | None:
    """Whom the registry publishes to; None when it does not."""
    if publication is None:
        return None
    if publication.visibility == Visibility.TENANT:
        return _audience([])
    return _audience(publication.group_ids) if publication.group_ids else "nobody, because its groups are gone"


def _audience(group_ids: list[str]) -> str:
    return ", ".join(group_ids) or "the tenant"


def _outcome(core: Core, content: dict[str, Any], *, is_published: bool) -> str:
    """What a deploy of a document that disagrees would do."""
    says = _said(documents.config(content))
    if says is None:
        return "un-publish it"
    if lost := find_lost_groups(core.tenant_id, content):
        return f"be refused: {', '.join(lost)} does not exist"
    if is_published:
        return f"set {says}"
    return f"publish it to {says}" if says else "publish it"
