"""The Cores that use a provider or a secret, as its pages show them."""

from __future__ import annotations

from collections.abc import Collection

from publishing.models import Core, references


def cores_by_name(places: Collection[str], tenant_id: str) -> dict[str, list[Core]]:
    """For each name that live programs give at `places`, the Cores that do so, by slug, with their publications."""
    users = references.find_users(places, [tenant_id])
    wanted = {core_id for core_ids in users.values() for core_id in core_ids}
    cores = Core.objects.filter(pk__in=wanted).select_related("publication").in_bulk()
    return {name: [cores[core_id] for core_id in core_ids if core_id in cores] for (_, name), core_ids in users.items()}
