"""A database that is silent, gone, restarted or read-only: what every surface answers meanwhile, and afterwards."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from scaigrid_site.postgres import Cluster, postmaster
from tests.scaigrid_site.conftest import Site, eventually, open_folder
from tests.scaigrid_site.postgres.conftest import server_of, suspend

BODY = {"model": "scaicore/acme/echo-agent", "messages": [{"role": "user", "content": "hello"}]}


class Outage:
    """A site that serves a database of its own by its URL, so that nobody starts it again, and what breaks that."""

    def __init__(self, data: Path, log: Path) -> None:
        self.cluster = Cluster(data / "postgres")
        self.cluster.start()
        self.site = Site(data, log, DATABASE_URL=self.cluster.url("scaigrid"), DATABASE_TIMEOUT_S="1.5")
        assert self.site.process.stdout is not None
        greeting = iter(self.site.process.stdout.readline, "")
        self.key = next(found[0] for line in greeting if (found := re.search(r"sgk_[\w-]+", line)))

    def chat(self, key: str = "") -> requests.Response:
        """One call; with an Idempotency-Key it changes something before it is answered."""
        url = f"{self.site.url}/v1/chat/completions"
        headers = self._headers() | ({"idempotency-key": key} if key else {})
        return requests.post(url, json=BODY, headers=headers, timeout=30)

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.site.url + path, headers=self._headers() | headers, timeout=30, allow_redirects=False)

    @property
    def session(self) -> str:
        """A cookie that names a session, which the database has to be asked about."""
        return f"sessionid_{urlsplit(self.site.url).port}={'x' * 32}"

    def server(self) -> psutil.Process:
        return server_of(self.cluster)

    def suspend(self) -> None:
        """Stop every process of the server where it stands."""
        suspend([self.server(), *self.server().children()])

    def mend(self) -> None:
        """Whatever was done, the database serves again."""
        for process in postmaster.orphans(self.cluster.folder):
            process.resume()
        self.cluster.start()
        with self.cluster.connect() as connection:
            connection.execute("ALTER DATABASE scaigrid RESET default_transaction_read_only")
            self.hang_up_on_everybody()

    def make_read_only(self) -> None:
        with self.cluster.connect() as connection:
            connection.execute("ALTER DATABASE scaigrid SET default_transaction_read_only = on")
        self.hang_up_on_everybody()

    def hang_up_on_everybody(self) -> None:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'scaigrid'"
        with self.cluster.connect() as connection:
            connection.execute(others)

    def has_counted(self, answer: requests.Response) -> bool:
        asked = "SELECT 1 FROM chatapi_usagerecord WHERE request_id = %s"
        with self.cluster.connect("scaigrid") as connection:
            return bool(connection.execute(asked, [answer.headers["x-request-id"]]).fetchone())

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


@pytest.fixture(scope="module")
def served(made_data: Path) -> Iterator[Outage]:
    """One site and one database for all tests here."""
    with open_folder() as folder:
        subprocess.run(["cp", "-a", made_data, folder / "data"], check=True)
        outage = Outage(folder / "data", folder / "log")
        yield outage
        outage.site.stop()
        outage.cluster.stop()


@pytest.fixture
def outage(served: Outage) -> Iterator[Outage]:
    """The database serves before and after."""
    yield served
    served.mend()
    eventually(lambda: served.chat().status_code == 200)


# Every way to the database: the chat's own pool, the module's and the API's views, the pages, the admin, the health.
SURFACES = [
    "/v1/models",
    "/v1/modules/scaicore/cores",
    "/api/v1/flows",
    "/flows/",
    "/admin/",
    "/healthz",
    "/healthz/ready",
]


def get_all(outage: Outage) -> dict[str, int]:
    return {path: outage.get(path, cookie=outage.session).status_code for path in SURFACES}


def test_a_silent_database_is_503_on_every_surface_and_none_hangs(outage: Outage) -> None:
    outage.suspend()
    assert get_all(outage) == dict.fromkeys(SURFACES, 503)
    assert outage.chat().json()["error"]["code"] == "database_unavailable"
    assert outage.get("/healthz/live").status_code == 200
    assert "the database did not answer in time" in outage.site.log.read_text()


def test_a_database_that_refuses_is_503_on_every_surface_and_used_again_when_it_is_back(outage: Outage) -> None:
    outage.cluster.stop()
    assert get_all(outage) == dict.fromkeys(SURFACES, 503)
    assert outage.chat().status_code == 503
    assert outage.get("/healthz/live").status_code == 200
    outage.cluster.start()
    assert outage.chat().status_code == 200


def test_each_surface_says_so_in_its_own_words_and_when_to_try_again(outage: Outage) -> None:
    outage.cluster.stop()
    module, api, page = map(outage.get, ("/v1/modules/scaicore/cores", "/api/v1/flows", "/flows/"))
    page = outage.get("/flows/", cookie=outage.session)
    chat = outage.chat()
    assert chat.json()["error"]["code"] == "database_unavailable"
    assert module.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert api.json()["detail"]["error"] == "service_unavailable"
    assert "Not available for a moment" in page.text
    assert {answer.headers["retry-after"] for answer in (chat, module, api, page)} == {"1"}


def test_the_log_says_in_one_line_why_and_shows_no_traceback(outage: Outage) -> None:
    before = len(outage.site.log.read_text())
    outage.cluster.stop()
    get_all(outage)
    added = outage.site.log.read_text()[before:]
    lines = [line for line in added.splitlines() if "database.unavailable" in line]
    assert len(lines) == 5
    assert all("nothing listens at the address of the database" in line for line in lines)
    assert "Traceback" not in added
    assert "django.request" not in added


@pytest.mark.parametrize("mode", ["fast", "immediate", "killed"])
def test_a_database_that_was_restarted_is_used_at_the_next_call(outage: Outage, mode: str) -> None:
    assert outage.chat().status_code == 200
    if mode == "fast":
        outage.cluster.stop()
    elif mode == "immediate":
        outage.server().send_signal(signal.SIGQUIT)
    else:
        outage.server().kill()
    outage.cluster.start()
    assert [outage.chat().status_code for _ in range(10)] == [200] * 10
    assert outage.get("/api/v1/flows").status_code == 200


def test_a_database_that_has_become_read_only_is_503_and_calls_that_change_nothing_go_on(outage: Outage) -> None:
    outage.make_read_only()
    assert outage.chat().status_code == 200
    assert outage.chat(key="kept").status_code == 503
    assert outage.get("/healthz/ready").status_code == 503
    assert "read-only" in outage.site.log.read_text()


def test_no_usage_is_lost_while_the_database_is_away(outage: Outage) -> None:
    outage.make_read_only()
    answer = outage.chat()
    assert answer.status_code == 200
    eventually(lambda: "usage.delayed" in outage.site.log.read_text())
    outage.mend()
    eventually(lambda: outage.has_counted(answer))
