"""The OpenAPI document: how endpoints are described, what is left out, and the views that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers

from publishing.api import errors as api_errors
from publishing.api import fields
from publishing.api.policies import SignedInAuthentication

Method = TypeVar("Method", bound=Callable[..., Any])
Endpoint = tuple[str, str, str, Callable[..., Any]]
Handler = Callable[[Exception, dict[str, Any]], HttpResponse]
Shape = type[serializers.Serializer[Any]]

# What every endpoint may answer besides its own: a malformed URL, no key, a wrong method, a defect, no database.
ANYWHERE = (400, 401, 405, 500, 503)
WITH_A_BODY = (413, 415, 422)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registration has no types
    """API keys in the OpenAPI document."""

    target_class = "publishing.api.policies.BearerAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme in OpenAPI's words."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sgk_…"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the same
    """The web UI's session in the OpenAPI document."""

    target_class = "publishing.api.policies.SignedInAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme in OpenAPI's words."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, as JSON."""

    renderer_classes = [OpenApiJsonRenderer]

    def get_exception_handler(self) -> Handler:
        """DRF's hook: refused in the envelope of `/api/v1`."""
        return lambda error, context: api_errors.api(self.request, error)


class DocsView(SpectacularSwaggerSplitView):
    """The OpenAPI document as a page to read and try, without inline script or style."""

    template_name = "publishing/api_docs.html"
    authentication_classes = [SignedInAuthentication]  # whose page it is, if somebody's: it is open to all

    def get_exception_handler(self) -> Handler:
        """DRF's hook: refused in the envelope of `/api/v1`."""
        return lambda error, context: api_errors.api(self.request, error)


def one_path_each(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Every URL once: without the trailing slash that also works, the chat's second prefix, and the earlier paths."""
    found: dict[tuple[str, str], Endpoint] = {}
    for path, regex, method, view in endpoints:
        short = path.rstrip("/")
        if not short.startswith("/oai/") and "/entities/" not in short:
            found.setdefault((short, method), (short, regex, method, view))
    return list(found.values())


def in_module(
    operation: str,
    *,
    data: Any = None,
    body: Shape | None = None,
    query: Shape | None = None,
    status: int | Sequence[int] = 200,
    errors: Sequence[int] = (),
    auth: list[dict[str, list[str]]] | None = None,
) -> Callable[[Method], Method]:
    """Describe a method of a module endpoint whose answer holds `data` (a serializer) in the envelope."""
    answer = _enveloped(operation, data) if data else OpenApiResponse(description="Done; the answer is empty.")
    return _described("modules", operation, answer, fields.ModuleRefusalSerializer, body, query, status, errors, auth)


def in_api(
    operation: str,
    *,
    data: Any = None,
    body: Shape | None = None,
    query: Shape | None = None,
    status: int | Sequence[int] = 200,
    errors: Sequence[int] = (),
    tag: str = "flows",
    media: str = "",
) -> Callable[[Method], Method]:
    """Describe a method of an `/api/v1` endpoint whose answer is `data` (a serializer), or a file of type `media`."""
    answer = data or OpenApiResponse(description="Done; the answer is empty.")
    return _described(tag, operation, answer, fields.ApiRefusalSerializer, body, query, status, errors, media=media)


def items(name: str, shape: Shape, **more: serializers.Field[Any, Any, Any, Any]) -> Any:
    """A list: `items` of `shape`, and further fields."""
    return inline_serializer(name, {"items": shape(many=True), **more})


def cursor_list(name: str, shape: Shape) -> Any:
    """A module's list."""
    return items(name, shape, next_cursor=serializers.CharField(allow_null=True))


def counted_list(name: str, shape: Shape) -> Any:
    """An `/api/v1` list."""
    return items(name, shape, total=serializers.IntegerField())


def _enveloped(operation: str, data: Any) -> Any:
    inner = data() if isinstance(data, type) else data
    name = "".join(word.capitalize() for word in operation.split("_")) + "Answer"
    return inline_serializer(
        name, {"status": serializers.CharField(help_text="`ok`"), "data": inner, "meta": fields.MetaSerializer()}
    )


def _described(
    tag: str,
    operation: str,
    answer: Any,
    refusal: Shape,
    body: Shape | None,
    query: Shape | None,
    status: int | Sequence[int],
    errors: Sequence[int],
    auth: list[dict[str, list[str]]] | None = None,
    media: str = "",
) -> Callable[[Method], Method]:
    statuses = [status] if isinstance(status, int) else status
    told = dict.fromkeys([(one, media) if media else one for one in statuses], answer)
    refused = sorted({*ANYWHERE, *(WITH_A_BODY if body else ()), *errors})
    responses: dict[Any, Any] = told | dict.fromkeys(refused, refusal)
    described: Callable[[Method], Method] = extend_schema(
        operation_id=operation,
        summary=operation.replace("_", " ").capitalize(),
        tags=[tag],
        auth=auth,  # type: ignore[arg-type]  # the stubs know no more than names of schemes
        request=body,
        parameters=[query] if query else None,
        responses=responses,
    )
    return described
