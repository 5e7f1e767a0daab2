"""Publishing from the admin: the box on a Core's page, Add publication, and what comes between two staff members."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, groups
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions, registry
from publishing.models import Core, CoreVersion, Flow, Hold, Publication
from tests.conftest import echo_document
from tests.support.staff import (
    INLINE,
    audited,
    errors_in,
    fields_in,
    fields_on,
    page,
    queries,
    send,
    signed_in,
    superuser,
)

CORES = "/admin/publishing/core/"
PUBLICATIONS = "/admin/publishing/publication/"
ADD = f"{PUBLICATIONS}add/"
QUESTION = (
    "Access widens: scaicore/acme/echo-agent is now for its groups, 1 active user; "
    "it would be for everyone in the tenant, 2 active users."
)


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def unpublished(echo: Core, root: User) -> Core:
    """The echo Core, live and never published to anybody since its first deploy was taken back."""
    actions.unpublish(echo, actor=actors.actor_of(root), at=timezone.now())
    return echo


@pytest.fixture
def operations(acme: Tenant) -> Group:
    return Group.objects.create(tenant=acme, scaikey_id="group_acme_ops", name="Operations")


@pytest.fixture
def foreign(globex: Tenant) -> Group:
    return Group.objects.create(tenant=globex, scaikey_id="group_globex", name="Theirs")


def url(core: Core) -> str:
    return page(CORES, core)


def published_to(core: Core) -> tuple[str, list[str]] | None:
    publication = Publication.objects.filter(core=core).first()
    return (publication.visibility, publication.group_ids) if publication else None


def may_call(user: User, core: Core) -> bool:
    decision = registry.access(user, core)
    return bool(decision and decision.may_call)


def not_callable(core: Core) -> CoreVersion:
    """Another version of the Core, which no chat call can enter."""
    other = core.versions.latest("number")
    program = json.loads(json.dumps(other.program).replace("entry_api", "entry_schedule"))
    other.pk, other.number, other.program = None, other.number + 1, program
    other.save(force_insert=True)
    return other


def test_the_box_publishes_to_a_group(
    staff: Client, unpublished: Core, engineering: Group, ann: User, bo: User
) -> None:
    fields = fields_on(staff, url(unpublished))
    assert "publish" not in fields
    answer = send(staff, url(unpublished), fields, publish="on", visibility="groups", allowed_groups=[engineering.pk])
    assert answer.status_code == 302
    assert published_to(unpublished) == ("groups", ["group_acme_eng"])
    assert (may_call(ann, unpublished), may_call(bo, unpublished)) == (True, False)


def test_the_entry_is_that_of_every_other_way_but_for_the_door(
    staff: Client, unpublished: Core, engineering: Group, root: User
) -> None:
    changes: dict[str, Any] = {"publish": "on", "visibility": "groups", "allowed_groups": [engineering.pk]}
    send(staff, url(unpublished), fields_on(staff, url(unpublished)), **changes)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor, entry.door, entry.target) == (
        "core.published",
        root.email,
        "admin",
        unpublished.pk,
    )
    assert entry.after["group_ids"] == ["group_acme_eng"]


def test_the_box_carries_the_labels_of_flow_properties(staff: Client, echo: Core) -> None:
    labels = {field.label for field in staff.get(url(echo)).context["adminform"].form}
    assert {"Publish as chat model", "Visibility group IDs", "Visibility"} <= labels


def test_taking_the_tick_away_unpublishes(staff: Client, narrow_echo: Core, ann: User) -> None:
    send(staff, url(narrow_echo), fields_on(staff, url(narrow_echo)), publish=None)
    assert (published_to(narrow_echo), may_call(ann, narrow_echo)) == (None, False)
    assert audited()[-1] == "core.unpublished"


def test_ticking_again_takes_up_the_last_restriction(staff: Client, narrow_echo: Core) -> None:
    send(staff, url(narrow_echo), fields_on(staff, url(narrow_echo)), publish=None)
    send(staff, url(narrow_echo), fields_on(staff, url(narrow_echo)), publish="on")
    assert published_to(narrow_echo) == ("groups", ["group_acme_eng"])


def test_saving_the_page_as_it_is_changes_and_tells_nothing(staff: Client, narrow_echo: Core) -> None:
    before = audited()
    assert send(staff, url(narrow_echo), fields_on(staff, url(narrow_echo))).status_code == 302
    assert (audited(), published_to(narrow_echo)) == (before, ("groups", ["group_acme_eng"]))


def test_a_page_that_carries_no_box_takes_no_tick_away(staff: Client, echo: Core) -> None:
    send(staff, url(echo), {"live": echo.live_id})
    assert published_to(echo) == ("tenant", [])


def test_widening_asks_with_numbers_and_is_done_when_agreed(staff: Client, narrow_echo: Core, root: User) -> None:
    changes: dict[str, Any] = {"visibility": "tenant", "allowed_groups": None}
    asked = send(staff, url(narrow_echo), fields_on(staff, url(narrow_echo)), **changes)
    assert errors_in(asked) == {"__all__": [f"{QUESTION} Nothing was saved yet."]}
    assert f'name="agreed" value="{QUESTION}"' in asked.content.decode()
    assert published_to(narrow_echo) == ("groups", ["group_acme_eng"])
    assert send(staff, url(narrow_echo), fields_in(asked), agreed=QUESTION).status_code == 302
    assert published_to(narrow_echo) == ("tenant", [])


def test_widening_is_asked_again_when_the_numbers_have_changed(staff: Client, narrow_echo: Core, bo: User) -> None:
    changes: dict[str, Any] = {"visibility": "tenant", "allowed_groups": None, "agreed": QUESTION}
    asked = send(staff, url(narrow_echo), fields_on(staff, url(narrow_echo)), **changes)
    assert "3 active users" in errors_in(asked)["__all__"][0]
    assert published_to(narrow_echo) == ("groups", ["group_acme_eng"])


def test_as_many_others_are_a_widening_too(staff: Client, narrow_echo: Core, operations: Group, bo: User) -> None:
    groups.set_members(operations, users=[bo], groups=[], actor=actors.operator("test"), at=timezone.now())
    asked = send(staff, url(narrow_echo), fields_on(staff, url(narrow_echo)), allowed_groups=[operations.pk])
    assert "Access widens" in errors_in(asked)["__all__"][0]


def test_narrowing_and_first_publishing_ask_nothing(staff: Client, unpublished: Core, engineering: Group) -> None:
    assert send(staff, url(unpublished), fields_on(staff, url(unpublished)), publish="on").status_code == 302
    changes: dict[str, Any] = {"visibility": "groups", "allowed_groups": [engineering.pk]}
    assert send(staff, url(unpublished), fields_on(staff, url(unpublished)), **changes).status_code == 302
    assert published_to(unpublished) == ("groups", ["group_acme_eng"])


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"visibility": "groups"}, "allowed_groups", "List at least one group, or choose everyone in the tenant."),
        ({"visibility": None}, "visibility", "This field is required."),
        ({"visibility": "public"}, "visibility", "Select a valid choice. public is not one of the available choices."),
        ({"allowed_groups": ["99999"]}, "allowed_groups", "A group that was chosen is not one of the available"),
        ({"allowed_groups": ["abc"]}, "allowed_groups", "A group that was chosen is not one of the available"),
        ({"allowed_groups": ["9" * 40]}, "allowed_groups", "A group that was chosen is not one of the available"),
        ({"allowed_groups": ["1\0"]}, "allowed_groups", "A group that was chosen is not one of the available"),
        ({"allowed_groups": ["-1"]}, "allowed_groups", "A group that was chosen is not one of the available"),
    ],
)
def test_what_cannot_be_published_is_refused_beside_its_field(
    staff: Client, unpublished: Core, changes: dict[str, Any], field: str, sentence: str
) -> None:
    answer = send(staff, url(unpublished), fields_on(staff, url(unpublished)), publish="on", **changes)
    assert errors_in(answer)[field][0].startswith(sentence)
    assert published_to(unpublished) is None


def test_groups_beside_everyone_are_refused(staff: Client, echo: Core, engineering: Group) -> None:
    answer = send(staff, url(echo), fields_on(staff, url(echo)), allowed_groups=[engineering.pk])
    assert errors_in(answer)["allowed_groups"][0].startswith("Take the groups out")


def test_a_group_of_another_tenant_is_no_choice_even_for_a_superuser(echo: Core, foreign: Group) -> None:
    sue = signed_in(superuser())
    changes: dict[str, Any] = {"visibility": "groups", "allowed_groups": [foreign.pk]}
    answer = send(sue, url(echo), fields_on(sue, url(echo)), **changes)
    assert "allowed_groups" in errors_in(answer)
    assert published_to(echo) == ("tenant", [])


def test_a_group_deleted_while_the_page_was_open_is_refused_beside_the_field(
    staff: Client, unpublished: Core, engineering: Group
) -> None:
    fields, key = fields_on(staff, url(unpublished)), engineering.pk
    groups.delete_group(engineering, actor=actors.operator("test"), at=timezone.now())
    answer = send(staff, url(unpublished), fields, publish="on", visibility="groups", allowed_groups=[key])
    assert set(errors_in(answer)) >= {"allowed_groups"}
    assert published_to(unpublished) is None


def test_a_core_that_no_chat_call_can_enter_is_refused_beside_the_box(staff: Client, unpublished: Core) -> None:
    Core.objects.filter(pk=unpublished.pk).update(live=not_callable(unpublished))
    answer = send(staff, url(unpublished), fields_on(staff, url(unpublished)), publish="on")
    assert errors_in(answer) == {"publish": ["Add an entry_api node and deploy again."]}
    assert published_to(unpublished) is None


def test_a_core_without_a_version_is_refused_beside_the_box(staff: Client, acme: Tenant) -> None:
    empty = Core.objects.create(tenant=acme, slug="empty", name="Empty")
    answer = send(staff, url(empty), fields_on(staff, url(empty)), publish="on")
    assert errors_in(answer) == {"publish": ["Deploy the flow first."]}


def test_version_and_visibility_are_saved_together_or_not_at_all(staff: Client, echo: Core, ann: User) -> None:
    other, fields = not_callable(echo), fields_on(staff, url(echo))
    answer = send(staff, url(echo), fields, live=other.pk, visibility="groups")
    assert "allowed_groups" in errors_in(answer)
    assert Core.objects.get(pk=echo.pk).live != other
    assert send(staff, url(echo), fields, live=other.pk, publish=None).status_code == 302
    assert (Core.objects.get(pk=echo.pk).live, published_to(echo)) == (other, None)


def test_a_double_click_is_done_once(staff: Client, unpublished: Core) -> None:
    fields = {**fields_on(staff, url(unpublished)), "publish": "on"}
    first, second = send(staff, url(unpublished), fields), send(staff, url(unpublished), fields)
    assert (first.status_code, second.status_code) == (302, 200)
    assert audited().count("core.published") == 2  # its first deploy, and this


def test_of_two_who_change_one_core_the_second_is_shown_what_changed(
    staff: Client, echo: Core, engineering: Group, operations: Group
) -> None:
    mine = fields_on(staff, url(echo))
    send(staff, url(echo), mine, visibility="groups", allowed_groups=[engineering.pk])
    answer = send(staff, url(echo), mine, visibility="groups", allowed_groups=[operations.pk])
    [said] = errors_in(answer)["__all__"]
    assert said.startswith(
        "Somebody changed this after you opened the page: visibility everyone in the tenant → members of the listed "
        "groups; groups none → group_acme_eng."
    )
    assert published_to(echo) == ("groups", ["group_acme_eng"])
    assert send(staff, url(echo), fields_in(answer)).status_code == 302
    assert published_to(echo) == ("groups", ["group_acme_ops"])


def test_what_the_second_did_not_touch_takes_the_new_value(staff: Client, narrow_echo: Core, root: User) -> None:
    flow = Flow.objects.get()
    mine = fields_on(staff, url(narrow_echo))
    actions.publish(narrow_echo, group_ids=[], actor=actors.operator("test"), at=timezone.now())
    core = actions.deploy(flow, actor=actors.operator("test"), at=timezone.now()).core
    actions.publish(core, group_ids=["group_acme_eng"], actor=actors.operator("test"), at=timezone.now())
    answer = send(staff, url(core), mine, publish=None)
    assert "live version 1 → 2" in errors_in(answer)["__all__"][0]
    assert published_to(core) == ("groups", ["group_acme_eng"])
    assert send(staff, url(core), fields_in(answer)).status_code == 302
    core.refresh_from_db()
    assert (published_to(core), core.live and core.live.number) == (None, 2)


@pytest.mark.parametrize("seen", ["", "{", "[]", "null", '{"live": 1}', '{"allowed_groups": [1], "hold": [null]}'])
def test_a_page_that_says_nonsense_about_what_it_showed_is_stale(staff: Client, echo: Core, seen: str) -> None:
    answer = send(staff, url(echo), fields_on(staff, url(echo)), publish=None, seen=seen)
    assert "__all__" in errors_in(answer)
    assert published_to(echo) == ("tenant", [])


def test_what_a_page_claims_to_have_shown_is_not_looked_up_elsewhere(staff: Client, echo: Core, foreign: Group) -> None:
    seen = json.loads(fields_on(staff, url(echo))["seen"]) | {"allowed_groups": [str(foreign.pk)]}
    answer = send(staff, url(echo), fields_on(staff, url(echo)), publish=None, seen=json.dumps(seen))
    assert "group_globex" not in answer.content.decode()


def test_a_publication_that_changed_meanwhile_is_shown_too(
    staff: Client, echo: Core, engineering: Group, operations: Group
) -> None:
    at = page(PUBLICATIONS, echo)
    mine = fields_on(staff, at)
    actions.publish(echo, group_ids=["group_acme_eng"], actor=actors.operator("test"), at=timezone.now())
    answer = send(staff, at, mine, visibility="groups", allowed_groups=[operations.pk])
    assert "groups none → group_acme_eng" in errors_in(answer)["__all__"][0]
    assert published_to(echo) == ("groups", ["group_acme_eng"])


def test_the_page_says_where_flow_and_registry_disagree(staff: Client, narrow_echo: Core) -> None:
    text = staff.get(url(narrow_echo)).content.decode()
    assert "The flow says published to the tenant; the registry says group_acme_eng; the next deploy will set" in text


def test_staff_of_another_tenant_neither_read_nor_change_it(echo: Core, globex: Tenant) -> None:
    stranger = signed_in(User.objects.create_user("sid@globex.test", tenant=globex, is_staff=True))
    before = audited()
    assert stranger.get(url(echo)).status_code == 302
    stranger.post(url(echo), {"live": echo.live_id, "seen": "{}"})
    for act in ("hold", "lift-hold"):
        assert stranger.get(page(CORES, echo, act)).status_code == 404
        assert stranger.post(page(CORES, echo, act), {"reason": "x"}).status_code == 404
    assert audited() == before


# Add publication.


def test_adding_a_publication_publishes(staff: Client, unpublished: Core, engineering: Group) -> None:
    sent = {"core": unpublished.pk, "visibility": "groups", "allowed_groups": [engineering.pk]}
    answer = staff.post(ADD, sent, follow=True)
    assert "scaicore/acme/echo-agent</a>” was added successfully" in answer.content.decode()
    assert published_to(unpublished) == ("groups", ["group_acme_eng"])
    assert audited()[-1] == "core.published"


def test_adding_offers_cores_that_could_be_published(staff: Client, echo: Core, acme: Tenant, globex: Tenant) -> None:
    actor, at = actors.operator("test"), timezone.now()

    def core(name: str, tenant: Tenant = acme) -> Core:
        return actions.create_core(tenant=tenant, name=name, content=echo_document(), actor=actor, at=at)

    core("Free")
    core("Theirs", globex)
    actions.hold_core(core("Held"), reason="x", actor=actor, at=at)
    Core.objects.create(tenant=acme, slug="empty", name="Empty")
    assert found(staff, ADD, "core", "publication") == ["acme/free (Free)"]
    for name in ("echo-agent", "held", "empty", "theirs"):
        answer = staff.post(ADD, {"core": Core.objects.get(slug=name).pk, "visibility": "tenant"})
        assert errors_in(answer)["core"][0].startswith("Choose a Core that has a live version")
    assert Publication.objects.count() == 1


@pytest.mark.parametrize("core", ["", "core_nope", "x\0y", "x" * 300])
def test_adding_without_a_core_that_exists_is_refused_beside_it(staff: Client, core: str, acme: Tenant) -> None:
    assert "core" in errors_in(staff.post(ADD, {"core": core, "visibility": "tenant"}))


def test_adding_asks_whom_for(staff: Client, unpublished: Core) -> None:
    assert "visibility" in errors_in(staff.post(ADD, {"core": unpublished.pk}))
    assert "allowed_groups" in errors_in(staff.post(ADD, {"core": unpublished.pk, "visibility": "groups"}))
    assert published_to(unpublished) is None


def test_adding_with_groups_of_another_tenant_is_refused_beside_them(unpublished: Core, foreign: Group) -> None:
    sent = {"core": unpublished.pk, "visibility": "groups", "allowed_groups": [foreign.pk]}
    answer = signed_in(superuser()).post(ADD, sent)
    assert errors_in(answer) == {"allowed_groups": ["The group group_globex does not exist."]}
    assert published_to(unpublished) is None


def test_adding_what_somebody_published_meanwhile_changes_nothing(
    staff: Client, unpublished: Core, engineering: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the other had been faster by less than the check of the form takes."""
    publishable = Core.objects.publishable()
    monkeypatch.setattr("publishing.models.flows.CoreQuerySet.publishable", lambda self: self.all())
    assert publishable.exists()
    sent = {"core": unpublished.pk, "visibility": "groups", "allowed_groups": [engineering.pk]}
    staff.post(ADD, sent)
    answer = staff.post(ADD, {"core": unpublished.pk, "visibility": "tenant"})
    assert "core" in errors_in(answer)
    assert published_to(unpublished) == ("groups", ["group_acme_eng"])


