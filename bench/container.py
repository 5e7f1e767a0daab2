"""`make container-test`: builds the image, runs it as tightly as a platform would, and asks it what it promises.

On Debian the base image is made from the distribution's own packages, once, and kept in CONTAINER_CACHE; elsewhere BASE
names an image that a registry has. The database is an embedded one, whose socket is mounted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import unquote

import psutil
import requests

from bench import first_token, servers
from bench.field import RELAYED

CACHE: Final = Path(os.environ.get("CONTAINER_CACHE", Path.home() / ".cache" / "scaigrid" / "container"))
SUITE: Final = "bookworm"
BASE: Final = "localhost/scaigrid-base:latest"
IMAGE: Final = "localhost/scaigrid:test"
# The program that is needed → the Debian package that has it.
NEEDED: Final = {name: name for name in ("buildah", "podman", "crun", "debootstrap")} | {"unshare": "util-linux"}
STORAGE: Final = ["--storage-driver", "vfs", "--root", str(CACHE / "storage"), "--runroot", str(CACHE / "run")]
# Podman 4 does not start where both versions of cgroups are mounted: in a mount namespace of its own it sees one.
OWN_MOUNTS: Final = ["unshare", "-m", "sh", "-c", 'umount -l /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh"]
PODMAN: Final = [*OWN_MOUNTS, "podman", *STORAGE, "--cgroup-manager", "cgroupfs"]
UID: Final = 10001
WORKERS: Final = 2
STREAMS: Final = 8
PAUSE_S: Final = 0.02  # so a stream takes four seconds
DRAIN_S: Final = 5
SHUTDOWN_S: Final = 20
START_S: Final = 120
PROBE: Final = """
import pathlib, sys
for folder in sys.argv[1:]:
    try:
        (pathlib.Path(folder) / "probe").write_text("")
    except OSError:
        continue
    print(folder)
"""


class Container:
    """The running container."""

    def __init__(self, name: str, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process
        self._name = name

    def run(self, *command: str) -> str:
        """What a command says that is run in it."""
        return _said([*PODMAN, "exec", self._name, *command])

    def is_healthy(self) -> bool:
        """What the image's own HEALTHCHECK says. Podman would leave it to systemd, which not every machine has."""
        check = json.loads(
            _said(["podman", *STORAGE, "image", "inspect", "--format", "{{json .HealthCheck.Test}}", IMAGE])
        )
        return subprocess.run([*PODMAN, "exec", self._name, *check[1:]], capture_output=True).returncode == 0

    def await_ready(self) -> None:
        """Wait until it takes calls."""
        until = time.monotonic() + START_S
        while _status(f"{self.url}/healthz/ready") != 200:
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit("The container does not get ready; its log is above.")
            time.sleep(0.2)

    def processes(self) -> list[psutil.Process]:
        """All of its processes, as the machine sees them."""
        first = psutil.Process(int(_said([*PODMAN, "inspect", "--format", "{{.State.Pid}}", self._name])))
        return [first, *first.children(recursive=True)]


def main() -> None:
    """Build, run and check, a line for each; the first that fails ends it."""
    _refuse_where_it_cannot_run()
    base = os.environ.get("BASE") or _debian_base()
    _step("image built by the Dockerfile", lambda: _build(base))
    servers.install(is_migrated=False)
    port = servers.free_port()
    command = [sys.executable, "-m", "bench.model_server", str(port), str(PAUSE_S)]
    with (
        servers.running(servers.start(command, port, settings={})) as model,
        _running(OUTBOUND_ALLOWED_HOSTS=f"127.0.0.1:{port}") as container,
    ):
        _step(f"ready with {WORKERS} workers, the database migrated by one of them", container.await_ready)
        _step("healthy by the image's own check", lambda: _expect(container.is_healthy()))
        key = _key(container.run(".venv/bin/python", "manage.py", "demo"))
        _step("a call is answered", lambda: _expect(_call(container.url, key) == 200))
        _check_rights(container)
        first_token.publish(f"{model}/v1")
        _step("SIGTERM while streams run", lambda: _end(container, key))


