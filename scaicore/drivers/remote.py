"""The driver for Cores whose program runs elsewhere: it asks over HTTP and distrusts what comes back."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json, defect, size
from scaicore.program import RESPONSE
from scaicore.runtime.budget import MAX_HELD, RequestBudget
from scaicore.runtime.protocol import Event, Finished, RunRequest, TextDelta, Usage, response_text
from scaicore.runtime.scopes import check_state
from scaicore.services import RemoteCall, RemoteEnd, RemoteText, ServiceFailed

UNUSABLE = "service_upstream_failed"


class RemoteDriver:
    """Runs nothing here. The client keeps deadline and size; this driver decides what the answer means."""

    def calculate(self, request: RunRequest) -> None:
        """Another server is waited for."""

    async def run(self, request: RunRequest) -> AsyncGenerator[Event, None]:
        """The other side's text as it comes, then its output; closing the iterator hangs up."""
        call, end, streamed = _call(request), None, ""
        try:
            async with aclosing(request.services.remotes.stream(call)) as parts:
                async for part in parts:
                    if isinstance(part, RemoteText):
                        streamed += part.text
                        yield TextDelta(part.text)
                    else:
                        end = part
        except ServiceFailed as error:
            raise _error(error) from None
        if end is None:
            raise RunFailed(UNUSABLE)
        output, usage = _output(end, streamed), _usage(end)
        _count(request.services.budget, output, usage)
        yield Finished(output, usage, _state(end, request))


def _call(request: RunRequest) -> RemoteCall:
    remote = request.program.program.remote
    if remote is None or request.services.remotes is None:
        raise RunFailed("service_unconfigured")
    origin = request.origin
    body = {
        "input": request.input,
        "entity_id": request.entity_id,
        "state": request.state,
        "request": {"core": origin.core, "version": origin.version, "request_id": origin.request_id},
    }
    return RemoteCall(origin.core, remote.url, body, request.now, min(remote.timeout_s, request.deadline_s))


def _count(budget: RequestBudget | None, output: dict[str, Json], usage: Usage | None) -> None:
    """What the other side gave is used up by the request like what runs here."""
    if budget is not None:
        budget.hold(size(output, MAX_HELD))
        budget.spend(usage.prompt_tokens + usage.completion_tokens if usage else 0)


def _error(error: ServiceFailed) -> RunFailed | RunTimedOut:
    if error.reason == "timed_out":
        return RunTimedOut()
    return RunFailed(f"service_{error.reason}", said=error.said, retry_after_s=error.retry_after_s)


def _output(end: RemoteEnd, streamed: str) -> dict[str, Json]:
    """What the Core answers; where the end does not say, the texts before it were the response."""
    output = {RESPONSE: streamed, **end.output} if streamed else end.output
    if RESPONSE not in output:
        raise RunFailed(UNUSABLE)
    if defect(output):
        raise RunFailed("not_plain_data")
    if not response_text(output).startswith(streamed):
        raise RunFailed(UNUSABLE)  # what the client has read is not what the Core answers
    return output


def _usage(end: RemoteEnd) -> Usage | None:
    if end.prompt_tokens is None and end.completion_tokens is None:
        return None
    return Usage(end.prompt_tokens or 0, end.completion_tokens or 0)


def _state(end: RemoteEnd, request: RunRequest) -> dict[str, Json]:
    """What to remember: as it was where the end does not say, nothing in a Core that keeps no memory."""
    if not request.program.keeps_memory:
        return {}
    if end.state is None:
        return request.state
    # The same bound as for a flow that runs here: otherwise one Core could fill the database of all.
    check_state(end.state)
    return end.state
