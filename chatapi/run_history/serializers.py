"""How the list of runs is searched, and what is shown of each."""

from __future__ import annotations

from rest_framework import serializers

from chatapi.models import Outcome, UsageRecord
from chatapi.run_history.reasons import explain
from chatapi.run_history.records import ERRORS
from chatapi.trace_api import NodeTraceSerializer
from publishing.api.fields import CursorPageSerializer


class RunSearchSerializer(CursorPageSerializer):
    """Which runs, and which page of them."""

    core = serializers.CharField(required=False, max_length=200, help_text="A Core's id, slug or model name.")
    outcome = serializers.ChoiceField(
        [*Outcome.values, ERRORS], required=False, help_text="`errors`: those that failed or timed out."
    )
    caller = serializers.CharField(
        required=False, max_length=254, help_text="A person's id or e-mail address, or a key's id or beginning."
    )
    purpose = serializers.CharField(required=False, max_length=20, help_text="Such as `chat`, `webhook` or `test`.")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Runs that ended before this moment.")
    request_id = serializers.CharField(required=False, max_length=40, help_text="An answer's `x-request-id`.")


class RecordedRunSerializer(serializers.Serializer[UsageRecord]):
    """One run, as it was counted."""

    request_id = serializers.CharField()
    at = serializers.DateTimeField(help_text="When it ended.")
    core_id = serializers.CharField(help_text="The flow's id, where a draft ran that was never deployed.")
    core_version = serializers.IntegerField(help_text="0: an unsaved or saved draft, tried by an admin.")
    model = serializers.CharField()
    purpose = serializers.CharField(help_text="`chat`, `webhook`, `schedule`, `subflow`, `test`, or a hidden prompt's.")
    user_id = serializers.CharField(allow_blank=True, help_text="Empty where nobody called.")
    key_id = serializers.CharField(allow_blank=True)
    outcome = serializers.CharField(help_text="`ok`, `failed`, `timed_out` or `cancelled`")
    reason = serializers.CharField(allow_blank=True, help_text="Why it failed, in a word; empty where none is known.")
    node_id = serializers.CharField(allow_blank=True, help_text="The node at which it failed.")
    message = serializers.SerializerMethodField(help_text="How it ended, in a sentence.")
    is_streamed = serializers.BooleanField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    first_token_ms = serializers.IntegerField(allow_null=True)

    def get_message(self, run: UsageRecord) -> str:
        """The sentence."""
        return explain(run.outcome, run.reason)


class TracedRunSerializer(RecordedRunSerializer):
    """One run with what its nodes did."""

    nodes = NodeTraceSerializer(many=True, allow_null=True, help_text="Null where the flow keeps no traces.")
    input = serializers.DictField(allow_null=True, help_text="What was asked, where it is kept; up to 32 KiB of JSON.")
