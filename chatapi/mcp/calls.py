"""A call of a tool: the chat's decision, limits, run, usage and trace, and the reply as the result of the tool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple, cast

from chatapi import admission, auth, call_limits, completions, responses, stopping
from chatapi.chat_response import KEEP_ALIVE
from chatapi.errors import AccessDenied, KeyInvalid, ModelUnknown
from chatapi.mcp import messages, tools, versions
from chatapi.mcp.messages import ParamsInvalid, RpcMessage, RpcRefused
from chatapi.responses import Frames, Whole
from publishing import registry
from publishing.process.cached_settings import settings

CODE_KEY = "scaigrid/code"


class ToolCaller(NamedTuple):
    """Who calls a tool, and by what request."""

    authorization: str | None
    tenant_id: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    is_alone: bool


async def call(caller: ToolCaller, message: RpcMessage) -> Whole | Frames:
    """The answer to `tools/call`; as a stream with signs of life where that takes long and the client takes one."""
    patience_s = settings.KEEP_ALIVE_S if "text/event-stream" in caller.headers.get("accept", "") else None
    work = asyncio.create_task(_answer(caller, message))
    frames = _frames(work, caller, message, patience_s)
    first = await anext(frames)
    if isinstance(first, Whole):
        await frames.aclose()
        return first
    headers = responses.STREAM | {"x-request-id": caller.request_id}
    return Frames(headers, first, cast("AsyncGenerator[bytes]", frames))


async def _frames(
    work: asyncio.Task[Whole], caller: ToolCaller, message: RpcMessage, patience_s: float | None
) -> AsyncGenerator[Whole | bytes]:
    """The answer, or once that has taken too long for one, the frames of a stream. Its end is the end of the work."""
    has_begun = False
    try:
        with stopping.told():
            while not (await asyncio.wait({work}, timeout=patience_s))[0]:
                has_begun = True
                yield KEEP_ALIVE
        answer = work.result()
    except Exception as error:
        answer = messages.render_failure(error, message, caller.request_id, has_status=caller.is_alone)
    finally:
        work.cancel()
        await asyncio.wait({work})
    yield b"event: message\ndata: %s\n\n" % answer.body if has_begun else answer


async def _answer(caller: ToolCaller, message: RpcMessage) -> Whole:
    try:
        result, headers = await _run(caller, message.params)
    except (KeyInvalid, RpcRefused) as error:
        return messages.render_failure(error, message, caller.request_id, has_status=caller.is_alone)
    except (ModelUnknown, AccessDenied) as error:
        refusal = tools.unknown(message.params) if isinstance(error, ModelUnknown) else ParamsInvalid(error.message)
        return messages.render_failure(refusal, message, caller.request_id, has_status=caller.is_alone)
    except Exception as error:
        # The model behind the client reads it, and may do better.
        told = responses.refusal_for(error, caller.request_id)
        result = {**_text(told.message), "isError": True, "_meta": {CODE_KEY: told.code}}
        headers = told.headers
    return messages.render_result(
        message, result | (versions.COMPLETE if caller.is_alone else {}), caller.request_id, headers
    )


async def _run(caller: ToolCaller, params: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The result of a call that came to its end, and the headers that tell what is left of its limits."""
    model = tools.model_of(params, caller.tenant_id)
    with await admission.enter() as place:
        allowed = await auth.authorize(caller.authorization, model)
        core = await registry.load(allowed.version_id)
        request = tools.parse(model, params, core, caller.body, caller.headers)
        run = await completions.begin(caller.authorization, request, caller.request_id, place)
        result = await run.finish()
    return _text(result.reply.content or result.reply.refusal), call_limits.headers(run.taken) if run.taken else {}


def _text(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}
