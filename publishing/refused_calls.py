"""Who was refused a model of their own tenant, and when last: a row for the ledger, so that no answer waits for it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class RefusedRow(Struct, frozen=True):
    """A refusal (403)."""

    core_id: str
    user_id: str
    at: datetime


# Joined with what exists: a user or Core that was deleted meanwhile must not cost the other rows.
INSERT = """
INSERT INTO publishing_refusal (core_id, user_id, last_at)
SELECT c.id, u.id, max(refused.at)
FROM jsonb_to_recordset(%s::jsonb) AS refused (core_id text, user_id text, at timestamptz)
JOIN publishing_core c ON c.id = refused.core_id JOIN identity_user u ON u.id = refused.user_id
GROUP BY c.id, u.id
ON CONFLICT (core_id, user_id) DO UPDATE SET last_at = greatest(publishing_refusal.last_at, EXCLUDED.last_at)
"""
