"""`manage.py reseal`."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from identity import actors
from identity.models import AuditEntry, User
from publishing import actions, providers, vault
from publishing.actions import RemoteProgram
from publishing.clients import http, remote_cores
from publishing.mcp import servers
from publishing.models import Core, McpServer, ModelProvider, Secret


@pytest.fixture
def sealed(root: User) -> None:
    """A provider with a key, one without; a secret; an MCP server with a header, one without; a remote Core."""
    tenant, actor, at = root.tenant, actors.actor_of(root), timezone.now()
    for ref, key in (("house", "sk-1"), ("open", "")):
        actions.create_provider(tenant=tenant, ref=ref, base_url="https://a.example", api_key=key, actor=actor, at=at)
    actions.create_secret(tenant=tenant, name="crm", value="token", actor=actor, at=at)
    headers = {"Authorization": "tok"}
    made = {"tenant": tenant, "actor": actor, "at": at, "url": "https://c.example/mcp"}
    actions.create_mcp_server(ref="weather", headers=headers, **made)
    actions.create_mcp_server(ref="bare", **made)
    program = RemoteProgram("https://b.example/", secret="a-secret-of-both-sides")
    actions.create_core(tenant=tenant, name="Far", remote=program, actor=actor, at=at)


def resealed() -> str:
    out = StringIO()
    call_command("reseal", stdout=out)
    return out.getvalue()


def test_after_a_new_secret_key_everything_opens_without_the_earlier_one(sealed: None, settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    assert resealed() == "Resealed 4.\n"
    settings.SECRET_KEY_FALLBACKS = []
    key, secret = ModelProvider.objects.get(ref="house").sealed_key, Secret.objects.get().sealed
    assert vault.unseal(bytes(key or b""), context=providers.key_context("acme", "house")) == "sk-1"
    assert vault.unseal(bytes(secret), context=http.secret_context("acme", "crm")) == "token"
    target = servers.ready(McpServer.objects.get(ref="weather"))
    assert target is not None and target.headers == {"Authorization": "tok"}
    core = Core.objects.get()
    assert vault.unseal(
        bytes(core.sealed_secret or b""), context=remote_cores.secret_context("acme", core.pk)
    ).startswith("a-sec")
    assert AuditEntry.objects.get(action="secrets.resealed").after == {"count": 4}


def test_a_second_time_does_nothing(sealed: None) -> None:
    assert resealed() == "Resealed 0.\n"
    assert not AuditEntry.objects.filter(action="secrets.resealed").exists()


def test_what_no_key_opens_is_named_and_left_alone(sealed: None, settings: LazySettings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", []
    before = bytes(Secret.objects.get().sealed)
    with pytest.raises(CommandError, match=r"provider acme house, mcp server acme weather, secret acme crm"):
        resealed()
    assert bytes(Secret.objects.get().sealed) == before
