"""Flows: made, saved, deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

import scaicore
from identity import audit
from identity.actors import Actor
from identity.models import Tenant, User
from publishing import documents
from publishing.actions.base import UNCHANGED, Unchanged, clean_name, lock_flow
from publishing.actions.publications import must_not_be_held
from publishing.errors import StaleSave, StillPublished
from publishing.models import Core, Flow, FlowVersion, Publication, VersionLabel
from scaicore.document import FIRST_VERSION

COPIED = " (copy)"


@transaction.atomic
def create_flow(
    *,
    tenant: Tenant,
    name: str,
    content: object,
    actor: Actor,
    at: datetime,
    description: str | Unchanged = UNCHANGED,
    owner: User | None = None,
) -> Flow:
    """A new flow with its first saved version; without a `description` it has the document's own."""
    actor.must_manage(tenant.pk)
    document = documents.clean_content(content)
    if isinstance(description, Unchanged):
        description = documents.find_description(document)
    flow = Flow.objects.create(
        tenant=tenant,
        name=clean_name(name),
        description=description,
        tags=documents.find_tags(document),
        owner=owner,
        created_at=at,
        updated_at=at,
    )
    saved = _save_version(flow, 1, documents.first_version(document), document, actor, at)
    audit.record("flow.created", flow.pk, tenant=tenant.pk, actor=actor, at=at, after=_audit_view(flow, saved))
    return flow


@transaction.atomic
def duplicate_flow(flow: Flow, *, owner: User, actor: Actor, at: datetime) -> Flow:
    """A new flow with what is saved of `flow`, but for its slug, which belongs to one model alone."""
    saved = flow.saved
    content = scaicore.with_properties(saved.content, slug="")
    name = flow.name[: 200 - len(COPIED)] + COPIED
    return create_flow(
        tenant=flow.tenant,
        name=name,
        description=flow.description,
        content={**content, "version": FIRST_VERSION},
        owner=owner,
        actor=actor,
        at=at,
    )


@transaction.atomic
def save_flow(
    flow: Flow,
    *,
    base_version: str,
    base_time: datetime | None = None,
    actor: Actor,
    at: datetime,
    name: str | Unchanged = UNCHANGED,
    description: str | Unchanged = UNCHANGED,
    content: object = UNCHANGED,
) -> Flow:
    """Store a new version of `flow` when content is given; a rename alone makes none.

    `StaleSave` when the saved version is no longer `base_version`, or when anything at all, a rename included, was
    saved since `base_time`.
    """
    actor.must_manage(flow.tenant_id)
    flow = lock_flow(flow)
    saved = flow.saved
    if base_version != saved.version or (base_time is not None and base_time != flow.updated_at):
        raise StaleSave(current=saved.version, based_on=base_version)
    before = _audit_view(flow, saved)
    flow.name = flow.name if isinstance(name, Unchanged) else clean_name(name)
    flow.description = flow.description if isinstance(description, Unchanged) else description
    flow.updated_at = at
    if not isinstance(content, Unchanged):
        document = documents.clean_content(content)
        flow.tags = documents.find_tags(document)
        saved = _save_version(flow, saved.number + 1, scaicore.next_version(saved.version), document, actor, at)
    flow.save(update_fields=["name", "description", "tags", "updated_at"])
    audit.record(
        "flow.saved", flow.pk, tenant=flow.tenant_id, actor=actor, at=at, before=before, after=_audit_view(flow, saved)
    )
    return flow


@transaction.atomic
def label_version(version: FlowVersion, *, name: str, note: str, actor: Actor, at: datetime) -> VersionLabel:
    """Give a saved version a name and a note; empty ones take them away."""
    flow = version.flow
    actor.must_manage(flow.tenant_id)
    before = VersionLabel.objects.select_for_update().filter(version=version).first()
    after, _ = VersionLabel.objects.update_or_create(
        version=version, defaults={"name": name.strip(), "note": note.strip()}
    )
    audit.record(
        "flow.version_labelled",
        flow.pk,
        tenant=flow.tenant_id,
        actor=actor,
        at=at,
        before=_label_view(version, before),
        after=_label_view(version, after),
    )
    return after


@transaction.atomic
def delete_flow(flow: Flow, *, actor: Actor, at: datetime) -> None:
    """Remove a flow with its versions and its Core; refused while the Core is published, or held by staff."""
    actor.must_manage(flow.tenant_id)
    flow = lock_flow(flow)
    core = Core.objects.select_for_update().filter(flow=flow).first()
    publication = Publication.objects.filter(core=core).first()
    if publication:
        raise StillPublished(publication.name)
    if core and not actor.is_staff:
        must_not_be_held(core)
    audit.record(
        "flow.deleted", flow.pk, tenant=flow.tenant_id, actor=actor, at=at, before=_audit_view(flow, flow.saved)
    )
    flow.delete()


def _save_version(
    flow: Flow, number: int, version: str, content: dict[str, Any], actor: Actor, at: datetime
) -> FlowVersion:
    return FlowVersion.objects.create(
        flow=flow, number=number, version=version, content=content, created_at=at, created_by=actor.name
    )


def _label_view(version: FlowVersion, label: VersionLabel | None) -> dict[str, Any]:
    return {"version": version.version, "name": label.name if label else "", "note": label.note if label else ""}


def _audit_view(flow: Flow, saved: FlowVersion) -> dict[str, Any]:
    return {"name": flow.name, "description": flow.description, "version": saved.version}
