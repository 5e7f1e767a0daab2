"""Staff in front of the admin."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin.utils import quote
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from identity.models import AuditEntry, Tenant, User

# What a strict content security policy would not run: scripts and styles inside the page.
INLINE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", re.IGNORECASE)


def superuser() -> User:
    """Somebody who manages every tenant, from a tenant of its own."""
    return User.objects.create_superuser("sue@ops.test", tenant="ops", password="change-me")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(rows: str, row: Any, name: str = "change") -> str:
    """The URL of one row's page; the admin writes some characters of an id in its own way."""
    return f"{rows}{quote(row.pk)}/{name}/"


def fields_on(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send for the form of an admin page that nobody touched."""
    return fields_in(client.get(url))


def fields_in(answer: Any) -> dict[str, Any]:
    """The same for a page that came back with errors."""
    values = {field.name: field.value() for field in answer.context["adminform"].form}
    sent = {name: "on" if value is True else value for name, value in values.items()}
    return {name: value for name, value in sent.items() if value not in (None, False, [])}


def send(client: Client, url: str, fields: dict[str, Any], **changes: Any) -> Any:
    """Save an admin page with some fields changed; None takes a field away, as an unticked box does."""
    return client.post(url, {name: value for name, value in {**fields, **changes}.items() if value is not None})


def errors_in(answer: Any) -> dict[str, list[str]]:
    """What a page says beside each field; under `__all__` what is about none of them."""
    assert answer.status_code == 200
    return {name: list(said) for name, said in answer.context["adminform"].form.errors.items()}


def choose(client: Client, url: str, action: str, rows: list[Any], **more: str) -> HttpResponse:
    """Run an action of a list on some of its rows."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more}
    return client.post(url, data, follow=True)  # type: ignore[return-value]


def previewed(client: Client, url: str, action: str, rows: list[Any], **chosen: Any) -> HttpResponse:
    """The page that says what a change of these rows would do; `chosen` is what its form asks for."""
    return choose(client, url, action, rows, **({"filled": "1", **chosen} if chosen else {}))


def confirm(client: Client, url: str, preview: Any, **chosen: Any) -> HttpResponse:
    """Press the button of that page, as it was shown."""
    context = preview.context
    rows = [line.row for line in context["lines"]]
    more = {"filled": "1", "confirm": "yes", "seen": context["seen"], "back": context["back"], **chosen}
    return choose(client, url, context["change"].name, rows, **more)


def audited() -> list[str]:
    """The actions in the audit log, oldest first."""
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def queries(client: Client, url: str) -> int:
    """How many statements a page takes."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def tenant_off(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