def _refuse_where_it_cannot_run() -> None:
    missing = sorted({package for program, package in NEEDED.items() if shutil.which(program) is None})
    if missing:
        raise SystemExit(f"Not tried, programs are missing. On Debian: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise SystemExit("Not tried: building and running without a daemon needs root here. Use sudo.")


def _step(what: str, act: Callable[[], object]) -> None:
    started = time.monotonic()
    try:
        seen = act()
    except (AssertionError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"FAILED  {what}: {error}") from None
    print(f"ok  {what}{f': {seen}' if seen else ''} ({time.monotonic() - started:.1f} s)", flush=True)


def _expect(holds: bool, otherwise: str = "it is not so") -> None:
    assert holds, otherwise


def _debian_base() -> str:
    """A minimal Debian with Python as an image, made unless it is there."""
    if subprocess.run(["podman", *STORAGE, "image", "exists", BASE]).returncode != 0:
        _step(f"base image of Debian {SUITE}", _make_base)
    return BASE


def _make_base() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    include = "--include=ca-certificates,python3,python3-venv"
    with TemporaryDirectory(dir=CACHE) as folder:
        _said(["debootstrap", "--variant=minbase", include, SUITE, folder])
        Path(folder).chmod(0o755)  # it becomes the root of every container
        with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as packed:
            subprocess.run(
                ["podman", *STORAGE, "import", "-", BASE], stdin=packed.stdout, capture_output=True, check=True
            )


def _build(base: str) -> None:
    command = ["buildah", *STORAGE, "bud", "--format", "docker", "--isolation", "chroot"]
    arguments = ["--network", "host", "--build-arg", f"BASE={base}", "--tag", IMAGE]
    certificates = os.environ.get("PIP_CERT")
    if certificates:
        arguments += ["--volume", f"{certificates}:{certificates}:ro", "--build-arg", f"PIP_CERT={certificates}"]
    _said([*command, *arguments, str(servers.ROOT)])
    _said(["podman", *STORAGE, "image", "prune", "--force"])  # the one of the last time


@contextmanager
def _running(**settings: str) -> Iterator[Container]:
    """The image with nothing but a socket, a folder for scratch and its settings; ended whatever happens."""
    port, name = servers.free_port(), f"scaigrid-{os.getpid()}"
    socket_folder = unquote(os.environ["DATABASE_URL"].partition("?host=")[2])
    Path(socket_folder).chmod(0o711)  # the container's user is not the database's
    given = settings | {
        "DATABASE_URL": "postgresql://postgres@/scaigrid?host=/database",
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": str(WORKERS),
        "DRAIN_S": str(DRAIN_S),
        "SHUTDOWN_TIMEOUT_S": str(SHUTDOWN_S),
        "LOG_LEVEL": "WARNING",
    }
    tight = ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--cap-drop", "all"]  # noqa: S108
    tight += ["--security-opt", "no-new-privileges"]
    # What this machine's limits and cgroups allow is not the image's matter.
    loose = [
        "--network",
        "host",
        "--cgroups",
        "disabled",
        "--ulimit",
        "nofile=1024:1024",
        "--ulimit",
        "nproc=1024:1024",
    ]
    volume = ["--volume", f"{socket_folder}:/database", "--no-healthcheck"]
    environment = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    process = subprocess.Popen([*PODMAN, "run", "--rm", "--name", name, *tight, *loose, *volume, *environment, IMAGE])
    try:
        yield Container(name, f"http://127.0.0.1:{port}", process)
    finally:
        if process.poll() is None:
            subprocess.run([*PODMAN, "rm", "--force", "--time", "1", name], capture_output=True)
            process.wait(30)


def _check_rights(container: Container) -> None:
    statuses = [Path(f"/proc/{process.pid}/status").read_text() for process in container.processes()]
    servers_of_it = len(statuses)
    _step(f"{servers_of_it} processes, all of user {UID}", lambda: _every(statuses, "Uid", str(UID)))
    _step("none with a capability", lambda: _every(statuses, "CapEff", "0000000000000000"))
    _step("none that can gain rights", lambda: _every(statuses, "NoNewPrivs", "1"))
    folders = ["/", "/srv/scaigrid", "/data", "/etc", "/home", "/run", "/var/tmp", "/dev", "/tmp"]  # noqa: S108
    written = container.run(".venv/bin/python", "-c", PROBE, *folders).split()
    _step("nothing can be written but /tmp", lambda: _expect(written == ["/tmp"], f"written: {written}"))  # noqa: S108


def _every(statuses: list[str], field: str, value: str) -> None:
    found = {re.search(rf"^{field}:\s*(\S+)", status, re.MULTILINE)[1] for status in statuses}  # type: ignore[index]
    assert found == {value}, f"{field} is {found}"


def _end(container: Container, key: str) -> str:
    with ThreadPoolExecutor(STREAMS) as pool:
        streams = [pool.submit(_stream, container.url, key) for _ in range(STREAMS)]
        time.sleep(1.5)
        started = time.monotonic()
        container.process.terminate()
        whole = sum(stream.result() for stream in streams)
    status = container.process.wait(DRAIN_S + SHUTDOWN_S + 10)
    assert (whole, status) == (STREAMS, 0), f"{whole} of {STREAMS} streams whole, exit status {status}"
    return f"{whole} of {STREAMS} whole, exit status 0 after {time.monotonic() - started:.1f} s"


def _call(url: str, key: str) -> int:
    body = {"model": "scaicore/acme/echo-agent", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {key}"}
    return requests.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=30).status_code


def _stream(url: str, key: str) -> bool:
    """Whether a stream came whole."""
    body = {"model": RELAYED, "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {key}"}
    try:
        answer = requests.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    except requests.RequestException:
        return False
    return answer.content.endswith(b"data: [DONE]\n\n") and b'"error"' not in answer.content


def _status(url: str) -> int:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.RequestException:
        return 0


def _key(said: str) -> str:
    found = re.search(r"sgk_\S+", said)
    if found is None:
        raise SystemExit("FAILED  the demo tenant gives no key")
    return found[0]


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"FAILED  {' '.join(command[:6])} …\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
