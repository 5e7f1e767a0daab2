"""What a run of a draft takes of limits. No publication allows it, so it is not the decision that takes them."""

from __future__ import annotations

from typing import Final

from publishing.db import pool
from publishing.limits.reservation import TAKE, Estimate, Taken, read

TAKE_FOR_DRAFT: Final = f"""
WITH decided AS MATERIALIZED (
    SELECT %s::text AS key_id, %s::text AS user_id, %s::text AS tenant_id, %s::text AS publication_id,
           true AS may_call, 1 AS index, %s::bigint AS prompt, %s::bigint AS completion
)
{TAKE}
SELECT limits FROM taken
"""  # noqa: S608  our own text


async def take_for_draft(
    *, key_id: str, user_id: str, tenant_id: str, core_id: str, estimate: Estimate
) -> tuple[Taken, ...]:
    """What the run takes of the limits that are on its caller; `core_id` is its flow's Core, if there is one."""
    values = [key_id, user_id, tenant_id, core_id, estimate.prompt, estimate.completion]
    rows = await pool.rows_once(TAKE_FOR_DRAFT, values)
    return read(rows[0][0]) if rows else ()
