"""The example of docs/scaling.md: a Core whose program runs on Ray Serve. `make ray-test` installs it first."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from openai import InternalServerError, OpenAI

from identity import actors
from identity.models import User
from publishing import actions
from publishing.actions import RemoteProgram
from tests.support.serving import ROOT, await_port, free_port, serving

PYTHON = Path(os.environ.get("RAY_PYTHON", ROOT / ".venv" / "ray" / "bin" / "python"))
SECRET = "a-secret-of-sixteen-signs"
MODEL = "scaicore/acme/primes"

pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="Ray is not installed (`make ray-test`)"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    process = subprocess.Popen(
        [str(PYTHON), "docs/examples/ray_core.py", "--port", str(number)],
        cwd=ROOT,
        env=os.environ | {"SCAI_SECRET": SECRET, "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert any("Serving" in line for line in process.stdout)
    await_port(number, process)
    yield number
    process.send_signal(signal.SIGINT)
    process.wait(60)
    process.stdout.close()


@pytest.fixture
def publish(settings: LazySettings, root: User, port: int, transactional_db: None) -> Callable[[str], None]:
    settings.OUTBOUND_ALLOWED_HOSTS = (f"127.0.0.1:{port}",)

    def made(secret: str) -> None:
        actor, at = actors.actor_of(root), timezone.now()
        program = RemoteProgram(url=f"http://127.0.0.1:{port}/primes", secret=secret, instance_mode="entity")
        core = actions.create_core(tenant=root.tenant, name="Primes", remote=program, actor=actor, at=at)
        actions.publish(core, group_ids=[], actor=actor, at=at)

    return made


@contextmanager
def calling(port: int, key: str) -> Iterator[OpenAI]:
    with (
        serving(OUTBOUND_ALLOWED_HOSTS=f"127.0.0.1:{port}") as server,
        OpenAI(base_url=server.v1, api_key=key, max_retries=0) as client,
    ):
        yield client


def test_heavy_work_is_done_elsewhere_and_told_as_it_goes(
    publish: Callable[[str], None], ann: User, key_of: Callable[[User], str], port: int
) -> None:
    publish(SECRET)
    with calling(port, key_of(ann)) as client:
        asked: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "below 100000"}]}
        whole = client.chat.completions.create(**asked, extra_body={"entity_id": "c-1"})
        assert whole.choices[0].message.content == "..... 9592 primes below 100000. You asked 1 times."
        stream = client.chat.completions.create(**asked, extra_body={"entity_id": "c-1"}, stream=True)
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
        assert "".join(pieces) == "..... 9592 primes below 100000. You asked 2 times."
        assert len(pieces) > 3


def test_a_call_that_is_not_signed_as_agreed_does_no_work(
    publish: Callable[[str], None], ann: User, key_of: Callable[[User], str], port: int
) -> None:
    publish("another-secret-of-theirs")
    with calling(port, key_of(ann)) as client, pytest.raises(InternalServerError) as refused:
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "5"}], extra_body={"entity_id": "c-1"}
        )
    assert refused.value.status_code == 502
    assert refused.value.code == "core_error"
