"""One truth or two: what a flow's saved document says of its publication, compared with the registry."""

from __future__ import annotations

import json
from typing import Any

from identity.models import Group
from publishing import documents
from publishing.models import Core, Publication, Visibility

# A document without a list of groups leaves the visibility to the registry.
GROUP_IDS, AS_IT_WAS = "model_visibility_group_ids", ""


def find_disagreement(core: Core | None, content: dict[str, Any]) -> str | None:
    """One sentence when the saved document `content` says something else than the registry; None when they agree.

    A flow without a Core was never deployed and cannot disagree. The sentence names groups, and the reason of a hold:
    it is for those who manage the tenant.
    """
    if core is None:
        return None
    publication, hold = getattr(core, "publication", None), getattr(core, "hold", None)
    says, has = _said(documents.config(content)), _registered(publication)
    if says == has or (says == AS_IT_WAS and has):
        return None
    flow = "not published" if says is None else f"published to {says}" if says else "published"
    registry = f"held by staff ({hold.reason})" if hold else has or "not published"
    then = "leave it un-published" if hold else _outcome(core, content, is_published=publication is not None)
    return f"The flow says {flow}; the registry says {registry}; the next deploy will {then}."


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
