"""A Core called with an input of the caller's own: the chat's decision, the chat's run, the module's envelope."""

from __future__ import annotations

from collections.abc import Mapping

from chatapi import admission, auth, call_headers, call_limits, chat_request, completions, responses, stopping
from chatapi.errors import ChatError, refused_field
from chatapi.responses import Whole
from publishing import registry


async def answer(
    authorization: str | None, core_id: str, headers: Mapping[str, str], body: bytes, *, request_id: str
) -> Whole:
    """The answer to one invocation; never raises but on cancellation."""
    try:
        with stopping.told(), await admission.enter() as place:
            name = await registry.published_name(core_id)
            try:
                request = parse(body, headers, model=name)
            except ChatError:
                await auth.authenticate(authorization)  # a stranger learns nothing about the body
                raise
            run = await completions.begin(authorization, request, request_id, place)
            result = await run.finish()
    except Exception as error:
        return responses.render_module_refusal(error, request_id)
    data = {"core_id": core_id, "version": run.core.number, "output": result.output, "usage": result.tokens}
    value = {"status": "ok", "data": data, "meta": {"request_id": request_id}}
    return responses.render_json(value, request_id, headers=call_limits.headers(run.taken))


async def refuse(authorization: str | None, error: ChatError, *, request_id: str) -> Whole:
    """The answer to a request whose headers were enough to refuse it; the key is checked first all the same."""
    try:
        await auth.authenticate(authorization)
    except Exception as earlier:
        return responses.render_module_refusal(earlier, request_id)
    return responses.render_module_refusal(error, request_id)


def parse(body: bytes, headers: Mapping[str, str], *, model: str) -> chat_request.Invocation:
    """The invocation in `body` of the Core that is published as `model`."""
    raw = chat_request.json_object(body)
    given = raw.get("input")
    if not isinstance(given, dict):
        raise refused_field("input", 'Send the call\'s input as an object, such as {"message": "hello"}.')
    entity_id = raw.get("entity_id")
    if entity_id is not None and not isinstance(entity_id, str):
        raise refused_field("entity_id", "`entity_id` must be a string.", "invalid_type")
    return chat_request.invocation(model, given, call_headers.entity_id(entity_id, headers), body=body, headers=headers)
