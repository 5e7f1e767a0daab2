"""What stays of entries that retention cut away: an entry that says how many they were, signed with `SECRET_KEY`."""

from __future__ import annotations

import json
from typing import Any, Final

from django.core import signing

from identity.models import AuditEntry

ACTION: Final = "audit.cut"
_SALT: Final = "identity.audit.stub"


def sign(tenant: str, facts: dict[str, Any]) -> dict[str, Any]:
    """`facts` (plain JSON values, of which `seq` and `hash` name the last link that was cut) with their signature."""
    return {**facts, "signature": signing.Signer(salt=_SALT).signature(_text(tenant, facts))}


def has_stub(tenant: str, seq: int, link_hash: str) -> bool:
    """Whether an entry with a right signature says that everything up to the link `seq` with this hash was cut."""
    stubs = AuditEntry.objects.filter(tenant=tenant, action=ACTION, after__seq=seq, after__hash=link_hash)
    return any(_is_signed(tenant, stub.after or {}) for stub in stubs)


def _is_signed(tenant: str, stub: dict[str, Any]) -> bool:
    facts = {name: value for name, value in stub.items() if name != "signature"}
    try:
        signing.Signer(salt=_SALT).unsign(f"{_text(tenant, facts)}:{stub.get('signature', '')}")
    except signing.BadSignature:
        return False
    return True


def _text(tenant: str, facts: dict[str, Any]) -> str:
    return json.dumps([tenant, facts], sort_keys=True)
