"""One request of `/v1/responses` as a chat request, and the chat's answer as a response."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping

import msgspec
import psycopg

from chatapi import auth, call_headers, chat_messages, completions
from chatapi.chat_messages import Message
from chatapi.chat_request import ChatRequest
from chatapi.chat_response import encode
from chatapi.completions import FrameWriter
from chatapi.errors import ChatError
from chatapi.replays import Replay, Result
from chatapi.responses_api import earlier, items, response_request, stored_responses, wording
from chatapi.responses_api.events import EventWriter
from chatapi.responses_api.items import Item
from chatapi.responses_api.response_object import ResponseLabel, response_object
from chatapi.responses_api.response_request import ResponseRequest
from chatapi.runs import Run
from publishing.process.cached_settings import settings

log = logging.getLogger(__name__)


class ResponsesAdapter:
    """`POST /v1/responses`: made for one request, since what is stored is what was shown."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._input: list[Item] = []
        self._user_id = ""  # of whom the response is stored while it is under way

    async def read(self, authorization: str | None, headers: Mapping[str, str], body: bytes) -> ChatRequest:
        """The request in `body`, behind what it goes on from."""
        if len(body) > completions.LARGE_BODY:
            request = await asyncio.to_thread(response_request.parse, body)
        else:
            request = response_request.parse(body)
        given = request.given
        is_stored = given.store is not False and settings.STORED_DAYS > 0
        self._label = ResponseLabel(given, is_stored=is_stored)
        self._writer = EventWriter(self._label)
        history: list[tuple[str, Item]] = []
        if given.previous_response_id is not None or items.referred(request.items):
            caller = await auth.identify(authorization)
            history = await earlier.history(caller, authorization, given.previous_response_id)
            request = msgspec.structs.replace(
                request, items=await earlier.fill_in(caller, authorization, request.items)
            )
        self._input = [self._identified(index, item) for index, item in enumerate(request.items)]
        return self._chat_request(request, history, headers)

    def render(self, request: ChatRequest, result: Result) -> bytes:
        """The `response` object."""
        return encode(self._response)

    def writer(self, request: ChatRequest) -> FrameWriter:
        """`response.…` events."""
        return self._writer

    async def begin_stream(self, run: Run | Replay) -> None:
        """Its caller knows the id from now on."""
        if self._label.is_stored:
            self._user_id = run.user_id
            begun = response_object(self._label, "in_progress", [])
            await stored_responses.keep(run.user_id, begun, self._input)

    async def keep(self, run: Run | Replay, result: Result) -> None:
        """Store the response, unless the caller or the operator wants none stored."""
        self._response = self._writer.finished(result)
        if self._user_id:
            await stored_responses.end(run.user_id, self._response)
        elif self._label.is_stored:
            await stored_responses.keep(run.user_id, self._response, self._input)

    async def note_failure(self, refusal: ChatError) -> None:
        """The response is there, and has failed."""
        if self._user_id:
            await self._note(self._writer.failed({"code": refusal.code, "message": refusal.message}))

    async def note_departure(self) -> None:
        """The response is there, and nobody works on it any more."""
        if self._user_id:
            await self._note(self._writer.cancelled())

    async def _note(self, ended: Item) -> None:
        """Store how the response has ended. A database that is away does not hold up the news."""
        try:
            await stored_responses.end(self._user_id, ended)
        except (psycopg.Error, OSError):
            log.warning("response.lost: the database is away, and it is not noted how %s ended", ended["id"])

    def reword(self, error: Exception) -> Exception:
        """The chat's refusals name its own fields and messages."""
        return wording.reword(error, self._paths)

    def _identified(self, index: int, item: Item) -> Item:
        prefix = {"function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}.get(item["type"], "msg")
        return {"id": self._label.input_id(prefix, index), **item}

    def _chat_request(
        self, request: ResponseRequest, history: list[tuple[str, Item]], headers: Mapping[str, str]
    ) -> ChatRequest:
        given = request.given
        messages, self._paths = items.converse(
            [*history, *((f"input[{index}]", item) for index, item in enumerate(request.items))]
        )
        if given.instructions is not None:
            messages.insert(0, {"role": "developer", "content": given.instructions})
            self._paths.insert(0, "instructions")
        read = [msgspec.convert(message, Message) for message in messages]
        params = response_request.chat_params(request)
        return ChatRequest(
            model=given.model,
            message=chat_messages.spoken_text(read),
            messages=messages,
            texts=[chat_messages.text_of(message) for message in read],
            params=params,
            demands=response_request.demands(params) | chat_messages.media_paths(messages),
            is_streamed=bool(given.stream),
            has_usage_chunk=False,
            stop=(),
            entity_id=call_headers.entity_id(given.entity_id, headers),
            idempotency_key=call_headers.idempotency_key(headers),
            is_retry=call_headers.is_retry(headers),
            task=call_headers.task(headers),
            fingerprint=hashlib.sha256(request.body).digest(),
            ignored=request.ignored,
            media_tokens=0,
            is_stored=self._label.is_stored,
        )
