"""The demo: a tenant to look at and a key to call with, created once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from identity import actors, keys
from identity.models import Tenant, User
from publishing import declared
from publishing.models import Core

FLOWS = Path(__file__).resolve().parent.parent / "flows"
FILE = FLOWS / "demo.yaml"
ASSISTANT_FILE = FLOWS / "demo-llm.yaml"
TENANT = "acme"
EMAIL = "root@acme.test"
PASSWORD = "change-me"  # noqa: S105  the demo's, printed at its first start
CALLER = "ann@acme.test"
MODEL = "scaicore/acme/echo-agent"
ASSISTANT = "scaicore/acme/assistant"


@dataclass(frozen=True)
class Demo:
    """What the demo made. `password` and `key` are None when it existed before: they may have changed."""

    is_new: bool
    key: str | None
    password: str | None
    email: str = EMAIL
    caller: str = CALLER
    model: str = MODEL


@transaction.atomic
def add_assistant(*, at: datetime) -> str:
    """Make the demo's flow that calls the provider `demo`, unless it exists; returns its model's name."""
    declared.wait_for_others()
    if not Core.objects.filter(tenant=TENANT, slug="assistant").exists():
        declared.apply(ASSISTANT_FILE, actor=actors.operator("demo"), at=at)
    return ASSISTANT


@transaction.atomic
def prepare(*, at: datetime) -> Demo:
    """Make the demo tenant with its flow, published, and a key for Ann; changes nothing when the tenant exists."""
    declared.wait_for_others()
    if Tenant.objects.filter(pk=TENANT).exists():
        return Demo(is_new=False, key=None, password=None)
    operator = actors.operator("demo")
    declared.apply(FILE, actor=operator, at=at)
    _, key = keys.mint(user=User.objects.get(email=CALLER), name="Demo", actor=operator, at=at)
    return Demo(is_new=True, key=key, password=PASSWORD)
