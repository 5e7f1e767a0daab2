"""The models that a key may call: what is listed is exactly what can be called."""

from __future__ import annotations

from typing import Any

from chatapi import auth
from chatapi.responses import Whole, render_json, render_refusal
from publishing import registry
from publishing.registry import LiveCore
from scaicore.capabilities import CAPABILITIES


async def list_models(authorization: str | None, *, request_id: str) -> Whole:
    """The answer to `GET /v1/models`."""
    try:
        key_id = await auth.authenticate(authorization)
        models = [_shown(model.name, model.published_at) for model in await registry.callable_models(key_id)]
    except Exception as error:
        return render_refusal(error, request_id)
    return render_json({"object": "list", "data": models}, request_id)


async def retrieve(authorization: str | None, name: str, *, request_id: str) -> Whole:
    """The answer to `GET /v1/models/{name}`: the same refusals as a call of that model."""
    try:
        allowed = await auth.authorize(authorization, name)
        core = await registry.load(allowed.version_id)
    except Exception as error:
        return render_refusal(error, request_id)
    shown = _shown(name, allowed.published_at) | {"capabilities": _capabilities(core)}
    return render_json(shown, request_id)


def _capabilities(core: LiveCore) -> dict[str, bool]:
    """What the model can do; clients of OpenAI's protocol pass over what they do not know."""
    return {name: name in core.program.capabilities for name in CAPABILITIES}


def _shown(name: str, published_at: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": published_at, "owned_by": name.split("/")[1]}