# Groups found by typing.


def found(client: Client, at: str, field: str, model: str, term: str = "") -> list[str]:
    """What a search of the field on the page `at` finds."""
    widget = client.get(at).context["adminform"].form.fields[field].widget
    attrs = widget.build_attrs({})
    asked = {"term": term, "app_label": "publishing", "model_name": model, "field_name": attrs["data-field-name"]}
    path, _, narrowed = attrs["data-ajax--url"].partition("?")
    answer = client.get(path, {**asked, **dict(parse_qsl(narrowed))})
    assert answer.status_code == 200
    return [row["text"] for row in answer.json()["results"]]


def test_groups_are_found_by_id_and_by_name(
    staff: Client, echo: Core, engineering: Group, operations: Group, foreign: Group
) -> None:
    both = ["group_acme_eng (Engineering)", "group_acme_ops (Operations)"]
    assert found(staff, url(echo), "allowed_groups", "publication") == both
    assert found(staff, url(echo), "allowed_groups", "publication", "_eng") == both[:1]
    assert found(staff, url(echo), "allowed_groups", "publication", "operat") == both[1:]


def test_a_superuser_finds_the_tenants_own_groups_alone(echo: Core, engineering: Group, foreign: Group) -> None:
    sue = signed_in(superuser())
    for at in (url(echo), page(PUBLICATIONS, echo)):
        assert found(sue, at, "allowed_groups", "publication") == ["group_acme_eng (Engineering)"]
    assert found(sue, ADD, "allowed_groups", "publication") == [
        "group_acme_eng (Engineering), acme",
        "group_globex (Theirs), globex",
    ]


