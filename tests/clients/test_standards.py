"""The standard tests that LangChain holds chat models to, run against published flows: all that a flow says it can."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from identity.models import User
from publishing.models import Core
from tests.chatapi.conftest import models, provider, thinking, thinking_process
from tests.clients.conftest import PYTHON, SKIPPED
from tests.support.serving import Server
from tests.support.talented_model import talented
from tests.support.thinking_flows import deployed, node
from tests.support.upstream import Upstream

__all__ = ["models", "provider", "thinking", "thinking_process"]

STANDARD = Path(__file__).parent / "standard" / "langchain_chat_model.py"
ALL = ("tools", "structured_output", "images", "audio", "files")

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(not PYTHON.exists(), reason=SKIPPED)]


def run(model: str, server: Server, key: str, able: tuple[str, ...]) -> dict[str, int]:
    """How many of the standard tests ended how."""
    given = {"BASE_URL": server.v1, "API_KEY": key, "MODEL": model, "ABLE": " ".join(able), "NO_PROXY": "*"}
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | given
    plain = ["-q", "--noconftest", "-c", os.devnull, "--rootdir", str(STANDARD.parent), "-p", "no:cacheprovider"]
    command = [str(PYTHON), "-m", "pytest", *plain, "-o", "asyncio_mode=auto", str(STANDARD)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|error|skipped)", done.stdout)}
    assert not counts.get("failed") and not counts.get("error"), done.stdout[-6000:]
    return counts


def test_a_capable_flow_passes_all_that_a_capable_model_passes(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    identity = {"models": [{"role": "main", "ref": "scripted", "model": "talented"}]}
    reply = node("reply", "llm_flexible", goal="Help.", result_binding="response", client_tools=True)
    deployed(root, "Agent", reply, core_identity=identity, capabilities=["images", "audio", "files"])
    models.plays("talented", talented)
    assert run("scaicore/acme/agent", thinking, key_of(ann), ALL)["passed"] > 30


def test_an_echo_that_says_what_it_cannot_passes_the_rest(
    thinking: Server, echo: Core, ann: User, key_of: Callable[[User], str]
) -> None:
    assert run("scaicore/acme/echo-agent", thinking, key_of(ann), ())["passed"] > 10
