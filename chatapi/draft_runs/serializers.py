"""What a run of a draft takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chatapi import call_headers
from chatapi.openapi import UsageSerializer
from chatapi.trace_api import NodeTraceSerializer
from publishing.api.fields import DiagnosticSerializer, FlowDocumentField, PlainCharField


class RunBodySerializer(serializers.Serializer[Any]):
    """A call of a draft: in the words of a chat, or with an `input` of one's own."""

    content = FlowDocumentField(required=False, help_text="An unsaved document; left out, the saved one runs.")
    message = PlainCharField(required=False, trim_whitespace=False, help_text="What the user says.")
    messages = serializers.ListField(
        child=serializers.DictField(), default=list, help_text="What was said before, as in a chat request."
    )
    input = serializers.DictField(required=False, help_text="The whole input, in place of messages and parameters.")
    entity_id = PlainCharField(required=False, min_length=1, max_length=call_headers.MAX_ENTITY_ID)
    params = serializers.DictField(default=dict, help_text="Sampling fields, as in a chat request.")
    state = serializers.DictField(default=dict, help_text="The memory that the run begins with.")
    node = PlainCharField(required=False, help_text="Run this node alone, on the `results` of the others.")
    results = serializers.DictField(default=dict, help_text="What the others gave before, by their ids.")
    stream = serializers.BooleanField(default=False, help_text="Answer as server-sent events.")


class DraftErrorSerializer(serializers.Serializer[Any]):
    """Why a run failed."""

    code = serializers.CharField()
    message = serializers.CharField()


class DraftAnswerSerializer(serializers.Serializer[Any]):
    """How a run ended, and what its nodes did."""

    request_id = serializers.CharField()
    outcome = serializers.CharField(help_text="`ok`, `failed` or `timed_out`")
    nodes = NodeTraceSerializer(many=True)
    diagnostics = DiagnosticSerializer(many=True, help_text="Warnings of the compiler.")
    error = DraftErrorSerializer(required=False, help_text="Where the run did not end well.")
    response = serializers.JSONField(required=False)
    output = serializers.DictField(required=False)
    usage = UsageSerializer(required=False)
    finish_reason = serializers.CharField(required=False)
    state = serializers.DictField(required=False, help_text="The memory that the run would have left behind.")
    is_waiting = serializers.BooleanField(required=False, help_text="Whether the run waits for a decision.")
