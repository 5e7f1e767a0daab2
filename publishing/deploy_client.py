"""Another ScaiGrid over HTTP: what `manage.py deploy` needs of its API, and every way that can fail."""

from __future__ import annotations

from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from msgspec import Struct
from requests.auth import AuthBase

TIMEOUT_S = (5.0, 120.0)
PAGE = 200
LONGEST_LINE = 200
Shape = TypeVar("Shape")


class DeployRefused(Exception):
    """The server did not do what was asked, or could not be reached; the text says what to do."""


class SavedFlow(Struct):
    """A flow as the server lists it."""

    id: str
    name: str
    version: str


class FlowPage(Struct):
    """One page of the list of flows."""

    items: list[SavedFlow]
    total: int


class Deployed(Struct):
    """The answer to a deploy."""

    message: str


class TestedAnswer(Struct):
    """How a test of the flow went."""

    name: str
    message: str
    passed: bool = False
    answer: str | None = None
    live_answer: str | None = None

    def __str__(self) -> str:
        if self.passed:
            return f"passed: {self.name}"
        answers = (("the live version answers", self.live_answer), ("this one", self.answer))
        told = [f"\n    {who}: {_line(answer)}" for who, answer in answers if answer is not None]
        return f"FAILED: {self.name}: {self.message}{''.join(told)}"


class TestReport(Struct):
    """How the tests of a flow went."""

    failed: int
    tests: list[TestedAnswer]


class Finding(Struct):
    """One diagnostic of the compiler, or one unusable field."""

    message: str
    severity: str = "error"
    path: str = ""
    field: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.severity, self.path or self.field, self.message) if part)


class Detail(Struct):
    """Why something was refused."""

    message: str
    fix: str = ""
    diagnostics: list[Finding] = []
    details: list[Finding] = []
    tests: list[TestedAnswer] = []


class ServerRefusal(Struct):
    """A failing answer."""

    detail: Detail


class _Bearer(AuthBase):
    """The key as a header. Given as `auth`, no `.netrc` on the machine can put another in its place."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class DeployClient:
    """The API of one installation, as the owner of `key` may use it."""

    def __init__(self, host: str, key: str) -> None:
        if not _is_address(host):
            raise DeployRefused(f"The host must be a URL such as https://grid.example.com, not {host!r}.")
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise DeployRefused("The key is not an API key: it starts with sgk_ and is printed once when it is made.")
        self._api = host.rstrip("/") + "/api/v1"
        self._auth = _Bearer(key)

    def flow(self, name: str) -> SavedFlow | None:
        """The flow with this name; refused when there are several."""
        found: list[SavedFlow] = []
        for offset in count(0, PAGE):
            page = self._ask("GET", "/flows", FlowPage, params={"limit": PAGE, "offset": offset})
            found += [flow for flow in page.items if flow.name == name]
            if not page.items or offset + PAGE >= page.total:
                break
        if len(found) > 1:
            raise DeployRefused(f"Several flows are called {name}. Rename all but one.")
        return found[0] if found else None

    def create(self, flow: dict[str, Any]) -> SavedFlow:
        """Make a flow."""
        return self._ask("POST", "/flows", SavedFlow, json=flow)

    def save(self, onto: SavedFlow, flow: dict[str, Any]) -> SavedFlow:
        """Save a flow over the version that `onto` was read at."""
        return self._ask("PUT", f"/flows/{onto.id}", SavedFlow, json={**flow, "base_version": onto.version})

    def run_tests(self, flow: SavedFlow) -> TestReport:
        """Run the tests that the saved flow holds."""
        return self._ask("POST", f"/flows/{flow.id}/run-tests", TestReport, json={"compare": True})

    def deploy(self, flow: SavedFlow, *, accepts_memory_change: bool = False) -> Deployed:
        """Make exactly this version of the flow live."""
        asked = {"base_version": flow.version, "accept_memory_change": accepts_memory_change}
        return self._ask("POST", f"/flows/{flow.id}/deploy", Deployed, json=asked)

    def _ask(self, method: str, path: str, shape: type[Shape], **more: Any) -> Shape:
        url = self._api + path
        try:
            # A redirect would turn a POST into a GET, and might carry the key elsewhere.
            answer = requests.request(method, url, auth=self._auth, timeout=TIMEOUT_S, allow_redirects=False, **more)
        except requests.Timeout:
            raise DeployRefused(f"{url} did not answer in time.") from None
        except requests.ConnectionError:
            raise DeployRefused(f"Nothing answers at {url}. Is the server running, and is --host right?") from None
        except (requests.RequestException, UnicodeError) as error:
            raise DeployRefused(f"{url} cannot be asked: {error}") from None
        if answer.is_redirect:
            raise DeployRefused(
                f"{url} leads on to {answer.headers['Location']}. Give --host the address that answers."
            )
        if not answer.ok:
            raise DeployRefused(_explain(url, answer))
        return _read(url, answer, shape)


def _is_address(host: str) -> bool:
    try:
        parts = urlsplit(host)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket left open, a port beyond 65535
        return False


def _read(url: str, answer: requests.Response, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except (msgspec.DecodeError, RecursionError):
        raise DeployRefused(f"{url} answered {answer.status_code}, but not like a ScaiGrid. Is --host right?") from None


def _explain(url: str, answer: requests.Response) -> str:
    """What the server says, with everything it found."""
    try:
        detail = msgspec.json.decode(answer.content, type=ServerRefusal).detail
    except (msgspec.DecodeError, RecursionError):
        return f"{url} answered {answer.status_code} without saying why. Is --host right?"
    found = [f"  {one}" for one in (*detail.diagnostics, *detail.details, *detail.tests)]
    return "\n".join([f"{detail.message} {detail.fix}".strip() + f" ({answer.status_code})", *found])


def _line(answer: str) -> str:
    """The beginning of an answer, in one line."""
    line = " ".join(answer.split())
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
