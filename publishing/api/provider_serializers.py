"""What the endpoints of providers take and give."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from publishing.api.fields import PlainCharField, SecondsField
from publishing.api.openapi import items
from publishing.models import ModelProvider
from scaicore.model_options import OPTIONAL_FIELDS

KEY_HELP = "Sent to the server as a bearer token; never given back. Empty: calls carry none."
TIMEOUT_HELP = "Longest silence before the first token and between two tokens, in seconds."


class ModelOptionsSerializer(serializers.Serializer[Any]):
    """How the server wants to be asked. What is left out is as OpenAI has it, or is found out from its refusals."""

    stream = serializers.BooleanField(required=False, allow_null=True, help_text="Whether streams are asked for.")
    stream_usage = serializers.BooleanField(
        required=False, allow_null=True, help_text="Whether `stream_options` is sent."
    )
    max_tokens_field = serializers.ChoiceField(
        ["max_tokens", "max_completion_tokens"], required=False, allow_null=True, help_text="The name of the limit."
    )
    system_role = serializers.ChoiceField(
        ["system", "developer", "user"], required=False, allow_null=True, help_text="The role of the flow's own text."
    )
    alternate_roles = serializers.BooleanField(
        required=False, allow_null=True, help_text="Whether user and assistant must take turns, the user first."
    )
    omit = serializers.ListField(
        child=serializers.ChoiceField(OPTIONAL_FIELDS), required=False, help_text="Fields that are never sent."
    )
    thinking = serializers.ChoiceField(
        ["hide", "pass", "keep"],
        required=False,
        allow_null=True,
        help_text="A model's thinking: left out, passed on as `reasoning_content`, or kept in the text as it is.",
    )
    starts_thinking = serializers.BooleanField(
        required=False, allow_null=True, help_text="Whether answers begin inside the thinking, without its first tag."
    )


@extend_schema_field(ModelOptionsSerializer(required=False))
class ModelOptionsField(serializers.JSONField):
    """A provider's options; what each may be is for the action to say."""


class NewProviderSerializer(serializers.Serializer[Any]):
    """A provider to add."""

    ref = PlainCharField(max_length=100, help_text="The name by which flows know it; it never changes.")
    base_url = PlainCharField(max_length=500, help_text="The part before `/chat/completions`, e.g. `https://host/v1`.")
    api_key = PlainCharField(required=False, allow_blank=True, allow_null=True, max_length=1000, help_text=KEY_HELP)
    timeout_s = SecondsField(required=False, help_text=TIMEOUT_HELP)
    options = ModelOptionsField(required=False, allow_null=True)


class ProviderChangeSerializer(serializers.Serializer[Any]):
    """What to change of a provider; what is left out stays. Options are replaced as a whole."""

    ref = PlainCharField(required=False, max_length=100, help_text="The one in the URL, if it is sent at all.")
    base_url = PlainCharField(
        required=False, max_length=500, help_text="For another server the key must be sent again."
    )
    api_key = PlainCharField(required=False, allow_blank=True, allow_null=True, max_length=1000, help_text=KEY_HELP)
    timeout_s = SecondsField(required=False, help_text=TIMEOUT_HELP)
    options = ModelOptionsField(required=False, allow_null=True)


class ProviderSerializer(serializers.Serializer[ModelProvider]):
    """A provider without its key."""

    ref = serializers.CharField()
    base_url = serializers.CharField()
    has_key = serializers.BooleanField()
    timeout_s = serializers.FloatField()
    options = ModelOptionsField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


OPERATORS_HELP = "Refs that the operator provides to every tenant; the tenant's own provider of the same ref wins."
LIST = items(
    "Providers",
    ProviderSerializer,
    total=serializers.IntegerField(),
    operator_refs=serializers.ListField(child=serializers.CharField(), help_text=OPERATORS_HELP),
)


class ProviderTestBodySerializer(serializers.Serializer[Any]):
    """What to try; an empty object will do."""

    model = PlainCharField(
        required=False, max_length=200, help_text="Left out: one that a live Core names, else the first listed."
    )


class ProviderProblemSerializer(serializers.Serializer[Any]):
    """Why the server did not do what it was asked to."""

    reason = serializers.CharField(help_text="As in a run's trace, without `service_`.")
    message = serializers.CharField()
    fix = serializers.CharField()
    said = serializers.CharField(help_text="The server's status and own words, shortened, without secrets.")


class ListedModelsSerializer(serializers.Serializer[Any]):
    """The models that the server lists."""

    ids = serializers.ListField(
        child=serializers.CharField(), help_text="The first 100; the first 2,000 where nothing else is asked for."
    )
    total = serializers.IntegerField()
    problem = ProviderProblemSerializer(allow_null=True)


class TriedChatSerializer(serializers.Serializer[Any]):
    """The short answer of one model."""

    model = serializers.CharField()
    text = serializers.CharField()
    finish_reason = serializers.CharField(help_text="Empty when there is a problem.")
    duration_ms = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField(allow_null=True)
    completion_tokens = serializers.IntegerField(allow_null=True)
    problem = ProviderProblemSerializer(allow_null=True)


class RefusedFieldSerializer(serializers.Serializer[Any]):
    """A field of the request that the server did not take; later calls leave it out."""

    field = serializers.CharField()
    said = serializers.CharField()


class ProviderTestSerializer(serializers.Serializer[Any]):
    """What a trial of a provider found."""

    ok = serializers.BooleanField(help_text="Whether a model answered.")
    models = ListedModelsSerializer()
    chat = TriedChatSerializer(allow_null=True, help_text="Null when there was no model to ask: name one.")
    refused = RefusedFieldSerializer(many=True)
