"""A flow that needs the world outside: a model of a provider, and a secret."""

from __future__ import annotations

from copy import deepcopy

from django.utils import timezone

from identity.actors import Actor
from identity.models import Tenant
from publishing import actions
from publishing.models import Core
from tests.conftest import ECHO


def deploy_fetching(tenant: Tenant, actor: Actor) -> Core:
    """A Core whose flow asks a model of the provider `house` and sends the secret `token`; both are made.

    `127.0.0.1:9` must be allowed.
    """
    at = timezone.now()
    actions.create_provider(
        tenant=tenant, ref="house", base_url="http://127.0.0.1:9/v1", api_key="sk-very-secret", actor=actor, at=at
    )
    actions.create_secret(tenant=tenant, name="token", value="hush-hush", actor=actor, at=at)
    document = deepcopy(ECHO)
    document["config"]["core_identity"] = {"models": [{"role": "default", "ref": "house", "model": "m"}]}
    fetch = {"url": "http://127.0.0.1:9/x", "method": "GET", "secret_refs": {"authorization": "token"}}
    document["nodes"][1] |= {"type": "tool_http", "config": {**fetch, "result_binding": "response"}}
    flow = actions.create_flow(tenant=tenant, name="Fetch", content=document, actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core
