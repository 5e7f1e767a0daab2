"""A Core called by another server: allowed by the signature of its body, which is the input; no user calls.

The way inside: find, check the signature, parse, run. What cannot be called by webhook answers like a URL that
is not served.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from chatapi import admission, call_headers, chat_request, responses, runs, stopping, subflows
from chatapi.errors import ChatError, SignatureInvalid, UrlUnknown, refused_field
from chatapi.responses import Whole
from publishing import memory, registry
from publishing.clients.http import TenantHttpClient
from scaicore import webhooks
from scaicore.services import ServiceFailed
from scaicore.webhooks import Webhook

log = logging.getLogger(__name__)

PURPOSE: Final = "webhook"


class CalledWebhook(NamedTuple):
    """A Core that can be called by webhook."""

    name: str
    caller: registry.AllowedCall
    core: registry.LiveCore
    webhook: Webhook


async def answer(tenant: str, slug: str, headers: Mapping[str, str], body: bytes, *, request_id: str) -> Whole:
    """The answer to one call of a webhook. `headers` by lower-case name; never raises but on cancellation."""
    try:
        with stopping.told(), await admission.enter() as place:
            hook = await _find(tenant, slug)
            # Before the body is parsed: a stranger learns nothing about it.
            await _check_signature(hook, headers, body)
            place.assign(hook.caller)
            run = await runs.begin(
                hook.caller,
                hook.core,
                _parse(hook, headers, body),
                purpose=PURPOSE,
                request_id=request_id,
                services=subflows.services(hook.caller),
                entry=hook.webhook.entry,
            )
            result = await run.finish()
    except Exception as error:
        return responses.render_module_refusal(error, request_id)
    return responses.render_json({"output": result.output}, request_id)


async def refuse(tenant: str, slug: str, error: ChatError, *, request_id: str) -> Whole:
    """The answer to a request whose headers were enough to refuse it, where there is a webhook at all."""
    try:
        await _find(tenant, slug)
    except Exception as earlier:
        return responses.render_module_refusal(earlier, request_id)
    return responses.render_module_refusal(error, request_id)


async def _find(tenant: str, slug: str) -> CalledWebhook:
    caller = await registry.unattended(tenant, slug)
    if caller is None:
        raise UrlUnknown
    core = await registry.load(caller.version_id)
    webhook = webhooks.find_webhook(core.program.program)
    if webhook is None:
        raise UrlUnknown
    return CalledWebhook(f"scaicore/{tenant}/{slug}", caller, core, webhook)


async def _check_signature(hook: CalledWebhook, headers: Mapping[str, str], body: bytes) -> None:
    """Refuse what is not signed with the tenant's secret; where there is no secret, nothing is signed."""
    signature = headers.get(hook.webhook.header.lower(), "")
    try:
        secret = await TenantHttpClient(hook.caller.tenant_id).secret(hook.webhook.secret_ref)
    except ServiceFailed:
        log.warning("webhook.unconfigured model=%s: no secret `%s`", hook.name, hook.webhook.secret_ref)
        raise SignatureInvalid from None
    if not webhooks.is_signed(body, signature, secret):
        raise SignatureInvalid


def _parse(hook: CalledWebhook, headers: Mapping[str, str], body: bytes) -> chat_request.Invocation:
    given = chat_request.json_object(body)
    keeps_entities = hook.core.program.program.instance_mode == "entity"
    request = chat_request.invocation(
        hook.name, given, _entity_id(given) if keeps_entities else None, body=body, headers=headers
    )
    if request.idempotency_key is None:
        return request
    # No user calls, so the keys of all webhooks would share one owner; each gets keys of its own.
    own = memory.fingerprint(hook.caller.core_id, request.idempotency_key).hex()
    return msgspec.structs.replace(request, idempotency_key=own)


def _entity_id(given: dict[str, Any]) -> str:
    """The entity that the signed body names. No header may: a signed body that somebody saw would fit any."""
    entity_id = given.get("entity_id")
    if entity_id is None:
        message = "This webhook keeps memory: send `entity_id` in the body."
        raise refused_field("entity_id", message, "missing_required_parameter")
    if not isinstance(entity_id, str):
        raise refused_field("entity_id", "`entity_id` must be a string.", "invalid_type")
    return call_headers.entity_id(entity_id, call_headers.NO_HEADERS) or ""
