"""A line for each request, where that is wanted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import call, hello
from tests.support.serving import ROOT, Server, await_port, database_url, free_port


def lines(tmp_path: Path, calls: Callable[[Server], object], **settings: str) -> list[dict[str, Any]]:
    """What a server says of requests while `calls` are made."""
    port = free_port()
    ours = {"PORT": str(port), "DATABASE_URL": database_url(), "LOG_LEVEL": "INFO", "LOG_FORMAT": "json"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=ROOT, env=os.environ | ours | settings, stderr=log
        )
        await_port(port, process)
        calls(Server(f"http://127.0.0.1:{port}", process))
        process.terminate()
        process.wait(30)
    said = (json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{"))
    return [one for one in said if str(one["event"]).startswith("request.")]


def test_each_request_has_a_line_that_names_its_answer(
    transactional_db: None, echo: Core, ann: User, key_of: Callable[[User], str], tmp_path: Path
) -> None:
    answers: list[requests.Response] = []

    def calls(server: Server) -> None:
        answers.append(call(server, key_of(ann)))
        answers.append(call(server, key_of(ann), hello(stream=True)))
        answers.append(call(server, "sgk_secret"))
        answers.append(requests.get(f"{server.url}/v1/models?key=sgk_secret", timeout=30))
        answers.append(requests.get(f"{server.url}/login/", timeout=30))
        answers.append(requests.get(f"{server.url}/invitation/sgk_secret/", timeout=30))
        requests.get(f"{server.url}/healthz/live", timeout=30)

    found = lines(tmp_path, calls, ACCESS_LOG="true")
    assert [one["status"] for one in found] == [200, 200, 401, 401, 200, answers[-1].status_code]
    assert [one["request_id"] for one in found] == [answer.headers["x-request-id"] for answer in answers]
    assert [one["bytes"] for one in found] == [len(answer.content) for answer in answers]
    assert {one["event"] for one in found} == {"request.answered"}
    assert found[-1]["path"] == "/invitation/…"
    assert not re.search("sgk_|key=", json.dumps(found))


def test_without_the_setting_there_is_none(
    transactional_db: None, echo: Core, ann: User, key_of: Callable[[User], str], tmp_path: Path
) -> None:
    assert lines(tmp_path, lambda server: call(server, key_of(ann))) == []
