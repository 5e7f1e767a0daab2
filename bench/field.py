"""The servers that are compared: a bare one, our two doors, two peers, a model's own server and a bare relay of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from bench import servers
from bench.load import Call
from bench.peers import environments

BARE: Final = "bare uvicorn, fixed text"
FAST: Final = "fast path"
DRF: Final = "DRF view"
HAYHOOKS: Final = "hayhooks (checks no key)"
LITELLM: Final = "litellm proxy (master key)"
MODEL: Final = "the model's own server"
RELAY: Final = "bare relay by httpx"
US: Final = "through us"

PEERS: Final = environments.ROOT / "bench" / "peers"
ECHO: Final = "scaicore/acme/echo-agent"
RELAYED: Final = "scaicore/acme/bench"
MASTER_KEY: Final = "sk-bench"


@dataclass(frozen=True)
class Entrant:
    """One server, and the key and the model that are asked of it. `pid` is its process."""

    name: str
    url: str
    pid: int
    key: str
    model: str

    def call(self, body: Callable[[str, bool], bytes], *, is_streamed: bool = False) -> Call:
        """The call that `body` makes for this server's model."""
        return Call(f"{self.url}/v1/chat/completions", self.key, body(self.model, is_streamed), is_streamed)


class Cores:
    """What is measured runs on the first core, all that measures on the others."""

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self._measured, self._others = {cores[0]}, set(cores[1:] or cores)
        os.sched_setaffinity(0, self._others)

    def pin(self) -> None:
        """Put this process on the core that is measured."""
        os.sched_setaffinity(0, self._measured)


@contextmanager
def echoes(cores: Cores, key: str) -> Iterator[list[Entrant]]:
    """The servers that answer a text of their caller's, the bare one first. A peer that cannot be had is left out."""
    with ExitStack() as stack:
        entrants = [Entrant(BARE, *_run(stack, _bare(cores)), key, ECHO)]
        entrants.append(Entrant(FAST, *_run(stack, servers.start_site(pin=cores.pin, LEAN_DOOR="on")), key, ECHO))
        entrants.append(Entrant(DRF, *_run(stack, servers.start_site(pin=cores.pin, LEAN_DOOR="off")), key, ECHO))
        if hayhooks := _hayhooks(cores):
            entrants.append(Entrant(HAYHOOKS, *_run(stack, hayhooks), "", "echo"))
        if litellm := _litellm(cores):
            entrants.append(Entrant(LITELLM, *_run(stack, litellm), MASTER_KEY, "echo"))
        yield entrants


@contextmanager
def relays(cores: Cores, key: str, publish: Callable[[str], None]) -> Iterator[list[Entrant]]:
    """A model's server, a bare relay of it, and us; `publish` makes the flow that asks the model's base URL."""
    with ExitStack() as stack:
        port = servers.free_port()
        command = [sys.executable, "-m", "bench.model_server", str(port)]
        url, pid = _run(stack, servers.start(command, port, settings={}))
        publish(f"{url}/v1")
        model = Entrant(MODEL, url, pid, key, "small")
        relay = Entrant(RELAY, *_run(stack, _relay(cores, url)), key, "small")
        site = servers.start_site(pin=cores.pin, OUTBOUND_ALLOWED_HOSTS=f"127.0.0.1:{port}")
        yield [model, relay, Entrant(US, *_run(stack, site), key, RELAYED)]


def _run(stack: ExitStack, server: servers.Running) -> tuple[str, int]:
    """Let a server run to the end of the block; its URL and process."""
    return stack.enter_context(servers.running(server)), server.process.pid


def _uvicorn(cores: Cores, application: str, **settings: str) -> servers.Running:
    port = servers.free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--lifespan", "off"]
    quiet = ["--no-access-log", "--log-level", "warning"]
    return servers.start([*command, *quiet], port, settings=settings, pin=cores.pin)


def _bare(cores: Cores) -> servers.Running:
    return _uvicorn(cores, "bench.bare:application")


def _relay(cores: Cores, model: str) -> servers.Running:
    return _uvicorn(cores, "bench.relay:application", BENCH_MODEL=f"{model}/v1/chat/completions")


def _hayhooks(cores: Cores) -> servers.Running | None:
    programs = environments.environment(environments.HAYHOOKS)
    if programs is None:
        return None
    port = servers.free_port()
    where = ["--host", "127.0.0.1", "--port", str(port), "--pipelines-dir", str(PEERS / "pipelines")]
    quiet = {"LOG": "ERROR", "HAYSTACK_TELEMETRY_ENABLED": "False"}
    return _foreign([str(programs / "hayhooks"), "run", *where], port, quiet, cores)


def _litellm(cores: Cores) -> servers.Running | None:
    programs = environments.environment(environments.LITELLM)
    if programs is None:
        return None
    port = servers.free_port()
    where = ["--config", str(PEERS / "litellm.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_LOG": "ERROR",
    }
    return _foreign([str(programs / "litellm"), *where], port, settings, cores)


def _foreign(command: list[str], port: int, settings: dict[str, str], cores: Cores) -> servers.Running:
    return servers.start(command, port, settings=settings, pin=cores.pin, log=subprocess.DEVNULL, is_foreign=True)
