"""What every URL of the control plane has in common: who asks, what was sent, and in which envelope we answer.

Order: who asks, then which method, then what was sent, then whether the caller may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from identity.actors import Actor, actor_of
from identity.models import Door, User
from publishing.api import errors
from publishing.api.fields import CursorField, OffsetPageSerializer
from publishing.api.policies import BearerAuthentication, SignedInAuthentication, read_json
from publishing.strict_json import InvalidJson

Row = TypeVar("Row", bound=Model)


class ControlView(APIView):
    """One URL of the control plane. Subclasses say how its callers sign in and in which envelope it refuses."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def refuse(self, error: Exception) -> HttpResponse:
        """The answer to a request that failed with `error`."""
        raise NotImplementedError

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in; no id holds a NUL, and the database would choke on one."""
        super().initial(request, *args, **kwargs)
        if any("\0" in value for value in kwargs.values()):
            raise Http404

    @property
    def user(self) -> User:
        """Who asks."""
        return cast(User, self.request.user)

    @property
    def actor(self) -> Actor:
        """Who asks, as the actions know them. The web UI's own requests carry its session and no key."""
        return actor_of(self.user, door=Door.API if self.request.auth else Door.PAGE)

    def body(self) -> dict[str, Any]:
        """The object that was sent."""
        value = read_json(self.request)
        if not isinstance(value, dict):
            raise InvalidJson("The body is not a JSON object.")
        return value

    def fields(self, shape: type[Serializer[Any]]) -> dict[str, Any]:
        """The fields of `shape` in the body."""
        return read_fields(shape, self.body())

    def query(self, shape: type[Serializer[Any]]) -> dict[str, Any]:
        """The fields of `shape` in the query string."""
        return read_fields(shape, self.request.query_params.dict())

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], HttpResponse]:
        """DRF's hook: every exception becomes an answer in this view's envelope."""
        return lambda error, context: self.refuse(error)


class ModuleView(ControlView):
    """A URL under `/v1/modules/scaicore`: opened by API keys only."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (BearerAuthentication,)

    def refuse(self, error: Exception) -> HttpResponse:
        """`error` in the module envelope."""
        return errors.module(self.request, error)

    def ok(self, data: Any, status: int = 200) -> Response:
        """`data` in the module envelope."""
        meta = {"request_id": errors.request_id(self.request)}
        return Response({"status": "ok", "data": data, "meta": meta}, status)

    def paged(
        self, rows: QuerySet[Row], limit: int, *, show: Callable[[Row], Any], key: Callable[[Row], object]
    ) -> Response:
        """The first `limit` of `rows`, and the cursor behind the last one when there are more."""
        found = list(rows[: limit + 1])
        following = CursorField.at(key(found[limit - 1])) if len(found) > limit else None
        return self.ok({"items": [show(row) for row in found[:limit]], "next_cursor": following})


class ApiView(ControlView):
    """A URL under `/api/v1`: opened by API keys and by the web UI's session."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (BearerAuthentication, SignedInAuthentication)

    def refuse(self, error: Exception) -> HttpResponse:
        """`error` in the envelope of `/api/v1`."""
        return errors.api(self.request, error)

    def listed(self, rows: QuerySet[Row], show: Callable[[Row], Any]) -> Response:
        """The page of `rows` that the query string asks for, and how many there are."""
        page = self.query(OffsetPageSerializer)
        shown = rows[page["offset"] : page["offset"] + page["limit"]]
        return Response({"items": [show(row) for row in shown], "total": rows.count()})

    def paged(
        self, rows: Sequence[Row] | QuerySet[Row], limit: int, *, show: Callable[[Row], Any], key: Callable[[Row], str]
    ) -> Response:
        """The first `limit` of `rows`, and the cursor behind the last one when there are more."""
        found = list(rows[: limit + 1])
        following = CursorField.at(key(found[limit - 1])) if len(found) > limit else None
        return Response({"items": [show(row) for row in found[:limit]], "next_cursor": following})


class UnservedView(ControlView):
    """Every path under a prefix that nothing serves: answered before anything else is checked."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let nobody in."""
        super().initial(request, *args, **kwargs)
        raise Http404


class UnknownModuleUrlView(UnservedView, ModuleView):
    """Under `/v1/modules`."""


class UnknownApiUrlView(UnservedView, ApiView):
    """Under `/api`."""


def read_fields(shape: type[Serializer[Any]], given: dict[str, Any]) -> dict[str, Any]:
    """The fields of `shape` in `given`; DRF's `ValidationError` names what is unusable."""
    serializer = shape(data=given)
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)
