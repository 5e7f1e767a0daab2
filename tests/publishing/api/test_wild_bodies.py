"""Whatever is sent, the answer is one of ours: no body, document or query ever gives a 500."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.api_calls import Rest

wild = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# Above all the words that our own code looks for.
words = st.sampled_from(
    [
        "name",
        "slug",
        "description",
        "content",
        "group_ids",
        "version",
        "base_version",
        "user",
        "expires_at",
        "config",
        "publish_as_model",
        "model_visibility_group_ids",
        "nodes",
        "metadata",
        "",
        "\0",
        "\ud800",
        "1.0.0",
        "{{a}}",
    ]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | words
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)
DOORS = [
    ("POST", "/v1/modules/scaicore/cores"),
    ("PUT", "/v1/modules/scaicore/cores/{core}"),
    ("POST", "/v1/modules/scaicore/cores/{core}/publish"),
    ("POST", "/v1/modules/scaicore/cores/{core}/rollback"),
    ("POST", "/api/v1/flows"),
    ("PUT", "/api/v1/flows/{flow}"),
    ("POST", "/api/v1/flows/{flow}/deploy"),
    ("POST", "/api/v1/flows/validate"),
    ("POST", "/api/v1/flows/compile"),
    ("POST", "/api/v1/keys"),
]


def is_ours(answer: Any) -> bool:
    return answer.status_code < 500 and (answer.status_code == 204 or isinstance(json.loads(answer.content), dict))


@pytest.mark.parametrize(("method", "url"), DOORS)
@wild
@given(body=values)
def test_no_body_breaks_a_door(as_root: Rest, echo: Core, method: str, url: str, body: Any) -> None:
    sent = json.dumps(body).encode()
    assert is_ours(
        as_root.send(method, url.format(core=echo.pk, flow=echo.flow_id), sent, content_type="application/json")
    )


@pytest.mark.parametrize(("method", "url"), DOORS)
@wild
@given(body=st.dictionaries(words, values, max_size=6), extra=st.binary(max_size=3))
def test_no_object_breaks_a_door(
    as_root: Rest, echo: Core, method: str, url: str, body: dict[str, Any], extra: bytes
) -> None:
    sent = json.dumps({"name": "x", "content": {}, "base_version": "1.0.0", **body}).encode() + extra
    assert is_ours(
        as_root.send(method, url.format(core=echo.pk, flow=echo.flow_id), sent, content_type="application/json")
    )


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """The echo flow with a few of its parts replaced by anything."""
    document = deepcopy(echo_document())
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if not (isinstance(inner, (dict, list)) and inner and draw(st.booleans())):
                place[key] = draw(values)
                break
            place = inner
    return document


@wild
@given(document=documents())
def test_no_document_breaks_a_save_or_a_deploy(as_root: Rest, echo_flow: Flow, document: Any) -> None:
    url = f"/api/v1/flows/{echo_flow.pk}"
    body = json.dumps({"content": document, "base_version": echo_flow.saved.version}).encode()
    assert is_ours(as_root.send("PUT", url, body, content_type="application/json"))
    assert is_ours(as_root.post(f"{url}/deploy"))
    assert is_ours(as_root.get(url))


LISTS = ["/v1/modules/scaicore/cores", *(f"/api/v1/{noun}" for noun in ["flows", "keys", "groups", "users", "audit"])]
ASKED = ["limit", "offset", "cursor", "format", "x", "search", "person", "model", "action", "target", "since", "active"]


@pytest.mark.parametrize("url", LISTS)
@wild
@given(name=st.sampled_from(ASKED), value=st.text(max_size=20) | st.integers())
def test_no_query_breaks_a_list(as_root: Rest, url: str, name: str, value: Any) -> None:
    assert is_ours(as_root.get(f"{url}?{name}={quote(str(value), errors='replace')}"))


@pytest.mark.parametrize("url", ["/v1/modules/scaicore/cores/", "/api/v1/flows/", "/api/v1/groups/", "/api/v1/users/"])
@wild
@given(name=st.text(max_size=20) | st.binary(max_size=10), method=st.sampled_from(["GET", "DELETE"]))
def test_no_id_breaks_a_url(as_root: Rest, url: str, name: Any, method: str) -> None:
    encoded = quote(name, safe="", errors="replace") if isinstance(name, str) else quote(name, safe="")
    assert is_ours(as_root.send(method, url + encoded))
