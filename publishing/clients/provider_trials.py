"""A provider, tried: which models it lists, whether one of them answers, and what its server refuses."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any, Final

from msgspec import Struct

from publishing import outbound, providers
from publishing.clients import lenient_json, model_answers, model_quirks
from publishing.clients.model_answers import Question
from publishing.clients.model_refusals import read_refusal
from publishing.providers import Provider
from scaicore.errors import REASONS
from scaicore.services import ModelCall, ModelEnd, ModelRefusal, ModelText, Reason, ServiceFailed

LONGEST_S: Final = 60.0
MOST_LIST_BYTES: Final = 5_000_000
MOST_SHOWN: Final = 100
MOST_LISTED: Final = 2_000
LONGEST_ID: Final = 200
LONGEST_TEXT: Final = 500

# What is listed among the models and answers no chat.
_NO_CHAT: Final = re.compile(
    r"embed|whisper|tts|dall-?e|image|audio|speech|transcri|moderation|rerank|realtime|guard|bge-|sora|veo|ocr", re.I
)
# Every field that servers are known to refuse, so that a trial finds out.
CALL: Final = ModelCall(
    (),
    [
        {"role": "system", "content": "Answer with one short sentence."},
        {"role": "user", "content": "Say hello."},
    ],
    {"temperature": 0.2, "max_tokens": 1_000},
)
_FIXES: Final[dict[Reason, str]] = {
    "unreachable": "Check host and port of the base URL, and whether the server runs.",
    "refused_address": "Ask the operator to list the host in OUTBOUND_ALLOWED_HOSTS.",
    "timed_out": "Check whether the server is at work, or give it a longer timeout_s.",
    "rate_limited": "Wait a little, and try again.",
    "quota_exhausted": "Look after the account at the provider.",
    "overloaded": "Wait a little, and try again.",
    "denied": "Check the key, and what its account may do.",
    "missing": "Check the base URL, which usually ends in /v1, and the name of the model.",
    "unconfigured": "Send the key again.",
    "no_text": "Try another model.",
}
_OTHERWISE: Final = "See what the server said; some servers need an option."


class TrialProblem(Struct, frozen=True):
    """Why the server did not do what it was asked to; `said` are its own words."""

    reason: str
    message: str
    fix: str
    said: str


class ListedModels(Struct, frozen=True):
    """The models that the server lists, or why it does not."""

    ids: list[str]
    total: int
    problem: TrialProblem | None = None


class TriedChat(Struct, frozen=True):
    """The short answer of one model, or why there is none."""

    model: str
    text: str = ""
    finish_reason: str = ""
    duration_ms: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    problem: TrialProblem | None = None


class Trial(Struct, frozen=True):
    """What was found. `refused` are the fields that the server did not take."""

    models: ListedModels
    chat: TriedChat | None
    refused: list[dict[str, str]]

    @property
    def ok(self) -> bool:
        """Whether a model answered."""
        return self.chat is not None and self.chat.problem is None


def hold(tenant: str, ref: str, provider: Provider, *, model: str, named: Iterable[str]) -> Trial:
    """Try a provider of the tenant: `model`, else one of those that flows have `named`, else the first listed.

    What was learned of the server before is forgotten, so that what it refuses now is found. Blocks until it is done,
    a minute at most, in an event loop of its own.
    """
    model_quirks.forget(tenant, ref)
    return asyncio.run(_held(Question(tenant, ref, model, provider, CALL, 0, []), next(iter(named), "")))


def list_models(provider: Provider) -> ListedModels:
    """The models that the provider's server lists now. Blocks until it has, as long as the provider may take."""
    return asyncio.run(_listed(provider))


async def _listed(provider: Provider) -> ListedModels:
    try:
        ids, listed = await _list(provider, asyncio.get_running_loop().time() + LONGEST_S)
    finally:
        await outbound.close()
    return ListedModels(ids[:MOST_LISTED], listed.total, listed.problem)


async def _held(question: Question, named: str) -> Trial:
    question = question._replace(until=asyncio.get_running_loop().time() + LONGEST_S)
    try:
        ids, listed = await _list(question.provider, question.until)
        model = question.model or named or next((id_ for id_ in ids if not _NO_CHAT.search(id_)), "")
        chat = await _ask(question._replace(model=model)) if model else None
    finally:
        await outbound.close()
    return Trial(listed, chat, [{"field": field, "said": said} for field, said in question.refused])


async def _list(provider: Provider, until: float) -> tuple[list[str], ListedModels]:
    try:
        ids = _ids(await _get(provider, min(until, asyncio.get_running_loop().time() + provider.timeout_s)))
    except ServiceFailed as failed:
        return [], ListedModels([], 0, _problem(failed))
    return ids, ListedModels(ids[:MOST_SHOWN], len(ids))


async def _get(provider: Provider, until: float) -> bytes:
    headers = {"accept": "application/json"}
    if provider.api_key:
        headers["authorization"] = f"Bearer {provider.api_key}"
    request = outbound.outgoing("GET", providers.models_url(provider.base_url), headers)
    async with outbound.answered(request, hosts=provider.hosts, until=until, most_bytes=MOST_LIST_BYTES) as response:
        body = await response.read(until, MOST_LIST_BYTES)
        if not 200 <= response.status < 300:
            raise read_refusal(response.status, response.headers, body).failure(provider.api_key)
        return body


def _ids(body: bytes) -> list[str]:
    """The names in a list of models, which stands under `data`, under `models`, or alone."""
    try:
        said = lenient_json.loads(body)
    except ValueError:
        raise ServiceFailed("upstream_failed") from None
    entries = said.get("data", said.get("models")) if isinstance(said, dict) else said
    if not isinstance(entries, list):
        raise ServiceFailed("upstream_failed")
    return [name[:LONGEST_ID] for entry in entries if (name := _name(entry)) and name.isprintable()]


def _name(entry: Any) -> str:
    name = entry.get("id", entry.get("name")) if isinstance(entry, dict) else entry
    return name if isinstance(name, str) else ""


async def _ask(question: Question) -> TriedChat:
    began, texts, end = time.monotonic(), [], None
    problem = None
    try:
        async with aclosing(model_answers.answer(question)) as parts:
            async for part in parts:
                if isinstance(part, ModelText | ModelRefusal):
                    texts.append(part.text)
                elif isinstance(part, ModelEnd):
                    end = part
    except ServiceFailed as failed:
        problem = _problem(failed)
    return TriedChat(
        question.model,
        "".join(texts)[:LONGEST_TEXT],
        end.finish_reason if end else "",
        round((time.monotonic() - began) * 1000),
        end.prompt_tokens if end else None,
        end.completion_tokens if end else None,
        problem,
    )


def _problem(failed: ServiceFailed) -> TrialProblem:
    fix = _FIXES.get(failed.reason, _OTHERWISE)
    return TrialProblem(failed.reason, REASONS[f"service_{failed.reason}"], fix, failed.said)
