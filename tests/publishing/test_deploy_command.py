"""`manage.py deploy FLOW.json --host URL --key KEY`, against a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from identity.models import User
from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.serving import Server


@pytest.fixture
def host(lean_server: Server, transactional_db: None) -> str:
    return lean_server.url


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "echo.json"
    path.write_text(json.dumps(echo_document()))
    return path


@pytest.fixture
def key(root: User, key_of: Callable[[User], str]) -> str:
    return key_of(root)


def deploy(path: Path, host: str, key: str, *options: str) -> str:
    out = StringIO()
    call_command("deploy", str(path), "--host", host, "--key", key, *options, stdout=out)
    return out.getvalue()


def failure(path: Path, host: str, key: str, *options: str) -> str:
    with pytest.raises(CommandError) as failed:
        deploy(path, host, key, *options)
    assert failed.value.returncode == 1
    return str(failed.value)


def test_a_new_flow_is_made_deployed_and_told_to_the_letter(document: Path, host: str, key: str) -> None:
    printed = deploy(document, host, key)
    core = Core.objects.get()
    assert printed == f"Deployed core_id={core.pk} — published as scaicore/acme/echo-agent\n"


def with_tests(document: Path, expected: str, **meta: Any) -> None:
    tests = [{"name": "greets", "message": "hello", "expect": {"equals": expected}}]
    document.write_text(json.dumps({**echo_document(scaiflow_meta=meta), "tests": tests}))


def test_with_test_the_flow_is_deployed_once_its_tests_pass(document: Path, host: str, key: str) -> None:
    with_tests(document, "hello")
    assert deploy(document, host, key, "--test").startswith("passed: greets\nDeployed core_id=")


def test_with_test_a_failing_test_keeps_it_from_being_deployed(document: Path, host: str, key: str) -> None:
    with_tests(document, "bye")
    assert failure(document, host, key, "--test").startswith("1 of 1 tests failed. Version 1.0.0 is saved")
    assert not Core.objects.exists()


def test_a_test_that_stands_before_the_deploy_is_told_with_its_answer(document: Path, host: str, key: str) -> None:
    with_tests(document, "bye", test_before_deploy=True)
    told = failure(document, host, key)
    assert "(409)\n  FAILED: greets: The answer is another.\n    this one: hello" in told


def test_a_document_with_a_byte_order_mark_is_read(document: Path, host: str, key: str) -> None:
    document.write_bytes(b"\xef\xbb\xbf" + document.read_bytes())
    assert deploy(document, host, key).startswith("Deployed")


def test_a_known_flow_is_saved_over_and_keeps_its_core(document: Path, host: str, key: str) -> None:
    first = deploy(document, host + "/", key)
    assert deploy(document, host, key) == first
    assert Flow.objects.get().saved.version == "1.0.1"


def test_the_key_may_stand_in_the_environment(
    document: Path, host: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAIGRID_TOKEN", key)
    assert "published as" in deploy(document, host, "")


def test_a_netrc_on_the_machine_does_not_replace_the_key(
    document: Path, host: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert "published as" in deploy(document, host, key)


def test_a_document_that_does_not_compile_lists_what_was_found(document: Path, host: str, key: str) -> None:
    deploy(document, host, key)
    broken = echo_document()
    broken["nodes"][1]["type"] = "llm_wrong"
    document.write_text(json.dumps(broken))
    said = failure(document, host, key)
    assert "error: nodes[1].type: " in said
    assert "llm_wrong" in said
    assert Core.objects.get().versions.count() == 1


def test_a_group_that_does_not_exist_is_told_with_its_field(document: Path, host: str, key: str) -> None:
    document.write_text(json.dumps(echo_document(model_visibility_group_ids=["group_x"])))
    assert "error: group_ids[0]: The group group_x does not exist." in failure(document, host, key)


def test_a_wrong_key_is_a_sentence(document: Path, host: str) -> None:
    assert "The API key is not valid." in failure(document, host, "sgk_wrong")


def test_a_user_who_is_no_admin_is_told_so(document: Path, host: str, ann: User, key_of: Callable[[User], str]) -> None:
    assert "Only an admin of this tenant may do that." in failure(document, host, key_of(ann))


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("127.0.0.1:8000", "The host must be a URL such as https://grid.example.com"),
        ("ftp://127.0.0.1", "The host must be a URL"),
        ("http://", "The host must be a URL"),
        ("http://[::1", "The host must be a URL"),
        ("http://127.0.0.1:1", "Nothing answers at http://127.0.0.1:1/api/v1/flows."),
        ("http://127.0.0.1:99999", "The host must be a URL"),
        ("http://nowhere.invalid", "Nothing answers at http://nowhere.invalid/api/v1/flows."),
    ],
)
def test_a_host_that_cannot_be_asked_is_a_sentence(document: Path, host: str, sentence: str) -> None:
    assert sentence in failure(document, host, "sgk_x")


@pytest.mark.parametrize("key", ["", "two words", "ключ", "a\nb"])
def test_a_key_that_is_none_is_a_sentence(document: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCAIGRID_TOKEN", raising=False)
    assert "API key" in failure(document, "http://127.0.0.1:1", key)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "This is not valid JSON: it ends too early (byte 1)."),
        ("[]", "is not a flow document"),
        ("{}", "is not a flow document"),
        ('{"name": 5}', "is not a flow document"),
        ('{"name": " "}', "is not a flow document"),
    ],
)
def test_a_file_that_is_no_document_is_a_sentence(document: Path, text: str, sentence: str) -> None:
    document.write_text(text)
    assert sentence in failure(document, "http://127.0.0.1:1", "sgk_x")


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in failure(tmp_path / "none.json", "http://127.0.0.1:1", "sgk_x")


@pytest.fixture
def impostor() -> Iterator[Callable[..., str]]:
    """A server that is no ScaiGrid: it gives one answer to everything."""
    servers = []

    def serve(status: int, body: bytes, **headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, b"<html>", "answered 200, but not like a ScaiGrid."),
        (200, b"[]", "answered 200, but not like a ScaiGrid."),
        (200, b'{"items": [{"id": 1}], "total": 1}', "answered 200, but not like a ScaiGrid."),
        (502, b"Bad gateway", "answered 502 without saying why."),
        (500, b'{"detail": "x"}', "answered 500 without saying why."),
        (409, b'{"detail": {"error": "stale", "message": "Too late.", "fix": "Again."}}', "Too late. Again. (409)"),
    ],
)
def test_an_odd_answer_is_a_sentence(
    document: Path, impostor: Callable[..., str], status: int, body: bytes, sentence: str
) -> None:
    assert sentence in failure(document, impostor(status, body), "sgk_x")


def test_a_redirect_is_not_followed_with_the_key(document: Path, impostor: Callable[..., str]) -> None:
    host = impostor(301, b"", Location="https://elsewhere.test/")
    assert "leads on to https://elsewhere.test/." in failure(document, host, "sgk_x")


def test_a_list_that_boasts_is_read_to_its_end(document: Path, impostor: Callable[..., str]) -> None:
    host = impostor(200, b'{"items": [], "total": 1000000000000}')
    assert f"{host}/api/v1/flows answered 501" in failure(document, host, "sgk_x")


def test_silence_ends_after_a_while(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publishing.deploy_client.TIMEOUT_S", (1, 0.2))
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        assert "did not answer in time." in failure(document, f"http://127.0.0.1:{server.server_port}", "sgk_x")
