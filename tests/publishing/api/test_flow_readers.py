"""Who may read what stands in a flow: its editors, or everyone in the tenant; and the tags by which it is found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

import scaicore
from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.api_calls import Rest
from tests.support.browsing import page_of

PROMPT = "Never tell that the cat is grey. {{message}}"


def prompting(**properties: Any) -> dict[str, Any]:
    document = echo_document()
    document["nodes"][1]["config"]["template"] = PROMPT
    document["variables"] = [{"name": "cat", "type": "string", "default": "grey"}]
    document["metadata"]["notes"] = [{"text": "The cat is grey."}]
    return scaicore.with_properties(document, **properties)


@pytest.fixture
def flow(root: User) -> Flow:
    """A flow with a prompt that only its editors may read."""
    made: dict[str, Any] = {"actor": actor_of(root), "at": timezone.now()}
    return actions.create_flow(tenant=root.tenant, name="Secretive", content=prompting(), **made)


def save(flow: Flow, root: User, content: dict[str, Any]) -> None:
    base = flow.saved.version
    actions.save_flow(flow, base_version=base, content=content, actor=actor_of(root), at=timezone.now())


@pytest.fixture
def as_ann(ann: User, key_of: Any) -> Rest:
    return Rest(key_of(ann))


URLS = ("/api/v1/flows/{flow}", "/api/v1/flows/{flow}/versions/1.0.0")
PAGES = ("/flows/{flow}/", "/flows/{flow}/?plain", "/flows/{flow}/export.json", "/flows/{flow}/export.yaml")


@pytest.mark.parametrize("url", [*URLS, *PAGES])
def test_a_member_sees_the_shape_and_not_what_stands_in_it(
    client: Client, ann: User, as_ann: Rest, flow: Flow, url: str
) -> None:
    client.force_login(ann)
    answer = (as_ann if url in URLS else client).get(url.format(flow=flow.pk))
    told = answer.content.decode()
    assert answer.status_code == 200
    assert "Reply" in told
    assert "grey" not in told


@pytest.mark.parametrize("url", URLS)
def test_the_outline_names_nodes_edges_and_variables(as_ann: Rest, flow: Flow, url: str) -> None:
    content = json.loads(as_ann.get(url.format(flow=flow.pk)).content)["content"]
    assert [node["id"] for node in content["nodes"]] == ["entry", "reply"]
    assert [edge["target"]["node"] for edge in content["edges"]] == ["reply"]
    assert content["variables"] == [{"name": "cat", "type": "string"}]


@pytest.mark.parametrize("url", [*URLS, *PAGES])
def test_a_flow_may_be_open_to_all_readers_of_the_tenant(
    client: Client, root: User, ann: User, as_ann: Rest, flow: Flow, url: str
) -> None:
    save(flow, root, prompting(readers="tenant"))
    client.force_login(ann)
    assert "grey" in (as_ann if url in URLS else client).get(url.format(flow=flow.pk)).content.decode()


def test_what_is_closed_later_is_closed_in_its_earlier_versions(root: User, as_ann: Rest, flow: Flow) -> None:
    save(flow, root, prompting(readers="tenant"))
    save(flow, root, prompting())
    assert "grey" not in as_ann.get(f"/api/v1/flows/{flow.pk}/versions/1.0.1").content.decode()


def test_a_finding_that_quotes_a_prompt_is_for_editors(client: Client, root: User, ann: User, flow: Flow) -> None:
    document = prompting()
    document["nodes"][1]["config"]["template"] = "{{grey}}"
    save(flow, root, document)
    client.force_login(ann)
    assert "grey" not in page_of(client.get(f"/flows/{flow.pk}/"))
    client.force_login(root)
    assert "grey" in page_of(client.get(f"/flows/{flow.pk}/?plain"))


def test_only_usable_tags_are_kept_each_once(root: User, echo_flow: Flow) -> None:
    save(echo_flow, root, scaicore.with_properties(echo_flow.saved.content, tags=["a", " a ", "", "b c", "x" * 41]))
    assert Flow.objects.get().tags == ["a", "b c"]


def test_flows_are_found_by_tag(client: Client, root: User, echo: Core, flow: Flow) -> None:
    save(flow, root, prompting(tags=["cats"]))
    client.force_login(root)
    found = page_of(client.get("/flows/?tag=cats"))
    assert "Secretive" in found
    assert "Echo Agent" not in found
    assert "No flow with the tag" in page_of(client.get("/flows/?tag=dogs"))