# Holds.


def test_a_core_is_held_from_its_page(staff: Client, echo: Core, ann: User) -> None:
    assert "2 users can call it now; from the next call on nobody can." in staff.get(url(echo)).content.decode()
    answer = staff.post(page(CORES, echo, "hold"), {"reason": "Audit"}, follow=True)
    assert "cme/echo-agent is held: Audit" in answer.content.decode()
    assert (Hold.objects.get().reason, published_to(echo), may_call(ann, echo)) == ("Audit", None, False)


def test_the_box_of_a_held_core_is_refused_beside_it_with_the_reason(staff: Client, echo: Core) -> None:
    actions.hold_core(echo, reason="Audit", actor=actors.operator("test"), at=timezone.now())
    answer = send(staff, url(echo), fields_on(staff, url(echo)), publish="on")
    assert errors_in(answer) == {"publish": ["Held by staff: Audit"]}
    assert published_to(echo) is None


def test_a_hold_that_came_meanwhile_is_shown(staff: Client, unpublished: Core) -> None:
    mine = fields_on(staff, url(unpublished))
    actions.hold_core(unpublished, reason="Audit", actor=actors.operator("test"), at=timezone.now())
    assert "hold none → Audit" in errors_in(send(staff, url(unpublished), mine, publish="on"))["__all__"][0]


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "a\nb", "a\0b", "a\x07b"])
def test_a_reason_that_is_none_is_refused_beside_the_field(staff: Client, echo: Core, reason: str) -> None:
    answer = staff.post(page(CORES, echo, "hold"), {"reason": reason})
    assert answer.status_code == 200
    assert "reason" in answer.context["hold_form"].errors
    assert published_to(echo) == ("tenant", [])


