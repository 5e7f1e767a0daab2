"""The nginx configuration of `deploy/`, run for real in front of two servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO, hello
from tests.support.serving import ROOT, Server, await_port, free_port, serving

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
FRAME = """
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/scaigrid.conf;
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx here")


@pytest.fixture
def servers(django_db_setup: None, transactional_db: None) -> Iterator[list[Server]]:
    """Two servers, of which a test may stop one."""
    with ExitStack() as stack:
        yield [stack.enter_context(serving(DRAIN_S="2")) for _ in range(2)]


@pytest.fixture
def proxy(servers: list[Server], tmp_path: Path) -> Iterator[str]:
    """The URL of an nginx in front of both, by the configuration as it stands but for ports and names."""
    port = free_port()
    upstream = "\n".join(f"server {urlsplit(server.url).netloc} max_fails=0;" for server in servers)
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    assert "server grid:8000 max_fails=0;" in text
    assert "listen 8080;" in text
    text = text.replace("server grid:8000 max_fails=0;", upstream).replace("listen 8080;", f"listen 127.0.0.1:{port};")
    (tmp_path / "scaigrid.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(FRAME.format(folder=tmp_path))
    process = subprocess.Popen([str(NGINX), "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)])
    try:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def headers(ann: User, echo: Core, key_of: Callable[[User], str]) -> dict[str, str]:
    return {"authorization": f"Bearer {key_of(ann)}"}


def test_slashes_in_a_models_name_stay_as_they_were_sent(proxy: str, headers: dict[str, str]) -> None:
    for name in ("scaicore%2Facme%2Fecho-agent", "scaicore/acme/echo-agent"):
        answer = requests.get(f"{proxy}/v1/models/{name}", headers=headers, timeout=20)
        assert (answer.status_code, answer.json()["id"]) == (200, "scaicore/acme/echo-agent")


def test_a_stream_is_whole(proxy: str, headers: dict[str, str]) -> None:
    answer = requests.post(
        f"{proxy}/v1/chat/completions", json=hello(stream=True), headers=headers, timeout=20, stream=True
    )
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.content.endswith(b"data: [DONE]\n\n")


def test_a_page_redirects_to_where_the_browser_is(proxy: str) -> None:
    answer = requests.get(f"{proxy}/flows/", timeout=20, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/login/?next=/flows/")


def test_one_of_two_servers_may_go_under_load_without_an_error(
    proxy: str, servers: list[Server], headers: dict[str, str]
) -> None:
    until = time.monotonic() + 5

    def call_on(_: int) -> list[Any]:
        statuses = []
        with requests.Session() as session:
            while time.monotonic() < until:
                answer = session.post(f"{proxy}/v1/chat/completions", json=HELLO, headers=headers, timeout=20)
                statuses.append(answer.status_code)
        return statuses

    with ThreadPoolExecutor(8) as pool:
        calls = pool.map(call_on, range(8))
        time.sleep(1.5)
        os.kill(servers[0].process.pid, signal.SIGTERM)
        found = [status for statuses in calls for status in statuses]
    assert servers[0].process.wait(20) == 0
    assert len(found) > 100
    assert set(found) == {200}
