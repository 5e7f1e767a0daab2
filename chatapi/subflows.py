"""What a run may use of the world outside, other Cores included: those run with the rights of the first caller."""

from __future__ import annotations

from chatapi import chat_request, runs
from chatapi.errors import ChatError, CoreTimedOut
from identity import ids
from publishing import registry
from publishing.clients.http import TenantHttpClient
from publishing.clients.language_models import TenantModelClient
from publishing.clients.remote_cores import TenantRemoteClient
from publishing.registry import AllowedCall
from scaicore.services import CoreAnswer, CoreCall, ServiceFailed, Services

PURPOSE = "subflow"


def services(caller: AllowedCall, *, depth: int = 0) -> Services:
    """The services of a run on behalf of `caller`; `depth` Cores called each other before it."""
    tenant = caller.tenant_id
    return Services(
        models=TenantModelClient(tenant),
        http=TenantHttpClient(tenant),
        cores=CallersCores(caller),
        remotes=TenantRemoteClient(tenant),
        depth=depth,
    )


class CallersCores:
    """A `scaicore.services.CoreClient`: every call is decided and counted like one over HTTP."""

    def __init__(self, caller: AllowedCall) -> None:
        self._caller = caller

    async def call(self, call: CoreCall) -> CoreAnswer:
        """The other Core's output. A Core that the caller may not call looks like one that does not exist."""
        name = f"scaicore/{call.tenant}/{call.slug}"
        allowed = await registry.allowed(self._caller, name, version=call.version)
        if allowed is None:
            raise ServiceFailed("unconfigured")
        try:
            return await _run(allowed, name, call)
        except CoreTimedOut:
            raise ServiceFailed("timed_out") from None
        except ChatError:
            raise ServiceFailed("upstream_failed") from None


async def _run(caller: AllowedCall, name: str, call: CoreCall) -> CoreAnswer:
    run = await runs.begin(
        caller,
        await registry.load(caller.version_id),
        chat_request.invocation(name, call.input, call.instance_key),
        purpose=PURPOSE,
        request_id=ids.new("req"),
        services=services(caller, depth=call.depth),
        timeout_s=call.timeout_s,
    )
    result = await run.finish()
    if not result.has_reported_usage:
        return CoreAnswer(result.output, None, None)
    return CoreAnswer(result.output, result.tokens.prompt_tokens, result.tokens.completion_tokens)
