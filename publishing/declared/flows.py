"""The flows, what is live of them, and who may call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import UNSET

from identity.models import Tenant
from publishing import actions, documents, strict_json
from publishing.actions import publications
from publishing.declared.base import ApplyRun, must_differ, refused, standing_at
from publishing.declared.schema import DeclaredFlow
from publishing.models import Core, Flow, Hold, Publication

# What the server owns in a document; a file may carry an older state of it.
OWNED = ("id", "name", "version")


def apply_flows(run: ApplyRun, place: str, tenant: Tenant, declared: list[DeclaredFlow], folder: Path) -> None:
    """Every flow of the list, saved where its document differs, deployed where that is asked for."""
    read = [_document(f"{place}[{number}]", flow, folder) for number, flow in enumerate(declared)]
    must_differ(place, "name", (name for name, _ in read))
    for number, (wanted, (name, content)) in enumerate(zip(declared, read, strict=True)):
        with standing_at(f"{place}[{number}]"):
            flow = _save(run, f"{place}[{number}]", tenant, name, content, wanted)
            if wanted.deploy:
                _deploy(run, flow)


def _document(place: str, declared: DeclaredFlow, folder: Path) -> tuple[str, dict[str, Any]]:
    """The flow's name and its document, with the file's overrides laid over the document's config."""
    if (declared.file is UNSET) == (declared.content is UNSET):
        raise refused(place, "Name a file, or write the document under content.")
    content = _loaded(place, declared, folder)
    name = content.get("name") if declared.name is UNSET else declared.name
    if not isinstance(name, str) or not name.strip():
        raise refused(f"{place}.name", "Neither the document nor this entry gives the flow a name.")
    given = {"publish_as_model": declared.publish_as_model, "model_visibility_group_ids": declared.group_ids}
    overrides = {key: value for key, value in given.items() if value is not UNSET}
    if overrides:
        content = {**content, "config": {**documents.config(content), **overrides}}
    return name.strip(), content


def _loaded(place: str, declared: DeclaredFlow, folder: Path) -> dict[str, Any]:
    key = "content" if declared.file is UNSET else "file"
    try:
        if declared.file is UNSET:
            # YAML knows dates, NaN and loops; a document is JSON.
            body = json.dumps(declared.content, allow_nan=False).encode()
        else:
            body = (folder / declared.file).read_bytes()
        content = strict_json.loads(body)
    except OSError as error:
        raise refused(f"{place}.file", f"{folder / str(declared.file)} cannot be read: {error.strerror}.") from None
    except (strict_json.InvalidJson, UnicodeError) as error:
        raise refused(f"{place}.{key}", str(error)) from None
    except (TypeError, ValueError, RecursionError):
        raise refused(f"{place}.{key}", "The document holds something that JSON cannot say.") from None
    if not isinstance(content, dict):
        raise refused(f"{place}.{key}", "The document must be a JSON object.")
    return content


def _save(
    run: ApplyRun, place: str, tenant: Tenant, name: str, content: dict[str, Any], declared: DeclaredFlow
) -> Flow:
    found = list(Flow.objects.select_for_update().filter(tenant=tenant, name=name)[:2])
    description = documents.description_in(content) if declared.description is UNSET else declared.description
    if len(found) > 1:
        raise refused(f"{place}.name", f"Several flows of {tenant} are called {name}. Rename all but one.")
    if not found:
        run.added(f"flow {name}")
        return actions.create_flow(
            tenant=tenant, name=name, content=content, description=description, actor=run.actor, at=run.at
        )
    [flow] = found
    saved = flow.saved
    is_new_content = _essence(content) != _essence(saved.content)
    if is_new_content or description != flow.description:
        kept = content if is_new_content else actions.UNCHANGED
        flow = actions.save_flow(
            flow, base_version=saved.version, content=kept, description=description, actor=run.actor, at=run.at
        )
        run.changed(f"flow {name}", f"saved as {flow.saved.version}" if is_new_content else "description")
    return flow


def _deploy(run: ApplyRun, flow: Flow) -> None:
    """Make the saved version live, unless it is; then bring the publication in line with the document's flag."""
    core = Core.objects.filter(flow=flow).select_related("live").first()
    saved = flow.saved
    before = _publication_words(core)
    if core is None or core.live is None or core.live.flow_version != saved.version:
        core = actions.deploy(flow, actor=run.actor, at=run.at).core
        run.changed(f"flow {flow.name}", f"version {saved.version} is live as {core}")
    else:
        publications.reconcile(core, documents.config(saved.content), actor=run.actor, at=run.at)
    after = _publication_words(core)
    hold = Hold.objects.filter(core=core).first()
    if hold and documents.config(saved.content).get("publish_as_model"):
        run.noted(f"publication of {core}", f"held by staff: {hold.reason}")
    if before != after:
        run.changed(f"publication of {core}", f"{before} → {after}")


def _publication_words(core: Core | None) -> str:
    publication = Publication.objects.filter(core=core).first() if core else None
    if publication is None:
        return "not published"
    groups = ", ".join(publication.group_ids)
    return f"{publication.name} for {groups or publication.get_visibility_display().lower()}"


def _essence(content: dict[str, Any]) -> dict[str, Any]:
    """What a save would store anew: the document without what the server lays over it."""
    metadata = content.get("metadata")
    kept = {key: value for key, value in content.items() if key not in (*OWNED, "metadata")}
    told = {key: value for key, value in metadata.items() if key != "description"} if isinstance(metadata, dict) else {}
    return {**kept, "metadata": told}
