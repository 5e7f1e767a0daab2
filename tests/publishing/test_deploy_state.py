"""One truth: what the saved document says, compared with what the registry does."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity import groups
from identity.actors import actor_of, operator
from identity.models import Group, User
from publishing import actions, deploy_plan, deploy_state
from publishing.disagreements import find_disagreement
from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.browsing import page_of

RESTRICTED = (
    "The flow says published to the tenant; the registry says group_acme_eng; the next deploy will set the tenant."
)


def disagreement(**config: Any) -> str | None:
    """What is said of the only flow and a document with this config."""
    return find_disagreement(Core.objects.first(), echo_document(**config))


def test_a_flow_that_was_never_deployed_cannot_disagree(echo_flow: Flow) -> None:
    assert disagreement() is None


def test_a_deploy_leaves_both_in_agreement(echo: Core) -> None:
    assert disagreement() is None


def test_a_restriction_by_another_way_is_a_disagreement(narrow_echo: Core) -> None:
    assert disagreement() == RESTRICTED


def test_the_same_groups_in_another_order_agree(narrow_echo: Core) -> None:
    assert disagreement(model_visibility_group_ids=["group_acme_eng", "group_acme_eng"]) is None


def test_a_document_without_a_list_agrees_with_every_restriction(narrow_echo: Core) -> None:
    content = echo_document()
    del content["config"]["model_visibility_group_ids"]
    assert find_disagreement(Core.objects.get(), content) is None


def test_what_the_flow_does_not_publish_is_a_disagreement(narrow_echo: Core) -> None:
    assert disagreement(publish_as_model=False) == (
        "The flow says not published; the registry says group_acme_eng; the next deploy will un-publish it."
    )


def test_what_was_unpublished_by_another_way_is_a_disagreement(narrow_echo: Core, root: User) -> None:
    actions.unpublish(narrow_echo, actor=actor_of(root), at=timezone.now())
    assert disagreement(model_visibility_group_ids=["group_acme_eng"]) == (
        "The flow says published to group_acme_eng; the registry says not published; "
        "the next deploy will publish it to group_acme_eng."
    )
    assert disagreement(publish_as_model=False) is None


def test_a_deleted_group_is_named(narrow_echo: Core, engineering: Group) -> None:
    groups.delete_group(engineering, actor=operator("test"), at=timezone.now())
    assert disagreement(model_visibility_group_ids=["group_acme_eng"]) == (
        "The flow says published to group_acme_eng; the registry says nobody, because its groups are gone; "
        "the next deploy will be refused: group_acme_eng does not exist."
    )


@pytest.mark.parametrize("garbage", ["group_acme_eng", None, 7, [None], [["group_acme_eng"]]])
def test_a_list_that_is_none_is_refused_by_the_next_deploy(echo: Core, engineering: Group, garbage: Any) -> None:
    told = disagreement(model_visibility_group_ids=garbage)
    assert told
    assert "the next deploy will be refused" in told


def test_a_hold_is_named_with_its_reason(echo: Core) -> None:
    actions.hold_core(echo, reason="Audit", actor=operator("test"), at=timezone.now())
    assert disagreement() == (
        "The flow says published to the tenant; the registry says held by staff (Audit); "
        "the next deploy will leave it un-published."
    )
    assert disagreement(publish_as_model=False) is None
    flow = Flow.objects.get()
    assert not deploy_state.find_state(flow, flow.saved.version).has_drifted(echo_document())


def test_the_plan_names_it(narrow_echo: Core, root: User) -> None:
    plan = deploy_plan.plan_deploy(Flow.objects.get(), actor=actor_of(root), at=timezone.now())
    assert plan.summary.endswith(RESTRICTED)


def test_the_page_of_the_model_names_it_to_admins_alone(
    client: Client, narrow_echo: Core, root: User, bo: User
) -> None:
    for user, is_told in ((root, True), (bo, False)):
        client.force_login(user)
        assert (RESTRICTED in page_of(client.get(f"/models/{narrow_echo.pk}/"))) is is_told


def test_the_page_of_the_flow_names_it_to_admins_alone(client: Client, narrow_echo: Core, root: User, bo: User) -> None:
    for user, is_told in ((root, True), (bo, False)):
        client.force_login(user)
        assert (RESTRICTED in page_of(client.get(f"/flows/{narrow_echo.flow_id}/?plain"))) is is_told
        state = client.get(f"/flows/{narrow_echo.flow_id}/state/").json()
        assert state["warning"] == (RESTRICTED if is_told else "")
