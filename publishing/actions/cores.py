"""Cores: deployed, made, updated, rolled back, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anyascii import anyascii
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

import scaicore
from identity import audit
from identity.actors import Actor
from identity.errors import Invalid, Problem
from identity.models import Tenant, slug_validator
from publishing import documents
from publishing.actions import publications, remotes, schedules
from publishing.actions.base import UNCHANGED, Unchanged, clean_name, lock_core, lock_flow
from publishing.actions.remotes import RemoteProgram
from publishing.errors import DoesNotCompile, SlugTaken, StaleSave
from publishing.mcp import servers
from publishing.models import Core, CoreVersion, Flow, Hold, Publication
from publishing.providers import providers_of
from scaicore.compiler import manifest
from scaicore.nodes.agents.tools import named_plugins


@dataclass(frozen=True)
class Deployment:
    """What a deploy did."""

    core: Core
    version: CoreVersion
    publication: Publication | None
    unpublished: str | None
    hold: Hold | None = None

    @property
    def message(self) -> str:
        """The sentence that the toast and the command line show."""
        done = f"Deployed core_id={self.core.pk}"
        if self.hold:
            return f"{done} — held by staff: {self.hold.reason}"
        if self.publication:
            return f"{done} — published as {self.publication.name}"
        return f"{done} — unpublished {self.unpublished}" if self.unpublished else done


@transaction.atomic
def deploy(flow: Flow, *, actor: Actor, at: datetime, expected: str | None = None, slug: str = "") -> Deployment:
    """Make the saved version of `flow` live on its Core and bring the publication in line with its flag.

    The Core is created by the first deploy and keeps its id, slug and publication through all later ones. `slug` names
    it, else `config.slug` of the document, else it is made from the flow's name; another one later is refused.
    `expected`: refuse as stale when the saved version is no longer this one.
    """
    actor.must_manage(flow.tenant_id)
    flow = lock_flow(flow)
    saved = flow.saved
    if expected is not None and expected != saved.version:
        raise StaleSave(current=saved.version, based_on=expected)
    publications.check_groups(flow.tenant_id, documents.config(saved.content))
    program = compile_program(documents.complete(flow, saved), tenant=flow.tenant_id)
    slug = slug or scaicore.properties(saved.content).slug
    core = Core.objects.select_for_update().filter(flow=flow).first() or _create_for(flow, slug, at)
    if slug and slug != core.slug:
        raise Invalid("The Core has another slug.", [Problem("slug", _keeps_its_slug(core))])
    core.name, core.description = flow.name, flow.description
    version = _go_live(core, program, flow_version=saved.version, actor=actor, at=at)
    audit.record(
        "core.deployed",
        core.pk,
        tenant=core.tenant_id,
        actor=actor,
        at=at,
        after={"flow": flow.pk, "flow_version": saved.version, "core_version": version.number},
    )
    done = publications.reconcile(core, documents.config(saved.content), actor=actor, at=at)
    return Deployment(core, version, done.publication, done.unpublished, done.hold)


@transaction.atomic
def create_core(
    *,
    tenant: Tenant,
    name: str,
    actor: Actor,
    at: datetime,
    content: object = UNCHANGED,
    remote: RemoteProgram | Unchanged = UNCHANGED,
    slug: str = "",
    description: str | Unchanged = UNCHANGED,
) -> Core:
    """A Core without a flow to edit: made from the document `content`, or for a `remote` program.

    `slug` names it, else the document's `config.slug`, else it is made from the name. One that is taken is refused, not
    numbered.
    """
    actor.must_manage(tenant.pk)
    program = _given_program(content, remote, name=clean_name(name), tenant=tenant.pk)
    if program is None:
        raise Invalid("There is no program.", [Problem("content", "Send either `content` or `remote`.")])
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    wanted = slug or scaicore.properties(content).slug
    core = Core.objects.create(
        tenant=tenant,
        slug=_check_slug(tenant, wanted) if wanted else _make_slug(tenant, name),
        name=clean_name(name),
        description=program.description if isinstance(description, Unchanged) else description,
        driver="flow" if program.remote is None else remotes.DRIVER,
        created_at=at,
        updated_at=at,
    )
    if not isinstance(remote, Unchanged):
        core.sealed_secret = remotes.sealed_secret(core, remote)
    _go_live(core, program, flow_version="", actor=actor, at=at)
    after = {"slug": core.slug} | _remote_view(core, remote)
    audit.record("core.created", core.pk, tenant=tenant.pk, actor=actor, at=at, after=after)
    return core


@transaction.atomic
def update_core(
    core: Core,
    *,
    actor: Actor,
    at: datetime,
    name: str | Unchanged = UNCHANGED,
    description: str | Unchanged = UNCHANGED,
    content: object = UNCHANGED,
    remote: RemoteProgram | Unchanged = UNCHANGED,
) -> Core:
    """Rename a Core, or make a new version of one that has no flow live: from a document, or of a remote program."""
    actor.must_manage(core.tenant_id)
    core = lock_core(core)
    before = {"name": core.name, "description": core.description} | _remote_view(core, remote)
    core.name = core.name if isinstance(name, Unchanged) else clean_name(name)
    core.description = core.description if isinstance(description, Unchanged) else description
    core.updated_at = at
    program = _given_program(content, remote, name=core.name, tenant=core.tenant_id)
    if program is not None:
        _must_fit(core, program)
        publications.must_be_callable(core, program)
        if not isinstance(remote, Unchanged):
            core.sealed_secret = remotes.sealed_secret(core, remote)
        _go_live(core, program, flow_version="", actor=actor, at=at)
    core.save(update_fields=["name", "description", "updated_at"])
    after = {"name": core.name, "description": core.description} | _remote_view(core, remote)
    audit.record("core.updated", core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before, after=after)
    return core


@transaction.atomic
def delete_core(core: Core, *, actor: Actor, at: datetime) -> None:
    """Remove a Core with its versions and its publication; its flow stays and may be deployed again.

    Only staff remove a Core that staff hold: made again, it would no longer be held.
    """
    actor.must_manage(core.tenant_id)
    core = lock_core(core)
    if not actor.is_staff:
        publications.must_not_be_held(core)
    publication = Publication.objects.filter(core=core).first()
    before = {"slug": core.slug, "published": publications.audit_view(publication)}
    audit.record("core.deleted", core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before)
    core.delete()


@transaction.atomic
def rollback(core: Core, *, version: int, actor: Actor, at: datetime) -> CoreVersion:
    """Make an earlier (or later) version of `core` the live one."""
    actor.must_manage(core.tenant_id)
    core = lock_core(core)
    wanted = CoreVersion.objects.filter(core=core, number=version).first()
    if wanted is None:
        raise Invalid("The Core has no such version.", [Problem("version", f"There is no version {version}.")])
    program = scaicore.Program.from_dict(wanted.program)
    publications.must_be_callable(core, program)
    _must_find_providers(core, program)
    _must_find_tools(core, program)
    before = {"version": core.live.number if core.live else None}
    core.live, core.updated_at = wanted, at
    core.save(update_fields=["live", "updated_at"])
    schedules.reconcile(core, program, at=at)
    audit.record(
        "core.rolled_back",
        core.pk,
        tenant=core.tenant_id,
        actor=actor,
        at=at,
        before=before,
        after={"version": version},
    )
    return wanted


def compile_document(document: dict[str, Any], *, tenant: str) -> scaicore.Compilation:
    """What the compiler makes of a document of this tenant, whose model providers and tools it may name."""
    nodes = document.get("nodes")
    listed = [each for each in nodes if isinstance(each, dict)] if isinstance(nodes, list) else []
    named = named_plugins((each.get("type"), each.get("config")) for each in listed)
    return scaicore.compile(document, providers=providers_of(tenant), plugins=servers.tools_of(tenant, named))


def compile_program(document: dict[str, Any], *, tenant: str) -> scaicore.Program:
    """The document's program; `DoesNotCompile` with every diagnostic when it has errors."""
    result = compile_document(document, tenant=tenant)
    if result.program is None:
        raise DoesNotCompile(result.diagnostics)
    return result.program


