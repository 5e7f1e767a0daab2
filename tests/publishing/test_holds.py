"""Holds: what staff take out of the list stays out, whoever tries to bring it back and by whichever way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from identity.actors import Actor, actor_of, operator, staff_actor_of
from identity.errors import ActionRefused, Conflict, Invalid, NotAllowed
from identity.models import AuditEntry, Group, User
from publishing import actions, deploy_plan, registry
from publishing.errors import PublicationHeld
from publishing.models import Core, CoreVersion, Flow, Hold, Publication
from tests.conftest import echo_document
from tests.publishing.test_races import at_once, publishing, statuses
from tests.support.api_calls import Rest, code, data, error
from tests.support.browsing import deploy, fields_of, opened, page_of, save, toasts
from tests.support.staff import audited

REASON = "Answers with customer data; see ticket 4711"
CORES = "/v1/modules/scaicore/cores"


@pytest.fixture
def staff(root: User) -> Actor:
    return staff_actor_of(root)


@pytest.fixture
def held(echo: Core, staff: Actor) -> Core:
    """The echo Core, which was open to the tenant, held."""
    actions.hold_core(echo, reason=REASON, actor=staff, at=timezone.now())
    return echo


def hold(core: Core, actor: Actor, reason: str = REASON) -> Hold:
    return actions.hold_core(core, reason=reason, actor=actor, at=timezone.now())


def lift(core: Core, actor: Actor) -> bool:
    return actions.lift_hold(core, actor=actor, at=timezone.now())


def saved_otherwise(flow: Flow, root: User, **config: Any) -> Flow:
    return actions.save_flow(
        flow,
        base_version=flow.saved.version,
        content=echo_document(**config),
        actor=actor_of(root),
        at=timezone.now(),
    )


def test_a_hold_unpublishes_at_once(echo: Core, ann: User, staff: Actor) -> None:
    hold(echo, staff)
    assert registry.access(ann, echo) is None
    assert not Publication.objects.exists()


def test_a_hold_is_told_with_its_reason_its_actor_and_its_door(held: Core, root: User) -> None:
    unpublished, entry = AuditEntry.objects.order_by("pk")[audited().index("core.unpublished") :]
    assert (unpublished.action, entry.action, entry.target) == ("core.unpublished", "core.held", held.pk)
    assert (entry.actor, entry.door, entry.after) == (root.email, "admin", {"reason": REASON})


def test_publishing_by_rest_is_refused_with_the_reason_and_changes_nothing(as_root: Rest, held: Core) -> None:
    before = audited()
    for body in ({}, {"group_ids": []}, {"group_ids": ["group_unknown"]}):
        answer = as_root.post(f"{CORES}/{held.pk}/publish", body)
        assert code(answer) == (409, "PUBLICATION_HELD")
        assert json.loads(answer.content)["error"]["message"] == f"Held by staff: {REASON}"
    assert (audited(), Publication.objects.count()) == (before, 0)


def test_a_deploy_goes_on_and_leaves_the_core_unpublished(as_root: Rest, held: Core) -> None:
    done = json.loads(as_root.post(f"/api/v1/flows/{held.flow_id}/deploy").content)
    assert done["message"] == f"Deployed core_id={held.pk} — held by staff: {REASON}"
    assert (done["core_version"], done["published_slug"], done["unpublished_slug"]) == (2, None, None)
    assert done["held"] == REASON
    assert not Publication.objects.exists()


def test_the_toast_of_the_page_says_so(client: Client, held: Core, root: User) -> None:
    client.force_login(root)
    flow = Flow.objects.get()
    fields = save(client, flow, opened(client, flow), groups="").status_code and opened(client, flow)
    assert toasts(client, deploy(client, flow, fields)) == [f"Deployed core_id={held.pk} — held by staff: {REASON}"]


def test_the_page_of_the_flow_says_so_to_admins_alone(client: Client, held: Core, root: User, ann: User) -> None:
    for user, is_told in ((root, True), (ann, False)):
        client.force_login(user)
        for query in ("", "?plain"):
            assert (REASON in page_of(client.get(f"/flows/{held.flow_id}/{query}"))) is is_told
        state = client.get(f"/flows/{held.flow_id}/state/").json()
        assert (REASON in state["warning"]) is is_told


def test_the_list_of_flows_marks_it(client: Client, held: Core, root: User) -> None:
    client.force_login(root)
    assert "Held by staff" in page_of(client.get("/flows/"))


def test_the_plan_of_a_deploy_says_so(held: Core, root: User) -> None:
    plan = deploy_plan.plan_deploy(Flow.objects.get(), actor=actor_of(root), at=timezone.now())
    assert plan.summary.startswith(f"Stays un-published, held by staff: {REASON}")
    assert ("Held by staff", REASON, REASON) in plan.changes
    assert plan.questions == []


def test_apply_goes_on_and_notes_it_without_calling_it_a_change(
    held: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "echo.json").write_text(json.dumps(echo_document()))
    file = tmp_path / "grid.yaml"
    file.write_text("tenants: [{slug: acme, flows: [{file: echo.json, deploy: true}]}]")
    note = f"! publication of acme/echo-agent: held by staff: {REASON}"
    for _ in range(2):
        call_command("apply", str(file))
        assert capsys.readouterr().out.splitlines() == [note, "Nothing changes."]
    (tmp_path / "echo.json").write_text(json.dumps(echo_document(model_visibility_group_ids=[], x=1)))
    call_command("apply", str(file))
    assert note in capsys.readouterr().out
    assert CoreVersion.objects.count() == 2
    assert not Publication.objects.exists()


def test_rolling_back_a_held_core_goes_on_to_work(as_root: Rest, held: Core) -> None:
    as_root.post(f"/api/v1/flows/{held.flow_id}/deploy")
    assert data(as_root.post(f"{CORES}/{held.pk}/rollback", {"version": 1}))["version"] == 1
    assert not Publication.objects.exists()


def test_a_held_core_is_not_deleted_to_be_made_anew(as_root: Rest, held: Core) -> None:
    assert code(as_root.delete(f"{CORES}/{held.pk}")) == (409, "PUBLICATION_HELD")
    assert error(as_root.delete(f"/api/v1/flows/{held.flow_id}")) == (409, "publication_held")
    assert Hold.objects.filter(core=held).exists()


def test_staff_delete_a_held_core(held: Core, staff: Actor) -> None:
    actions.delete_core(held, actor=staff, at=timezone.now())
    assert not Hold.objects.exists()


def test_lifting_a_hold_publishes_nothing(held: Core, staff: Actor) -> None:
    assert lift(held, staff)
    assert not Publication.objects.exists()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.before) == ("core.hold_lifted", {"reason": REASON, "held_by": staff.name})


def test_a_lifted_core_is_published_again_to_whom_it_was_open(
    as_root: Rest, narrow_echo: Core, staff: Actor, engineering: Group
) -> None:
    hold(narrow_echo, staff)
    lift(narrow_echo, staff)
    assert data(as_root.post(f"{CORES}/{narrow_echo.pk}/publish", {}), 201)["group_ids"] == ["group_acme_eng"]


def test_holding_and_lifting_twice_is_done_once(held: Core, staff: Actor) -> None:
    hold(held, staff, f"  {REASON} ")
    assert audited().count("core.held") == 1
    assert [lift(held, staff), lift(held, staff)] == [True, False]
    assert audited().count("core.hold_lifted") == 1


def test_a_second_reason_is_refused_with_the_first(held: Core, staff: Actor) -> None:
    with pytest.raises(Conflict, match=f"root@acme.test holds this Core already: {REASON}"):
        hold(held, staff, "Something else")
    assert Hold.objects.get().reason == REASON


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\nb", "a\0b", "a\x1b[31m", "a\x85b", "a\u2028b"])
def test_a_reason_is_one_line_of_words(echo: Core, staff: Actor, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        hold(echo, staff, reason)
    assert [problem.field for problem in refused.value.problems] == ["reason"]
    assert Publication.objects.exists()


def test_a_reason_may_be_as_long_as_the_column(echo: Core, staff: Actor) -> None:
    assert hold(echo, staff, "x" * 500).reason == "x" * 500


def test_only_staff_of_the_tenant_hold_and_lift(echo: Core, root: User, cy: User, staff: Actor) -> None:
    cy.is_staff = True
    for actor in (actor_of(root), staff_actor_of(cy), actor_of(cy)):
        with pytest.raises(NotAllowed):
            hold(echo, actor)
    hold(echo, operator("test"))
    for actor in (actor_of(root), staff_actor_of(cy)):
        with pytest.raises(NotAllowed):
            lift(echo, actor)


def test_a_core_that_was_never_published_is_held_too(echo: Core, staff: Actor) -> None:
    actions.unpublish(echo, actor=staff, at=timezone.now())
    hold(echo, staff)
    with pytest.raises(PublicationHeld):
        actions.publish(echo, actor=staff, at=timezone.now())


def test_the_reason_is_shown_to_admins_while_it_holds(as_root: Rest, as_ann: Rest, held: Core, staff: Actor) -> None:
    url = f"{CORES}/{held.pk}"
    assert data(as_root.get(url))["held"] == REASON
    assert data(as_root.get(CORES))["items"][0]["held"] == REASON
    assert "held" not in data(as_ann.get(url))
    lift(held, staff)
    assert "held" not in data(as_root.get(url))


def test_the_database_refuses_a_publication_that_is_held(held: Core) -> None:
    row = Publication(core=held, tenant_id="acme", name="x", visibility="tenant", published_at=timezone.now())
    with pytest.raises(IntegrityError, match="a held Core is not published"), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_refuses_to_hold_what_is_published(echo: Core) -> None:
    with pytest.raises(IntegrityError, match="a held Core is not published"), transaction.atomic():
        Hold.objects.create(core=echo, reason="x", held_at=timezone.now(), held_by="x")


@pytest.mark.django_db(transaction=True)
def test_a_hold_wins_over_whoever_publishes_at_the_same_moment(
    as_root: Rest, echo: Core, staff: Actor, key_of: Callable[[User], str]
) -> None:
    def holding() -> Any:
        hold(Core.objects.get(pk=echo.pk), staff)
        return as_root.get("/api/v1/flows")

    acts = [publishing(as_root, echo, {"group_ids": []})] * 3
    answers = at_once(*acts, holding, *acts)
    assert set(statuses(answers)) <= {200, 409}
    assert not Publication.objects.exists()
    assert Hold.objects.filter(core=echo).exists()


def test_the_form_of_the_page_publishes_nothing_either(client: Client, held: Core, root: User) -> None:
    client.force_login(root)
    flow = Flow.objects.get()
    fields = fields_of(client.get(f"/flows/{flow.pk}/?plain"))
    deploy(client, flow, fields, agreed=flow.saved.version)
    assert not Publication.objects.exists()


def test_granting_access_to_a_held_core_is_refused_as_before(held: Core, ann: User) -> None:
    with pytest.raises(ActionRefused):
        actions.ask_access(held, user=ann, actor=actor_of(ann), at=timezone.now())
