"""The flows: their documents, what is live, and who may call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import UNSET

from identity.models import Tenant
from publishing import actions, deploy_state, documents, strict_json
from publishing.actions import publications
from publishing.declared.base import ApplyRun, must_differ, refusal_at, refusals_at
from publishing.declared.schema import DeclaredFlow
from publishing.errors import MemoryAtStake
from publishing.models import Core, Flow, Hold, Publication

# What the server owns in a document; a file may carry older values.
OWNED = ("id", "name", "version")


def apply_flows(run: ApplyRun, location: str, tenant: Tenant, declared: list[DeclaredFlow], folder: Path) -> None:
    """Save every flow of the list whose document differs, and deploy those that ask for it."""
    read = [read_document(f"{location}[{number}]", flow, folder) for number, flow in enumerate(declared)]
    must_differ(location, "name", (name for name, _ in read))
    for number, (wanted, (name, content)) in enumerate(zip(declared, read, strict=True)):
        with refusals_at(f"{location}[{number}]"):
            flow = _save(run, f"{location}[{number}]", tenant, name, content, wanted)
            if wanted.deploy:
                if not wanted.accept_memory_change:
                    _must_keep_memory(f"{location}[{number}].accept_memory_change", flow)
                _deploy(run, flow)


def read_document(location: str, declared: DeclaredFlow, folder: Path = Path()) -> tuple[str, dict[str, Any]]:
    """The flow's name and its document, in whose config the file's overrides replace what it says."""
    if (declared.file is UNSET) == (declared.content is UNSET):
        raise refusal_at(location, "Name a file, or write the document under content.")
    content = _load_content(location, declared, folder)
    name = content.get("name") if declared.name is UNSET else declared.name
    if not isinstance(name, str) or not name.strip():
        raise refusal_at(f"{location}.name", "Neither the document nor this entry gives the flow a name.")
    given = {
        "publish_as_model": declared.publish_as_model,
        "model_visibility_group_ids": declared.group_ids,
        "slug": declared.slug,
    }
    overrides = {key: value for key, value in given.items() if value is not UNSET}
    if overrides:
        content = {**content, "config": {**documents.config(content), **overrides}}
    return name.strip(), content


def _load_content(location: str, declared: DeclaredFlow, folder: Path) -> dict[str, Any]:
    key = "content" if declared.file is UNSET else "file"
    try:
        if declared.file is UNSET:
            # YAML has dates, NaN and cycles; a document is JSON.
            content = strict_json.loads(json.dumps(declared.content, allow_nan=False).encode())
        else:
            content = strict_json.load(folder / declared.file)
    except OSError as error:
        raise refusal_at(
            f"{location}.file", f"{folder / str(declared.file)} cannot be read: {error.strerror}."
        ) from None
    except (strict_json.InvalidJson, UnicodeError) as error:
        raise refusal_at(f"{location}.{key}", str(error)) from None
    except (TypeError, ValueError, RecursionError):
        raise refusal_at(f"{location}.{key}", "The document holds something that JSON cannot express.") from None
    if not isinstance(content, dict):
        raise refusal_at(f"{location}.{key}", "The document must be a JSON object.")
    return content


def _save(
    run: ApplyRun, location: str, tenant: Tenant, name: str, content: dict[str, Any], declared: DeclaredFlow
) -> Flow:
    found = list(Flow.objects.select_for_update().filter(tenant=tenant, name=name)[:2])
    description = documents.find_description(content) if declared.description is UNSET else declared.description
    if len(found) > 1:
        raise refusal_at(f"{location}.name", f"Several flows of {tenant} are called {name}. Rename all but one.")
    if not found:
        run.added(f"flow {name}")
        return actions.create_flow(
            tenant=tenant, name=name, content=content, description=description, actor=run.actor, at=run.at
        )
    [flow] = found
    saved = flow.saved
    is_new_content = _stored_part(content) != _stored_part(saved.content)
    if is_new_content or description != flow.description:
        kept = content if is_new_content else actions.UNCHANGED
        flow = actions.save_flow(
            flow, base_version=saved.version, content=kept, description=description, actor=run.actor, at=run.at
        )
        run.changed(f"flow {name}", f"saved as {flow.saved.version}" if is_new_content else "description")
    return flow


def _must_keep_memory(location: str, flow: Flow) -> None:
    """Refuse a deploy that would leave memories unread, unless the file says that it may."""
    saved = flow.saved
    state = deploy_state.find_state(flow, saved.version)
    lost = state.count_forgotten(saved.content) if state.is_behind else 0
    if lost:
        raise refusal_at(location, f"{MemoryAtStake(lost)} Set it to true to deploy all the same; they stay stored.")


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


def _stored_part(content: dict[str, Any]) -> dict[str, Any]:
    """What a save would store: the document without the fields that the server owns."""
    metadata = content.get("metadata")
    described = metadata if isinstance(metadata, dict) else {}
    kept = {key: value for key, value in content.items() if key not in (*OWNED, "metadata")}
    return {**kept, "metadata": {key: value for key, value in described.items() if key != "description"}}
