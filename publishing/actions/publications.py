"""Publications: the names under which Cores are called, and who may."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

import scaicore
from identity import audit
from identity.actors import Actor
from identity.errors import Invalid, Problem
from identity.models import Group
from publishing.actions.base import UNCHANGED, Unchanged, lock_core
from publishing.errors import PublicationHeld
from publishing.models import Core, Grant, Hold, LastVisibility, Publication, Visibility

# Visibility, and the groups that it lists; `groups` without any means nobody.
Audience = tuple[Visibility, list[Group]]


class Reconciled(NamedTuple):
    """What a document's flag made of its Core: published, un-published under that name, or held back by staff."""

    publication: Publication | None = None
    unpublished: str | None = None
    hold: Hold | None = None


@transaction.atomic
def publish(core: Core, *, group_ids: object = UNCHANGED, actor: Actor, at: datetime) -> tuple[Publication, bool]:
    """Make `core` reachable as a chat model; returns the publication and whether it is new.

    `group_ids`: `[]` opens it to the tenant, a list of ScaiKey group ids to their members. Left out: an existing
    publication keeps its visibility, a new one takes up the last one, and the first of all is open to the tenant.
    """
    actor.must_manage(core.tenant_id)
    core = lock_core(core)
    must_not_be_held(core)
    wanted = None if isinstance(group_ids, Unchanged) else _audience(_groups(core.tenant_id, group_ids))
    publication = Publication.objects.filter(core=core).first()
    before = audit_view(publication)
    is_new = publication is None
    if publication is None:
        publication = _new_publication(core, actor=actor, at=at)
        wanted = wanted or _last_audience(core)
    if wanted:
        _open(publication, wanted)
    after = audit_view(publication)
    if before != after:
        action = "core.published" if is_new else "publication.changed"
        audit.record(action, core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before, after=after)
    return publication, is_new


@transaction.atomic
def unpublish(core: Core, *, actor: Actor, at: datetime) -> str | None:
    """End the publication and remember its visibility; returns the name that ended, None when there was none."""
    actor.must_manage(core.tenant_id)
    core = lock_core(core)
    publication = Publication.objects.filter(core=core).first()
    if publication is None:
        return None
    before = audit_view(publication)
    _remember(publication)
    publication.delete()
    audit.record("core.unpublished", core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before)
    return publication.name


def reconcile(core: Core, config: dict[str, Any], *, actor: Actor, at: datetime) -> Reconciled:
    """Bring the publication in line with a document's flag. A hold is no failure here: the deploy goes on."""
    hold = Hold.objects.filter(core=lock_core(core)).first()
    if hold:
        return Reconciled(hold=hold)
    if config.get("publish_as_model", False):
        group_ids = config.get("model_visibility_group_ids", UNCHANGED)
        return Reconciled(publication=publish(core, group_ids=group_ids, actor=actor, at=at)[0])
    return Reconciled(unpublished=unpublish(core, actor=actor, at=at))


def must_not_be_held(core: Core) -> None:
    """Refuse what staff hold back; the caller has locked `core`, so that no hold comes in between."""
    hold = Hold.objects.filter(core=core).first()
    if hold:
        raise PublicationHeld(hold.reason)


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
    found = {group.scaikey_id: group for group in _locked(Group.objects.filter(tenant=tenant_id, scaikey_id__in=names))}
    problems = [
        Problem(f"group_ids[{index}]", _wrong_with(name, known=isinstance(name, str) and name in names))
        for index, name in enumerate(given)
        if not isinstance(name, str) or name not in found
    ]
    if problems:
        raise Invalid("Some group ids are unusable.", problems)
    return list(found.values())


def _wrong_with(name: Any, *, known: bool) -> str:
    return f"The group {name[:128]} does not exist." if known else "Send a group id as a non-empty string."


def _new_publication(core: Core, *, actor: Actor, at: datetime) -> Publication:
    """A publication that is open to nobody yet."""
    must_be_callable(core, _live_program(core), is_published=True)
    publication = Publication(
        core=core,
        tenant_id=core.tenant_id,
        name=core.model_name,
        visibility=Visibility.GROUPS,
        published_at=at,
        published_by=actor.name,
    )
    publication.save(force_insert=True)
    return publication


def _audience(groups: list[Group]) -> Audience:
    return (Visibility.GROUPS if groups else Visibility.TENANT), groups


def _last_audience(core: Core) -> Audience:
    """Whom the Core was open to before it was un-published; of its groups, those that still exist."""
    last = LastVisibility.objects.filter(core=core).first()
    if last is None:
        return Visibility.TENANT, []
    return Visibility(last.visibility), _locked(last.groups.all())


def _open(publication: Publication, wanted: Audience) -> None:
    publication.visibility, groups = wanted
    publication.save(update_fields=["visibility"])
    publication.grants.exclude(group__in=groups).delete()
    Grant.objects.bulk_create(
        [Grant(tenant_id=publication.tenant_id, publication=publication, group=group) for group in groups],
        ignore_conflicts=True,
    )


def _remember(publication: Publication) -> None:
    kept = {"visibility": publication.visibility}
    last, _ = LastVisibility.objects.update_or_create(core_id=publication.core_id, defaults=kept)
    last.groups.set(_locked(Group.objects.filter(grants__publication=publication)))


def _locked(groups: QuerySet[Group]) -> list[Group]:
    """Locked, so that a group which is being deleted is either found first and lost afterwards, or not found."""
    return list(groups.select_for_update(no_key=True, of=("self",)).order_by("pk"))
