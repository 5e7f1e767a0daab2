"""Agent frameworks call a tool of theirs through a published flow, and read answers in a format of theirs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from identity.models import User
from tests.chatapi.conftest import models, provider, thinking, thinking_process
from tests.clients.conftest import PYTHON
from tests.support.serving import Server
from tests.support.talented_model import TEXT, talented
from tests.support.thinking_flows import deployed, node
from tests.support.upstream import Upstream

__all__ = ["models", "provider", "thinking", "thinking_process"]

PROGRAMS = Path(__file__).parent / "programs"
CITY = {"name": "word", "people": 3}


SCRIPTS = Path(__file__).parent / "javascript"


@pytest.fixture
def environment(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: Callable[[User], str]
) -> dict[str, str]:
    """What a program is told of a published flow whose model calls and answers as it is asked."""
    identity = {"models": [{"role": "main", "ref": "scripted", "model": "talented"}]}
    reply = node("reply", "llm_flexible", goal="Help.", result_binding="response", client_tools=True)
    deployed(root, "Agent", reply, core_identity=identity)
    models.plays("talented", talented)
    given = {"BASE_URL": thinking.v1, "API_KEY": key_of(ann), "MODEL": "scaicore/acme/agent", "NO_PROXY": "*"}
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | given


@pytest.mark.timeout(240)
@pytest.mark.parametrize("program", sorted(path.stem for path in PROGRAMS.glob("*.py")))
def test_a_program_calls_its_tool_and_reads_its_format(environment: dict[str, str], program: str) -> None:
    check(environment, str(PYTHON), str(PROGRAMS / f"{program}.py"))


@pytest.mark.timeout(240)
@pytest.mark.skipif(not (SCRIPTS / "node_modules").exists(), reason="there is no npm here")
@pytest.mark.parametrize("script", sorted(path.stem for path in SCRIPTS.glob("*.mjs")))
def test_a_script_calls_its_tool_and_reads_its_format(environment: dict[str, str], script: str) -> None:
    check(environment, "node", str(SCRIPTS / f"{script}.mjs"))


def check(environment: dict[str, str], *command: str) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["formats"] == [CITY] * len(told["formats"])
    assert told["formats"] or told["ran"]
    assert told.get("text", TEXT) == TEXT
    assert told.get("ran", ["word"]) == ["word"] * len(told.get("ran", ["word"]))
