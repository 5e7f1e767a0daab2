"""Publications: the names under which Cores are called, and who may."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

import scaicore
from identity import audit
from identity.actors import Actor
from identity.errors import Invalid, Problem
from identity.models import Group
from publishing.actions.base import UNCHANGED, Unchanged, locked_core
from publishing.models import Core, Grant, Publication, Visibility


@transaction.atomic
def publish(core: Core, *, group_ids: object = UNCHANGED, actor: Actor, at: datetime) -> tuple[Publication, bool]:
    """Make `core` reachable as a chat model; returns the publication and whether it is new.

    `group_ids`: `[]` opens it to the tenant, a list of ScaiKey group ids to their members. Left out: a new
    publication is open to the tenant, an existing one keeps its visibility.
    """
    actor.must_manage(core.tenant_id)
    core = locked_core(core)
    groups = UNCHANGED if isinstance(group_ids, Unchanged) else _groups(core.tenant_id, group_ids)
    publication = Publication.objects.filter(core=core).first()
    before = audit_view(publication)
    is_new = publication is None
    if publication is None:
        must_be_callable(core, _live_program(core), is_published=True)
        publication = Publication(
            core=core,
            tenant_id=core.tenant_id,
            name=core.model_name,
            visibility=Visibility.TENANT,
            published_at=at,
            published_by=actor.name,
        )
        publication.save(force_insert=True)
    if not isinstance(groups, Unchanged):
        _set_visibility(publication, groups)
    after = audit_view(publication)
    if before != after:
        action = "core.published" if is_new else "publication.changed"
        audit.record(action, core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before, after=after)
    return publication, is_new


@transaction.atomic
def unpublish(core: Core, *, actor: Actor, at: datetime) -> str | None:
    """End the publication; returns the name that ended, None when there was none."""
    actor.must_manage(core.tenant_id)
    core = locked_core(core)
    publication = Publication.objects.filter(core=core).first()
    if publication is None:
        return None
    before = audit_view(publication)
    publication.delete()
    audit.record("core.unpublished", core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before)
    return publication.name


def reconcile(
    core: Core, config: dict[str, Any], *, actor: Actor, at: datetime
) -> tuple[Publication | None, str | None]:
    """Bring the publication in line with a document's flag; returns what is published, or the name that ended."""
    if config.get("publish_as_model", False):
        group_ids = config.get("model_visibility_group_ids", UNCHANGED)
        return publish(core, group_ids=group_ids, actor=actor, at=at)[0], None
    return None, unpublish(core, actor=actor, at=at)


def must_be_callable(core: Core, program: scaicore.Program, *, is_published: bool | None = None) -> None:
    """Refuse a program that no chat call can enter, when `core` is published or about to be."""
    if is_published is None:
        is_published = Publication.objects.filter(core=core).exists()
    if is_published and not any(scaicore.entered_by(node.kind) == "call" for node in program.nodes):
        raise Invalid(
            "A chat call could not enter this flow.", [Problem("core_id", "Add an entry_api node and deploy again.")]
        )


def check_groups(tenant_id: str, config: dict[str, Any]) -> None:
    """Refuse group ids that a publication could not be restricted to; `Invalid` names each of them."""
    if config.get("publish_as_model") is True and "model_visibility_group_ids" in config:
        _groups(tenant_id, config["model_visibility_group_ids"])


def audit_view(publication: Publication | None) -> dict[str, Any] | None:
    """What the audit log keeps of a publication."""
    if publication is None:
        return None
    return {"name": publication.name, "visibility": publication.visibility, "group_ids": publication.group_ids}


def _live_program(core: Core) -> scaicore.Program:
    if core.live is None:
        raise Invalid("The Core has no version yet.", [Problem("core_id", "Deploy the flow first.")])
    return scaicore.Program.from_dict(core.live.program)


def _groups(tenant_id: str, given: object) -> list[Group]:
    """The groups with these ids; a foreign tenant's group reads exactly like an unknown one."""
    if not isinstance(given, list):
        raise Invalid(
            "group_ids is not a list.", [Problem("group_ids", "Send a list of group ids; [] means the tenant.")]
        )
    names = {name for name in given if isinstance(name, str) and name.strip() and "\0" not in name}
    # Locked, so that a group which is being deleted is either found and granted first, or not found.
    asked = Group.objects.select_for_update(no_key=True).filter(tenant=tenant_id, scaikey_id__in=names).order_by("pk")
    found = {group.scaikey_id: group for group in asked}
    problems = [
        Problem(f"group_ids[{place}]", _wrong_with(name, known=isinstance(name, str) and name in names))
        for place, name in enumerate(given)
        if not isinstance(name, str) or name not in found
    ]
    if problems:
        raise Invalid("Some group ids are unusable.", problems)
    return list(found.values())


def _wrong_with(name: Any, *, known: bool) -> str:
    return f"The group {name[:128]} does not exist." if known else "Send a group id as a non-empty string."


def _set_visibility(publication: Publication, groups: Iterable[Group]) -> None:
    wanted = list(groups)
    publication.visibility = Visibility.GROUPS if wanted else Visibility.TENANT
    publication.save(update_fields=["visibility"])
    publication.grants.exclude(group__in=wanted).delete()
    Grant.objects.bulk_create(
        [Grant(tenant_id=publication.tenant_id, publication=publication, group=group) for group in wanted],
        ignore_conflicts=True,
    )
