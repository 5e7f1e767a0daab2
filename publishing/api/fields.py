"""What several endpoints take and give: strict fields, pages, errors. A serializer is both check and documentation."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from identity.errors import Invalid, Problem

LARGEST = 2**31 - 1
LONGEST_NUMBER = 18  # digits that a bigint always has room for
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST_MOMENT = 17  # digits of microseconds since 1970 that every calendar has room for


class PlainCharField(serializers.CharField):
    """A JSON string; DRF's own field would take a number for one."""

    def to_internal_value(self, data: Any) -> str:
        """The string as DRF cleans it."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer; DRF's own field would take `"2"` and `2.0` for one."""

    def to_internal_value(self, data: Any) -> int:
        """The integer as DRF checks it."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.OBJECT)
class FlowDocumentField(serializers.JSONField):
    """A v2 flow document. The actions check that it is an object, the compiler what is inside."""


class SecondsField(serializers.FloatField):
    """A JSON number; DRF's own field would take `"2"` and `true` for one."""

    def to_internal_value(self, data: Any) -> float:
        """The number as DRF checks it."""
        if not isinstance(data, (int, float)) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class CursorField(serializers.CharField):
    """Where a page ended: opaque to callers, the key of the last row to us."""

    REFUSED = "Send the `next_cursor` of an earlier page, or leave it out."
    default_error_messages = {"cursor": REFUSED}
    KEY: ClassVar[re.Pattern[str]] = re.compile(r"[a-z0-9-]{1,63}")

    def to_internal_value(self, data: Any) -> str:
        """The key of the last row that the caller has."""
        try:
            key = base64.urlsafe_b64decode(str(data).encode() + b"==").decode()
        except (binascii.Error, UnicodeDecodeError):
            self.fail("cursor")
        if not self.KEY.fullmatch(key):
            self.fail("cursor")
        return key

    @staticmethod
    def at(key: object) -> str:
        """The cursor after the row with this key."""
        return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


class NameCursorField(CursorField):
    """The same for lists by name: e-mail addresses, names of models."""

    KEY = re.compile(r"[^\s\0]{1,320}")


def read_number(cursor: str) -> int:
    """The number in a cursor of numbered rows; `Invalid` when the cursor is another list's."""
    if not cursor.isdecimal() or len(cursor) > LONGEST_NUMBER:
        raise Invalid("The cursor is unusable.", [Problem("cursor", CursorField.REFUSED)])
    return int(cursor)


def moment_of(row: Any) -> str:
    """The key of a row of a list that is ordered by time and then by number."""
    return f"{(row.at - EPOCH) // MICROSECOND}-{row.pk}"


def behind_moment(cursor: str) -> Q:
    """The rows that are older than the one with this key; `Invalid` when the cursor is another list's."""
    moment, _, number = cursor.partition("-")
    fits = len(moment) <= LONGEST_MOMENT and len(number) <= LONGEST_NUMBER
    if not (moment.isdecimal() and number.isdecimal() and fits):
        raise Invalid("The cursor is unusable.", [Problem("cursor", CursorField.REFUSED)])
    at = EPOCH + int(moment) * MICROSECOND
    # The first condition says nothing new, but it is one that an index takes.
    return Q(at__lte=at) & (Q(at__lt=at) | Q(at=at, pk__lt=int(number)))


class CursorPageSerializer(serializers.Serializer[Any]):
    """Which page of a module's list."""

    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)
    cursor = CursorField(required=False)


class OffsetPageSerializer(serializers.Serializer[Any]):
    """Which page of an `/api/v1` list."""

    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=LARGEST)


class EmptySerializer(serializers.Serializer[Any]):
    """An empty object; the body may be left out."""


class MetaSerializer(serializers.Serializer[Any]):
    """What every module answer carries besides its data."""

    request_id = serializers.CharField()


class FieldProblemSerializer(serializers.Serializer[Any]):
    """One unusable field and what to do about it."""

    field = serializers.CharField()
    message = serializers.CharField()


class DiagnosticSerializer(serializers.Serializer[Any]):
    """One finding of the compiler: an error blocks a deploy, a warning does not."""

    severity = serializers.CharField(help_text="`error` or `warning`")
    code = serializers.CharField()
    message = serializers.CharField()
    path = serializers.CharField()
    node_id = serializers.CharField(allow_null=True)
    edge_id = serializers.CharField(allow_null=True)


class ModuleErrorSerializer(serializers.Serializer[Any]):
    """What went wrong, under `error` of a module answer."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = FieldProblemSerializer(many=True)


class ModuleRefusalSerializer(serializers.Serializer[Any]):
    """Every failing module answer."""

    status = serializers.CharField(help_text="`error`")
    error = ModuleErrorSerializer()
    meta = MetaSerializer()


class FailedTestSerializer(serializers.Serializer[Any]):
    """A test of a flow that did not pass."""

    name = serializers.CharField()
    message = serializers.CharField(help_text="Why not, in a sentence or several.")
    expect = serializers.DictField(help_text="What the answer must be like.")
    answer = serializers.CharField(allow_null=True, help_text="What the flow answered; null where it did not.")
    live_answer = serializers.CharField(
        allow_null=True, help_text="What the live version answers to the same; null where nothing is live."
    )


class ApiErrorSerializer(serializers.Serializer[Any]):
    """What went wrong, under `detail` of an `/api/v1` answer."""

    error = serializers.CharField()
    message = serializers.CharField()
    fix = serializers.CharField()
    details = FieldProblemSerializer(many=True, required=False)
    diagnostics = DiagnosticSerializer(many=True, required=False)
    current_version = serializers.CharField(required=False)
    tests = FailedTestSerializer(many=True, required=False, help_text="Where tests keep a flow from being deployed.")


class ApiRefusalSerializer(serializers.Serializer[Any]):
    """Every failing `/api/v1` answer."""

    detail = ApiErrorSerializer()