def test_holding_and_lifting_by_double_click_is_done_once(staff: Client, echo: Core) -> None:
    for act, entry in (("hold", "core.held"), ("lift-hold", "core.hold_lifted")):
        for _ in range(2):
            assert staff.post(page(CORES, echo, act), {"reason": "Audit"}).status_code == 302
        assert audited().count(entry) == 1
    assert published_to(echo) is None


def test_only_the_hold_that_the_page_showed_is_lifted(staff: Client, echo: Core) -> None:
    actor, at = actors.operator("test"), timezone.now()
    actions.hold_core(echo, reason="Another", actor=actor, at=at)
    answer = staff.post(page(CORES, echo, "lift-hold"), {"reason": "Audit"}, follow=True)
    assert "for another reason by now: Another" in answer.content.decode()
    assert Hold.objects.exists()
    staff.get(page(CORES, echo, "lift-hold"))
    assert Hold.objects.exists()


def test_the_list_of_cores_says_what_is_held(staff: Client, echo: Core) -> None:
    actions.hold_core(echo, reason="Audit", actor=actors.operator("test"), at=timezone.now())
    assert "held by staff: Audit" in staff.get(CORES).content.decode()


def test_a_page_takes_twenty_statements_at_most_however_much_there_is(
    staff: Client, narrow_echo: Core, acme: Tenant
) -> None:
    actor, at = actors.operator("test"), timezone.now()
    names = [f"group_{number}" for number in range(30)]
    Group.objects.bulk_create(Group(tenant=acme, scaikey_id=name) for name in names)
    actions.publish(narrow_echo, group_ids=["group_acme_eng", *names], actor=actor, at=at)
    for at_page in (ADD, url(narrow_echo), page(PUBLICATIONS, narrow_echo), page(CORES, narrow_echo, "hold")):
        assert queries(staff, at_page) <= 20, at_page


def test_no_page_needs_more_than_the_strict_policy_allows(staff: Client, echo: Core) -> None:
    for at in (ADD, url(echo), page(CORES, echo, "hold")):
        assert not INLINE.search(staff.get(at).content.decode()), at
