"""What a run may use of the world outside, other Cores included: those run with the rights of the first caller."""

from __future__ import annotations

from chatapi import chat_request, runs
from chatapi.errors import ChatError, CoreFailed, CoreTimedOut
from identity import ids
from publishing import registry
from publishing.clients.http import TenantHttpClient
from publishing.clients.language_models import TenantModelClient
from publishing.clients.remote_cores import TenantRemoteClient
from publishing.mcp.client import TenantPluginClient
from publishing.process.cached_settings import settings
from publishing.registry import AllowedCall
from scaicore.runtime.budget import RequestBudget
from scaicore.services import CoreAnswer, CoreCall, ServiceFailed, Services

PURPOSE = "subflow"


def services(caller: AllowedCall, *, depth: int = 0, budget: RequestBudget | None = None) -> Services:
    """The services of a run on behalf of `caller`; `depth` Cores called each other before it.

    `budget` is the request's; its first run has none yet, and makes it.
    """
    tenant = caller.tenant_id
    budget = budget or _new_budget()
    return Services(
        models=TenantModelClient(tenant),
        http=TenantHttpClient(tenant),
        plugins=TenantPluginClient(tenant),
        cores=CallersCores(caller, budget),
        remotes=TenantRemoteClient(tenant),
        depth=depth,
        budget=budget,
    )


def _new_budget() -> RequestBudget:
    return RequestBudget(
        deadline_s=settings.RUN_DEADLINE_S,
        max_runs=settings.MAX_RUNS_PER_REQUEST,
        max_tokens=settings.MAX_TOKENS_PER_REQUEST,
    )


class CallersCores:
    """A `scaicore.services.CoreClient`: every call is decided and counted like one over HTTP, on one budget."""

    def __init__(self, caller: AllowedCall, budget: RequestBudget) -> None:
        self._caller = caller
        self._budget = budget

    async def call(self, call: CoreCall) -> CoreAnswer:
        """The other Core's output. A Core that the caller may not call looks like one that does not exist."""
        self._budget.start_run()
        async with self._budget.slot(call.depth):
            return await self._call(call)

    async def _call(self, call: CoreCall) -> CoreAnswer:
        # Others of the request may have crossed a bound while this one waited.
        self._budget.check()
        name = f"scaicore/{call.tenant}/{call.slug}"
        allowed = await registry.allowed(self._caller, name, version=call.version)
        if allowed is None:
            raise ServiceFailed("unconfigured")
        try:
            return await _run(allowed, name, call, self._budget)
        except CoreTimedOut:
            raise ServiceFailed("timed_out") from None
        except CoreFailed as error:
            raise ServiceFailed(error.reason, retry_after_s=error.retry_after_s) from None
        except ChatError:
            self._budget.check()
            raise ServiceFailed("upstream_failed") from None


async def _run(caller: AllowedCall, name: str, call: CoreCall, budget: RequestBudget) -> CoreAnswer:
    run = await runs.begin(
        caller,
        await registry.load(caller.version_id),
        chat_request.invocation(name, call.input, call.instance_key),
        purpose=PURPOSE,
        request_id=ids.new("req"),
        services=services(caller, depth=call.depth, budget=budget),
        timeout_s=call.timeout_s,
    )
    result = await run.finish()
    if not result.has_reported_usage:
        return CoreAnswer(result.output, None, None)
    return CoreAnswer(result.output, result.tokens.prompt_tokens, result.tokens.completion_tokens)
