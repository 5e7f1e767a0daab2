"""Which live Cores name a provider, an MCP server or a secret: shown beside each, and asked before one is removed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import connection

# A program is searched for names at these places, which are JSON paths.
PROVIDERS: Final = ("$.models[*].ref", "$.models[*].fallback[*].ref")
MCP_SERVERS: Final = ('$.nodes[*] ? (@.kind == "tool_plugin").config.plugin', "$.nodes[*].config.tools[*].mcp")
SECRETS: Final = ("$.nodes[*].config.secret_refs.*", "$.nodes[*].config.auth.secret_ref")

NAMED = """
SELECT DISTINCT c.tenant_id, used.name #>> '{}', c.slug, c.id
FROM publishing_core c JOIN publishing_coreversion v ON v.id = c.live_id
CROSS JOIN LATERAL (SELECT jsonb_path_query(v.program, place::jsonpath) FROM unnest(%s::text[]) place) used (name)
WHERE c.tenant_id = ANY (%s) ORDER BY 1, 2, 3
"""


def find_users(places: Collection[str], tenants: Collection[str]) -> dict[tuple[str, str], list[str]]:
    """By tenant and name, the ids of the Cores whose live program gives that name at one of `places`, by slug."""
    found: dict[tuple[str, str], list[str]] = {}
    for tenant_id, name, _, core_id in _rows(places, tenants):
        found.setdefault((tenant_id, name), []).append(core_id)
    return found


def find_slugs(places: Collection[str], tenant: str, name: str) -> list[str]:
    """The slugs of the tenant's Cores whose live program gives `name` at one of `places`."""
    return [slug for _, named, slug, _ in _rows(places, [tenant]) if named == name]


def _rows(places: Collection[str], tenants: Collection[str]) -> list[tuple[str, str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(NAMED, [list(places), list(tenants)])
        rows: list[tuple[str, str, str, str]] = cursor.fetchall()
        return rows
