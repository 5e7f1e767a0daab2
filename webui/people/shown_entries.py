"""Entries of the audit log as a page shows them: what each is about, with its link where the thing is still there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.urls import reverse

from identity.audit.differences import differences, last_name, noun
from identity.models import ApiKey, AuditEntry, Door, Group, User
from publishing.actions.undoing import is_undoable
from publishing.models import Core, Flow, McpServer, ModelProvider, Secret, UsageLimit


class Subject(NamedTuple):
    """What an entry is about: how it is called now, and the address of its page."""

    label: str
    url: str


@dataclass(frozen=True)
class ShownEntry:
    """An entry with what it is about, or what that was called last, and the values that changed."""

    entry: AuditEntry
    subject: Subject | None
    last_name: str
    actor_url: str
    door: str
    changes: list[tuple[str, str]]
    is_undoable: bool


Finder = Callable[[str, set[str]], dict[str, Subject]]


def show_entries(tenant_id: str, entries: list[AuditEntry]) -> list[ShownEntry]:
    """The entries in their order. One statement finds all things of a kind."""
    wanted: dict[Finder, set[str]] = defaultdict(set)
    for entry in entries:
        if noun(entry) in SUBJECTS:
            wanted[SUBJECTS[noun(entry)]].add(entry.target)
    found = {find: find(tenant_id, targets) for find, targets in wanted.items()}
    actors = _people(tenant_id, {entry.actor_id for entry in entries})
    return [
        ShownEntry(
            entry,
            found.get(SUBJECTS.get(noun(entry), _nothing), {}).get(entry.target),
            last_name(entry),
            actors[entry.actor_id].url if entry.actor_id in actors else "",
            dict(Door.choices).get(entry.door, ""),
            differences(entry.before, entry.after),
            is_undoable(entry),
        )
        for entry in entries
    ]


def _nothing(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    return {}


def _people(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    found = User.objects.filter(tenant=tenant_id, pk__in=targets)
    return {one.pk: Subject(one.email, reverse("person", args=[one.pk])) for one in found}


def _owners(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    """Of a key, the person that it is of."""
    found = ApiKey.objects.filter(user__tenant=tenant_id, pk__in=targets).select_related("user")
    return {one.pk: Subject(f"{one.name} of {one.user.email}", reverse("person", args=[one.user_id])) for one in found}


def _groups(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    found = Group.objects.filter(tenant=tenant_id, scaikey_id__in=targets)
    return {one.scaikey_id: Subject(one.label, reverse("group", args=[one.scaikey_id])) for one in found}


def _cores(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    """The page of the model; of a Core that is not published, its flow's."""
    found = Core.objects.filter(tenant=tenant_id, pk__in=targets).select_related("publication")
    return {one.pk: Subject(one.model_name, url) for one in found if (url := _page_of(one))}


def _page_of(core: Core) -> str:
    if hasattr(core, "publication"):
        return reverse("model", args=[core.pk])
    return reverse("flow", args=[core.flow_id]) if core.flow_id else ""


def _flows(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    found = Flow.objects.filter(tenant=tenant_id, pk__in=targets)
    return {one.pk: Subject(one.name, reverse("flow", args=[one.pk])) for one in found}


def _limits(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    found = UsageLimit.objects.filter(tenant=tenant_id, pk__in=targets)
    return {one.pk: Subject(f"Limit of {one}", reverse("limit", args=[one.pk])) for one in found}


def _providers(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    return _named(ModelProvider.objects.filter(tenant=tenant_id, ref__in=targets).values_list("ref"), "provider")


def _mcp_servers(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    return _named(McpServer.objects.filter(tenant=tenant_id, ref__in=targets).values_list("ref"), "mcp-server")


def _secrets(tenant_id: str, targets: set[str]) -> dict[str, Subject]:
    return _named(Secret.objects.filter(tenant=tenant_id, name__in=targets).values_list("name"), "secret")


def _named(rows: Iterable[tuple[str]], view: str) -> dict[str, Subject]:
    return {name: Subject(name, reverse(view, args=[name])) for (name,) in rows}


# The noun before the dot of an action → how its things are found.
SUBJECTS: Final[dict[str, Finder]] = {
    "access": _cores,
    "core": _cores,
    "flow": _flows,
    "group": _groups,
    "key": _owners,
    "limit": _limits,
    "mcp_server": _mcp_servers,
    "provider": _providers,
    "publication": _cores,
    "secret": _secrets,
    "signin": _people,
    "user": _people,
}
