"""Wild bodies: whatever arrives is understood or refused, never a crash."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatapi import chat_request
from chatapi.errors import BodyInvalid, FieldInvalid

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from([*chat_request.Body.__struct_fields__, "store", "tools"])


@settings(max_examples=300)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    _parse(body)


@settings(max_examples=500)
@given(st.dictionaries(names, json_values, max_size=6))
def test_any_fields_are_understood_or_refused(fields: dict[str, Any]) -> None:
    sound = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    _parse(json.dumps(sound | fields).encode())


def _parse(body: bytes) -> None:
    try:
        chat_request.parse(body, {})
    except (BodyInvalid, FieldInvalid) as refusal:
        assert refusal.param != ""
