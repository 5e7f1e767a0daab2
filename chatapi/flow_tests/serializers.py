"""What a run of a flow's tests takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chatapi.openapi import UsageSerializer
from publishing.api.fields import FailedTestSerializer, FlowDocumentField, PlainCharField


class TestsBodySerializer(serializers.Serializer[Any]):
    """Which tests of which document; the body may be left out."""

    content = FlowDocumentField(required=False, help_text="An unsaved document; left out, the saved one is tested.")
    names = serializers.ListField(child=PlainCharField(), required=False, help_text="Left out: all of its tests.")
    compare = serializers.BooleanField(default=False, help_text="Where a test fails, ask the live version the same.")


class UnmetExpectationSerializer(serializers.Serializer[Any]):
    """An expectation that does not hold."""

    expectation = serializers.CharField(help_text="`equals`, `contains`, `matches`, `cel` or `schema`")
    message = serializers.CharField()


class TriedTestSerializer(FailedTestSerializer):
    """How a test went."""

    passed = serializers.BooleanField()
    unmet = UnmetExpectationSerializer(many=True)
    request_id = serializers.CharField(allow_blank=True, help_text="Its run; empty where it could not be run.")
    usage = UsageSerializer(allow_null=True)


class TestsAnswerSerializer(serializers.Serializer[Any]):
    """How the tests went, in the order of the document."""

    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    tests = TriedTestSerializer(many=True)
