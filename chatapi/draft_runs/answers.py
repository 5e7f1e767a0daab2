"""A draft's run from its begin to its end, answered whole or as a stream of events.

A run that fails is an answer, too: whoever tries a flow wants to see where it failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Any, Final

import msgspec

from chatapi import admission, call_limits, chat_response, completions, open_streams, responses, stopping
from chatapi.admission import Place
from chatapi.draft_runs.drafts import Draft
from chatapi.draft_runs.dry_run import DryRun
from chatapi.errors import ChatError, CoreFailed, CoreTimedOut
from chatapi.models import Outcome
from chatapi.replays import Replay
from chatapi.responses import Frames, Whole
from chatapi.runs import Run
from publishing import limits
from publishing.process.cached_settings import settings

PURPOSE: Final = "test"


async def answer(draft: Draft, authorization: str | None, request_id: str) -> Whole | Frames:
    """Run the draft. Raises `ChatError` where the run does not begin."""
    with stopping.told(), await admission.enter() as place:
        if draft.is_streamed:
            return await _begin_stream(draft, authorization, request_id, place)
        run, shown = await _run(draft, request_id, place)
        return responses.render_json(shown, request_id, headers=call_limits.headers(run.taken))


async def try_out(draft: Draft, request_id: str) -> dict[str, Any]:
    """What `answer` gives, as data. Raises `ChatError` where the run does not begin."""
    with await admission.enter() as place:
        return (await _run(draft, request_id, place))[1]


async def _run(draft: Draft, request_id: str, place: Place) -> tuple[Run | Replay, dict[str, Any]]:
    dry_run = DryRun(draft.state)
    run = await _begin(draft, dry_run, request_id, place)
    return run, await _finish(run, draft, dry_run, request_id)


async def _begin(draft: Draft, dry_run: DryRun, request_id: str, place: Place) -> Run | Replay:
    caller, estimate = draft.caller, call_limits.estimate(draft.request)
    place.assign(caller)
    taken = await limits.take_for_draft(
        key_id=caller.key_id,
        user_id=caller.user_id,
        tenant_id=caller.tenant_id,
        core_id=caller.core_id,
        estimate=estimate,
    )
    caller = caller._replace(taken=taken)
    call_limits.check(caller)
    try:
        return await completions.start(caller, draft.core, draft.request, request_id, purpose=PURPOSE, dry_run=dry_run)
    except BaseException:
        call_limits.give_back(caller)
        raise


async def _finish(run: Run | Replay, draft: Draft, dry_run: DryRun, request_id: str) -> dict[str, Any]:
    """Let the run come to its end: the answer, however it ended."""
    try:
        result = await run.finish()
    except (CoreFailed, CoreTimedOut) as error:
        outcome = Outcome.TIMED_OUT if isinstance(error, CoreTimedOut) else Outcome.FAILED
        return _shown(draft, dry_run, request_id, outcome) | {"error": _error(error)}
    return _shown(draft, dry_run, request_id, Outcome.OK) | {
        "response": result.output["response"],
        "output": result.output,
        "usage": result.tokens,
        "finish_reason": result.finish_reason,
        "state": dry_run.state,
        "is_waiting": dry_run.is_waiting,
    }


def _shown(draft: Draft, dry_run: DryRun, request_id: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "outcome": outcome.value,
        "nodes": dry_run.nodes,
        "diagnostics": msgspec.to_builtins(draft.warnings),
    }


def _error(error: ChatError) -> dict[str, str]:
    return {"code": error.code, "message": error.message}


async def _begin_stream(draft: Draft, authorization: str | None, request_id: str, place: Place) -> Frames:
    with ExitStack() as held:
        if authorization is not None:
            held.enter_context(open_streams.counted(authorization))
        dry_run = DryRun(draft.state)
        run = await _begin(draft, dry_run, request_id, place)
        held.callback(place.hand_over())
        frames = _frames(run, draft, dry_run, request_id, held.pop_all())
        headers = responses.STREAM | {"x-request-id": request_id} | call_limits.headers(run.taken)
        return Frames(headers, await anext(frames), frames)


async def _frames(
    run: Run | Replay, draft: Draft, dry_run: DryRun, request_id: str, held: ExitStack
) -> AsyncGenerator[bytes]:
    working = asyncio.create_task(_work(run, draft, dry_run, request_id))
    try:
        while True:
            try:
                frame = await asyncio.wait_for(dry_run.frames.get(), settings.KEEP_ALIVE_S)
            except TimeoutError:
                frame = chat_response.KEEP_ALIVE
            if frame is None:
                return
            yield frame
    finally:
        # A caller who left ends the run, which is counted as one that was left.
        working.cancel()
        await asyncio.wait({working})
        held.close()


async def _work(run: Run | Replay, draft: Draft, dry_run: DryRun, request_id: str) -> None:
    """Run, and say everything that happens."""
    try:
        async with aclosing(run):
            try:
                async for piece in run.text():
                    if piece.kind != "tool_call":
                        dry_run.say("text", {"text": piece.text, "kind": piece.kind})
                    await asyncio.sleep(0)  # a run that never waits must not hold up others
            except (CoreFailed, CoreTimedOut) as error:
                outcome = Outcome.TIMED_OUT if isinstance(error, CoreTimedOut) else Outcome.FAILED
                shown = _shown(draft, dry_run, request_id, outcome) | {"error": _error(error)}
            else:
                shown = await _finish(run, draft, dry_run, request_id)
            dry_run.say("run.finished", shown)
    except Exception as error:
        refusal = responses.refusal_for(error, request_id)
        dry_run.say("run.finished", _shown(draft, dry_run, request_id, Outcome.FAILED) | {"error": _error(refusal)})
    finally:
        dry_run.end()
