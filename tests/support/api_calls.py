"""REST calls as a member of the cast."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

MODULE = "/v1/modules/scaicore"


@dataclass(frozen=True)
class Rest:
    """Calls URLs with one key. A body of bytes goes as it is, anything else as JSON; UNSENT goes not at all."""

    key: str
    client: Client = field(default_factory=Client)

    def get(self, url: str, **headers: str) -> HttpResponse:
        return self.send("GET", url, **headers)

    def post(self, url: str, body: Any = b"", **headers: str) -> HttpResponse:
        return self.send("POST", url, body, **headers)

    def put(self, url: str, body: Any = b"", **headers: str) -> HttpResponse:
        return self.send("PUT", url, body, **headers)

    def delete(self, url: str, **headers: str) -> HttpResponse:
        return self.send("DELETE", url, **headers)

    def send(self, method: str, url: str, body: Any = b"", **headers: str) -> HttpResponse:
        content_type = headers.pop("content_type", "application/json" if body != b"" else "")
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(method, url, data, content_type, headers=sent)  # type: ignore[return-value]


def code(response: HttpResponse) -> tuple[int, str]:
    """Status and code of a module refusal, whose envelope must be whole."""
    told = json.loads(response.content)
    assert set(told) == {"status", "error", "meta"}
    assert told["status"] == "error"
    assert set(told["error"]) == {"code", "message", "details"}
    assert told["meta"]["request_id"] == response["x-request-id"]
    return response.status_code, told["error"]["code"]


def error(response: HttpResponse) -> tuple[int, str]:
    """Status and error of an `/api/v1` refusal, whose envelope must be whole."""
    told = json.loads(response.content)["detail"]
    assert {"error", "message", "fix"} <= set(told)
    assert told["message"]
    assert told["fix"]
    return response.status_code, told["error"]


def data(response: HttpResponse, status: int = 200) -> Any:
    """What a module answer holds; it must have this status and a whole envelope."""
    told = json.loads(response.content)
    assert response.status_code == status, told
    assert set(told) == {"status", "data", "meta"}
    assert told["meta"]["request_id"] == response["x-request-id"]
    return told["data"]
