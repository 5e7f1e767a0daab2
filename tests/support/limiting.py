"""Limits of the tenant acme, made past the actions."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from publishing.models import UsageLimit


def make_limit(amount: float, measure: str = "requests", per: str = "day", **more: Any) -> UsageLimit:
    """A limit of acme."""
    now = timezone.now()
    return UsageLimit.objects.create(
        tenant_id="acme", amount=amount, measure=measure, per=per, created_at=now, updated_at=now, **more
    )
