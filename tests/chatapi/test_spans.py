"""What is traced: one trace from the caller through us to the model, sent by OTLP, with nothing in it that was said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from identity.models import User
from publishing.models import Core
from scaigrid_site import conf
from scaigrid_site.conf import SettingInvalid
from tests.support.chat_calls import call, hello
from tests.support.serving import Server, serving
from tests.support.thinking_flows import assistant
from tests.support.upstream import Upstream
from tests.support.upstream_answers import TEXT

KeyOf = Callable[[User], str]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
NAME = "scaicore/acme/assistant"


class Collector:
    """An OTLP collector that keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.names: set[str] = set()
        self.raw = b""
        keep = self._keep

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                keep(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _keep(self, body: bytes) -> None:
        self.raw += body
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.names |= {one.value.string_value for one in group.resource.attributes if one.key == "service.name"}
            for scope in group.scope_spans:
                self.spans |= {span.name: span for span in scope.spans}


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        collector.server.server_close()
        thread.join()


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}


@contextmanager
def traced(models: Upstream, **settings: str) -> Iterator[tuple[Server, Collector]]:
    """A server that may call `models`. What it traced has been sent when it has ended."""
    with collecting() as collector:
        more = {"OUTBOUND_ALLOWED_HOSTS": f"127.0.0.1:{models.port}", **settings}
        with serving(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **more) as server:
            yield server, collector


@pytest.mark.parametrize("is_lean", ["true", "false"])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_call_is_one_trace_from_its_caller_to_the_model(
    provider: None, models: Upstream, root: User, ann: User, key_of: KeyOf, is_lean: str, is_streamed: bool
) -> None:
    assistant(root, "well")
    said = [{"role": "user", "content": "Nobody may read plover in a trace."}]
    with traced(models, LEAN_DOOR=is_lean) as (server, collector):
        answer = call(server, key_of(ann), hello(model=NAME, stream=is_streamed, messages=said), **CALLER)
        assert answer.status_code == 200
    request, run, question = (
        collector.spans[name] for name in ("POST /v1/chat/completions", f"invoke_agent {NAME}", "chat well")
    )
    assert {span.trace_id.hex() for span in (request, run, question)} == {TRACE}
    parents = [span.parent_span_id for span in (request, run, question)]
    assert parents == [bytes.fromhex(PARENT), request.span_id, run.span_id]
    assert models.requests[0].headers["traceparent"] == f"00-{TRACE}-{question.span_id.hex()}-01"
    assert attributes(request)["scaigrid.request.id"] == answer.headers["x-request-id"]
    assert attributes(run)["gen_ai.usage.output_tokens"] > 0
    assert attributes(question)["gen_ai.response.finish_reasons"] == "stop"
    assert not [span.name for span in collector.spans.values() if span.status.code == span.status.STATUS_CODE_ERROR]
    assert collector.names == {"scaigrid-publish"}
    for secret in (b"plover", TEXT.encode(), b"sgk_", b"ann@acme.test", b"sk-upstream"):
        assert secret not in collector.raw


def test_what_is_refused_or_fails_says_so(
    provider: None, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "cut")
    with traced(models) as (server, collector):
        assert call(server, "sgk_wrong", hello(), **CALLER).status_code == 401
        assert requests.get(f"{server.v1}/models", timeout=30).status_code == 401
        assert call(server, key_of(ann), hello(model=NAME)).status_code == 502
    assert attributes(collector.spans["GET /v1/models"])["http.response.status_code"] == 401
    assert attributes(collector.spans["chat cut"])["error.type"] == "upstream_failed"
    assert attributes(collector.spans[f"invoke_agent {NAME}"])["error.type"] == "failed"
    assert attributes(collector.spans["POST /v1/chat/completions"])["error.type"] == "502"


@pytest.mark.parametrize("header", ["", "00-zz-1-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 5000])
def test_a_senseless_trace_of_a_caller_begins_a_new_one(
    provider: None, models: Upstream, root: User, ann: User, key_of: KeyOf, header: str
) -> None:
    assistant(root, "well")
    with traced(models) as (server, collector):
        assert call(server, key_of(ann), hello(model=NAME), traceparent=header).status_code == 200
    assert not collector.spans["POST /v1/chat/completions"].parent_span_id


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_collector_that_is_away_holds_nobody_up(
    transactional_db: None, echo: Core, ann: User, key_of: KeyOf, workers: str
) -> None:
    with serving(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", WORKERS=workers) as server:
        assert call(server, key_of(ann)).status_code == 200
    assert server.process.returncode in (0, -15)


def test_an_address_that_is_none_stops_the_start() -> None:
    with pytest.raises(SettingInvalid, match="http://"):
        conf.read({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"})
