"""Traces by OpenTelemetry, sent by OTLP over HTTP. Imported only where they are on: its packages are an extra.

The library's own variables say where to and how much: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`,
`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`. Its automatic instrumentation is not used: it costs a
call many times what these few spans do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as LibrarySpan
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from publishing.process.tracing import Attributes, BegunSpan, Kind

KINDS: Final[dict[Kind, SpanKind]] = {
    "server": SpanKind.SERVER,
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
}
NAME: Final = "scaigrid-publish"
W3C: Final = TraceContextTextMapPropagator()


class OpenTelemetry:
    """A `publishing.process.tracing.Backend`."""

    def __init__(self) -> None:
        # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before this name, the library's own does not.
        resource = Resource.create()
        if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": NAME}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(NAME)

    def begin(
        self, name: str, kind: Kind, attributes: Attributes, parent: BegunSpan | Mapping[str, str] | None
    ) -> BegunSpan:
        """A span under `parent`: one of this process, or what a caller's headers say of theirs."""
        if isinstance(parent, RecordedSpan):
            context = parent.context
        else:
            context = W3C.extract(parent, Context()) if isinstance(parent, Mapping) else Context()
        span = self._tracer.start_span(
            name, context, KINDS[kind], attributes, record_exception=False, set_status_on_exception=False
        )
        return RecordedSpan(span)

    def stop(self) -> None:
        """Send what is there; waits no longer than the exporter does."""
        self._provider.shutdown()


class RecordedSpan:
    """A span that has begun."""

    def __init__(self, span: LibrarySpan) -> None:
        self._span = span
        self.context = set_span_in_context(span, Context())

    def end(self, attributes: Attributes, error: str) -> None:
        """It ends now."""
        self._span.set_attributes(attributes)
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def headers(self) -> dict[str, str]:
        """Its `traceparent`."""
        carrier: dict[str, str] = {}
        W3C.inject(carrier, self.context)
        return carrier
