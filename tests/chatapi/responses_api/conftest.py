"""One server, since the responses have one door; a model that may call functions of the caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI

from identity.models import User
from publishing.models import Core
from tests.support.serving import Server
from tests.support.thinking_flows import deployed, node
from tests.support.upstream import Upstream


@pytest.fixture
def server(transactional_db: None, lean_server: Server) -> Server:
    return lean_server


@pytest.fixture
def anns(ann: User, echo: Core, key_of: Callable[[User], str]) -> str:
    """Ann's key, who may call the echo."""
    return key_of(ann)


@pytest.fixture
def helper(thinking: Server, root: User) -> Core:
    """A published flow whose model may call the caller's functions, see images and read files."""
    identity = {"models": [{"role": "main", "ref": "scripted", "model": "odd"}]}
    reply = node("reply", "llm_flexible", goal="Help.", result_binding="response", client_tools=True)
    return deployed(root, "Helper", reply, core_identity=identity, capabilities=["images", "files"])


@pytest.fixture
def sdk(helper: Core, thinking: Server, models: Upstream, ann: User, key_of: Callable[[User], str]) -> Any:
    """OpenAI's client, which reads every answer strictly."""
    key = key_of(ann)
    return OpenAI(base_url=thinking.v1, api_key=key, max_retries=0, _strict_response_validation=True)