def _given_program(
    content: object, remote: RemoteProgram | Unchanged, *, name: str, tenant: str
) -> scaicore.Program | None:
    """The program of `content` or `remote`, whichever is given; None when neither is."""
    if isinstance(remote, Unchanged):
        if isinstance(content, Unchanged):
            return None
        return compile_program({**documents.clean_content(content), "name": name}, tenant=tenant)
    if not isinstance(content, Unchanged):
        raise Invalid("There are two programs.", [Problem("remote", "Send either `content` or `remote`, not both.")])
    return remotes.program(remote, name=name)


def _must_fit(core: Core, program: scaicore.Program) -> None:
    """Refuse a program that the Core's driver does not run, or that its flow would make."""
    is_remote = program.remote is not None
    if core.flow_id and not is_remote:
        raise Invalid("This Core has a flow.", [Problem("content", f"Save and deploy the flow {core.flow_id}.")])
    if is_remote and core.driver != remotes.DRIVER:
        raise Invalid("This Core's program runs here.", [Problem("remote", "Make another Core for a remote program.")])
    if not is_remote and core.driver == remotes.DRIVER:
        raise Invalid("This Core's program lives elsewhere.", [Problem("content", "Send `remote` instead.")])


def _must_find_providers(core: Core, program: scaicore.Program) -> None:
    """Refuse a program whose model providers were removed since it was compiled: every call would fail."""
    named = {model.ref for model in program.models}
    named |= {spare.ref for model in program.models for spare in model.fallback}
    missing = sorted(named - providers_of(core.tenant_id))
    if missing:
        raise Invalid(
            f"The version names the model provider {missing[0]}, which does not exist any more.",
            [Problem("version", f"Add the provider {ref}, or choose another version.") for ref in missing],
        )


