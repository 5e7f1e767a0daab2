"""The response object: what of it is the request's, and what the run adds."""

from __future__ import annotations

import time
from typing import Any, Final

from chatapi.chat_response import FinishReason, Tokens
from chatapi.responses_api.response_request import ResponseBody
from identity import ids

INCOMPLETE: Final[dict[FinishReason, str]] = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponseLabel:
    """What all events of one answer share: its id and its request. Items bear the response's id, so that one that is
    only referred to leads to it."""

    def __init__(self, given: ResponseBody, *, is_stored: bool) -> None:
        self.id = ids.new("resp")
        self.created_at = int(time.time())
        self.given = given
        self.is_stored = is_stored

    def output_id(self, prefix: str, index: int) -> str:
        """The id of the item at `index` of the output."""
        return f"{prefix}_{self.id[5:]}{index:04x}"

    def input_id(self, prefix: str, index: int) -> str:
        """The id of the item at `index` of the input."""
        return f"{prefix}_{self.id[5:]}i{index:04x}"


def response_id_in(item_id: str) -> str:
    """The id of the response in which the item stands, by its own."""
    return f"resp_{item_id.partition('_')[2][:16]}"


def response_object(label: ResponseLabel, status: str, output: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The object, with the fields that OpenAI's description requires. `more`: what the run adds."""
    given = label.given
    text = given.text
    shown: dict[str, Any] = {
        "id": label.id,
        "object": "response",
        "created_at": label.created_at,
        "status": status,
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": given.instructions,
        "max_output_tokens": given.max_output_tokens,
        "max_tool_calls": given.max_tool_calls,
        "model": given.model,
        "output": output,
        "parallel_tool_calls": given.parallel_tool_calls is not False,
        "previous_response_id": given.previous_response_id,
        "reasoning": {"effort": given.reasoning and given.reasoning.effort, "summary": None},
        "store": label.is_stored,
        "temperature": given.temperature,
        "text": {"format": _format(text.format if text else None)},
        "tool_choice": given.tool_choice or "auto",
        "tools": [{"strict": None, "parameters": None, **tool} for tool in given.tools or ()],
        "top_p": given.top_p,
        "truncation": given.truncation or "disabled",
        "metadata": given.metadata or {},
    }
    optional = {name: getattr(given, name) for name in ("user", "safety_identifier", "prompt_cache_key")}
    if text is not None and text.verbosity is not None:
        shown["text"]["verbosity"] = text.verbosity
    return shown | {name: value for name, value in optional.items() if value is not None} | more


def finished_object(
    label: ResponseLabel, output: list[dict[str, Any]], finish_reason: FinishReason, tokens: Tokens
) -> dict[str, Any]:
    """The object of a run that has come to its end."""
    usage = _usage(tokens)
    if (reason := INCOMPLETE.get(finish_reason)) is not None:
        return response_object(label, "incomplete", output, incomplete_details={"reason": reason}, usage=usage)
    return response_object(label, "completed", output, completed_at=int(time.time()), usage=usage)


def failed_object(label: ResponseLabel, output: list[dict[str, Any]], error: dict[str, Any]) -> dict[str, Any]:
    """The object of a run that failed on its way; OpenAI's own codes are few."""
    code = "rate_limit_exceeded" if error["code"] == "rate_limit_exceeded" else "server_error"
    return response_object(label, "failed", output, error={"code": code, "message": error["message"]})


def _format(wanted: dict[str, Any] | None) -> dict[str, Any]:
    return {"type": "text"} if wanted is None else wanted


def _usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": tokens.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens.total_tokens,
    }
