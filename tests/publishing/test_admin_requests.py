"""Access requests in the admin: granted and declined by the actions; and who was refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors
from identity.models import Group, Tenant, User
from publishing import actions, registry
from publishing.models import AccessRequest, Core, Refusal
from tests.support.staff import audited, confirm, page, previewed, signed_in

REQUESTS = "/admin/publishing/accessrequest/"
REFUSALS = "/admin/publishing/refusal/"
OPERATOR = actors.operator("test")


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def asked(narrow_echo: Core, bo: User) -> AccessRequest:
    """Bo asks to call what the engineers may call."""
    at = timezone.now()
    return actions.ask_access(narrow_echo, user=bo, message="For the demo.", actor=actors.actor_of(bo), at=at)[0]


def says(answer: Any) -> str:
    return str(answer.content.decode())


def test_an_open_request_is_listed_with_what_was_asked(staff: Client, asked: AccessRequest) -> None:
    text = says(staff.get(f"{REQUESTS}?decision__exact=open"))
    assert "bo@acme.test" in text
    assert "For the demo." in text


def test_a_request_is_granted_by_a_group(staff: Client, asked: AccessRequest, narrow_echo: Core, bo: User) -> None:
    staff.post(page(REQUESTS, asked), {"answer": "grant", "group_id": "group_acme_eng"})
    assert bo in registry.audience(narrow_echo.publication)
    assert audited()[-2:] == ["group.members_set", "access.granted"]


def test_a_request_is_declined(staff: Client, asked: AccessRequest, narrow_echo: Core, bo: User) -> None:
    staff.post(page(REQUESTS, asked), {"answer": "decline"})
    asked.refresh_from_db()
    assert (asked.decision, asked.decided_by) == ("declined", "root@acme.test")
    assert audited()[-1] == "access.declined"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"answer": "grant"}, "Choose the group to add the user to."),
        ({"answer": "grant", "group_id": "group_other"}, "Select a valid choice."),
        ({}, "This field is required."),
        ({"answer": "perhaps"}, "Select a valid choice."),
    ],
)
def test_half_an_answer_is_refused(
    staff: Client, asked: AccessRequest, acme: Tenant, answer: dict[str, str], sentence: str
) -> None:
    Group.objects.create(tenant=acme, scaikey_id="group_other")
    assert sentence in says(staff.post(page(REQUESTS, asked), answer))
    assert AccessRequest.objects.get().decision == "open"


def test_what_somebody_else_answered_meanwhile_is_not_answered_again(
    staff: Client, asked: AccessRequest, root: User
) -> None:
    actions.decline_access(asked, actor=OPERATOR, at=timezone.now())
    answer = staff.post(page(REQUESTS, asked), {"answer": "grant", "group_id": "group_acme_eng"})
    assert answer.status_code == 403
    assert AccessRequest.objects.get().decision == "declined"


def test_a_group_that_left_the_model_meanwhile_is_refused(
    staff: Client, asked: AccessRequest, narrow_echo: Core
) -> None:
    actions.publish(narrow_echo, group_ids=[], actor=OPERATOR, at=timezone.now())
    answer = staff.post(page(REQUESTS, asked), {"answer": "grant", "group_id": "group_acme_eng"})
    assert "Select a valid choice." in says(answer)
    assert AccessRequest.objects.get().decision == "open"


def test_many_are_declined_as_shown(staff: Client, asked: AccessRequest) -> None:
    preview = previewed(staff, REQUESTS, "decline", [asked])
    assert "bo@acme.test asks for acme/echo-agent" in says(preview)
    confirm(staff, REQUESTS, preview)
    assert AccessRequest.objects.get().decision == "declined"


def test_many_are_granted_where_one_group_can_be_meant(
    staff: Client, asked: AccessRequest, narrow_echo: Core, bo: User, acme: Tenant
) -> None:
    Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")
    actions.publish(narrow_echo, group_ids=["group_acme_eng", "group_acme_ops"], actor=OPERATOR, at=timezone.now())
    assert "stays: the model lists several groups: open it." in says(previewed(staff, REQUESTS, "grant", [asked]))
    actions.publish(narrow_echo, group_ids=["group_acme_eng"], actor=OPERATOR, at=timezone.now())
    preview = previewed(staff, REQUESTS, "grant", [asked])
    assert [line.then for line in preview.context["lines"]] == ["granted by group_acme_eng"]
    confirm(staff, REQUESTS, preview)
    assert bo in registry.audience(narrow_echo.publication)


def test_staff_of_another_tenant_see_and_answer_nothing(asked: AccessRequest, globex: Tenant) -> None:
    sid = signed_in(User.objects.create_user("sid@globex.test", tenant=globex, is_staff=True))
    assert "bo@acme.test" not in says(sid.get(REQUESTS))
    sid.post(page(REQUESTS, asked), {"answer": "decline"})
    confirm(sid, REQUESTS, previewed(sid, REQUESTS, "decline", [asked]))
    assert AccessRequest.objects.get().decision == "open"


def test_refusals_are_listed_by_time(staff: Client, narrow_echo: Core, bo: User, ann: User, cy: User) -> None:
    Refusal.objects.create(core=narrow_echo, user=bo, last_at=timezone.now())
    Refusal.objects.create(core=narrow_echo, user=ann, last_at=timezone.now() - timedelta(days=8))
    assert [row.user.email for row in staff.get(f"{REFUSALS}?since=7").context["cl"].result_list] == ["bo@acme.test"]
    assert len(staff.get(REFUSALS).context["cl"].result_list) == 2
    assert staff.post(page(REFUSALS, Refusal.objects.all()[0]), {}).status_code == 403