def _must_find_tools(core: Core, program: scaicore.Program) -> None:
    """Refuse a program whose tools of MCP servers were removed or have changed since: its calls would fail."""
    named = named_plugins((node.kind, node.config) for node in program.nodes)
    missing = servers.find_missing(core.tenant_id, named)
    if missing:
        raise Invalid(
            f"The version names the tool {missing[0]} of an MCP server, which is not accepted now.",
            [Problem("version", f"Register or accept {tool}, or choose another version.") for tool in missing],
        )


def _remote_view(core: Core, remote: RemoteProgram | Unchanged) -> dict[str, Any]:
    """What the audit log keeps of a program elsewhere, when one is given."""
    return {} if isinstance(remote, Unchanged) else {"remote": remotes.audit_view(core)}


def _keeps_its_slug(core: Core) -> str:
    return f"The Core of this flow is called {core.slug}, and a slug never changes. Leave it out, or send {core.slug}."


def _create_for(flow: Flow, slug: str, at: datetime) -> Core:
    # Two flows of one name may be deployed at once; the tenant's row makes the second see the first one's slug.
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=flow.tenant_id)
    return Core.objects.create(
        tenant=tenant,
        flow=flow,
        slug=_check_slug(tenant, slug) if slug else _make_slug(tenant, flow.name),
        name=flow.name,
        description=flow.description,
        created_at=at,
        updated_at=at,
    )


def _check_slug(tenant: Tenant, slug: str) -> str:
    try:
        slug_validator(slug)
    except ValidationError as error:
        raise Invalid("The slug is unusable.", [Problem("slug", str(error.message))]) from None
    if Core.objects.filter(tenant=tenant, slug=slug).exists():
        raise SlugTaken(slug)
    return slug


def _make_slug(tenant: Tenant, name: str) -> str:
    # In Latin letters whatever the name is written in: model names go into URLs and configuration files.
    wanted = slugify(anyascii(name))[:50].strip("-_").replace("_", "-") or "core"
    taken = set(Core.objects.filter(tenant=tenant, slug__startswith=wanted).values_list("slug", flat=True))
    number = 2
    slug = wanted
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    return slug


def _go_live(core: Core, program: scaicore.Program, *, flow_version: str, actor: Actor, at: datetime) -> CoreVersion:
    last = core.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = CoreVersion.objects.create(
        core=core,
        number=last + 1,
        program=program.to_dict(),
        flow_version=flow_version,
        manifest=manifest.render(program, core_id=core.pk, slug=core.slug, version=last + 1),
        instance_mode=program.instance_mode,
        entity_scope=program.entity_scope,
        created_at=at,
        created_by=actor.name,
    )
    core.live, core.updated_at = version, at
    core.save(update_fields=["live", "name", "description", "sealed_secret", "updated_at"])
    schedules.reconcile(core, program, at=at)
    return version
