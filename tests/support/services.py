"""The world outside in memory: models, servers and Cores that answer what a test has written for them."""

import asyncio
import json
from typing import Any

from scaicore import Services
from scaicore.services import CoreAnswer, HttpAnswer, ModelEnd, ModelText, ServiceFailed

MODELS = [{"role": "main", "ref": "house", "model": "small", "temperature": 0.2, "system_context": "You are kind."}]


class Models:
    """Gives the next of `answers` at each call: a text, a list of pieces (texts, seconds to wait, parts as they are,
    exceptions), or an exception; `calls` keeps the calls."""

    def __init__(self, *answers: Any, tokens: tuple[int | None, int | None] = (10, 2), reason: str = "stop") -> None:
        self.answers = list(answers)
        self.calls: list[Any] = []
        self.closed = 0
        self.tokens = tokens
        self.reason = reason

    async def stream(self, call):
        self.calls.append(call)
        answer = self.answers.pop(0)
        try:
            for piece in [answer] if isinstance(answer, str | Exception) else answer:
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, float):
                    await asyncio.sleep(piece)
                    continue
                yield ModelText(piece) if isinstance(piece, str) else piece
            yield ModelEnd(self.reason, *self.tokens)
        finally:
            self.closed += 1

    @property
    def asked(self):
        """The messages of the first call, as `role: content`."""
        return [f"{message['role']}: {message['content']}" for message in self.calls[0].messages]


class Http:
    """Answers every request alike, or breaks; `calls` keeps the requests. A body in bytes is sent as it is."""

    def __init__(
        self,
        body: Any = "ok",
        status: int = 200,
        *,
        kind: str | None = None,
        headers: dict[str, str] | None = None,
        breaks: str | None = None,
        wait_s: float = 0,
    ) -> None:
        self.body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        text_kind = "text/plain" if isinstance(body, str) else "application/json; charset=utf-8"
        self.headers = {"content-type": text_kind if kind is None else kind, **(headers or {})}
        self.status = status
        self.breaks = breaks
        self.wait_s = wait_s
        self.calls: list[Any] = []
        self.secrets = {"vault/token": "s3cret"}
        self.most_at_once = self.at_once = 0

    async def send(self, call):
        self.calls.append(call)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.wait_s)
        self.at_once -= 1
        if self.breaks:
            raise ServiceFailed(self.breaks)
        return HttpAnswer(self.status, self.headers, self.body)

    async def secret(self, ref):
        if ref not in self.secrets:
            raise ServiceFailed("unconfigured")
        return self.secrets[ref]


class Cores:
    """Another Core that answers with `output`, or may not be called."""

    def __init__(self, output: Any = None) -> None:
        self.output = output
        self.calls: list[Any] = []

    async def call(self, call):
        self.calls.append(call)
        if self.output is None:
            raise ServiceFailed("unconfigured")
        return CoreAnswer(self.output, 5, 1)


class Plugins:
    """An MCP server whose tool gives `answer`; `calls` keeps the calls."""

    def __init__(self, tools: dict[str, Any], answer: Any) -> None:
        self.tools = tools
        self.answer = answer
        self.calls: list[Any] = []

    async def find(self, plugin, methods):
        return {name: self.tools[name] for name in methods if name in self.tools}

    async def call(self, call):
        self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def models(*answers: Any, **rest: Any) -> tuple[Models, Services]:
    fake = Models(*answers, **rest)
    return fake, Services(models=fake)


def http(*given: Any, **rest: Any) -> tuple[Http, Services]:
    fake = Http(*given, **rest)
    return fake, Services(http=fake)
