"""The page of a flow: saved and deployed by its form, with every refusal next to what it is about."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from identity.actors import actor_of
from identity.models import AuditEntry, Group, Role, Tenant, User
from publishing import actions
from publishing.models import Core, Entity, Flow, Publication
from scaicore import with_properties
from tests.conftest import echo_document
from tests.support.browsing import deploy, fields_of, opened, page_of, save, toasts


@pytest.fixture
def admin(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


@pytest.fixture
def draft(acme: Tenant, root: User) -> Flow:
    """The echo flow without its tick."""
    return actions.create_flow(
        tenant=acme,
        name="Echo Agent",
        content=echo_document(publish_as_model=False),
        owner=root,
        actor=actor_of(root),
        at=timezone.now(),
    )


@pytest.fixture
def ops(acme: Tenant) -> User:
    """Another admin of the tenant."""
    return User.objects.create(email="ops@acme.test", tenant=acme, role=Role.ADMIN)


def saved_by(user: User, flow: Flow, **changes: object) -> None:
    actions.save_flow(flow, base_version=flow.saved.version, actor=actor_of(user), at=timezone.now(), **changes)


def config_of(flow: Flow) -> dict[str, object]:
    return dict(flow.saved.content["config"])


def test_a_save_stores_a_new_version_and_leaves_the_rest_of_the_document_alone(admin: Client, draft: Flow) -> None:
    before = draft.saved.content
    response = save(admin, draft, opened(admin, draft), publish="on")
    assert toasts(admin, response) == ["Saved version 1.0.1"]
    assert draft.saved.content == {**before, "config": {**before["config"], "publish_as_model": True}}
    assert AuditEntry.objects.filter(action="flow.saved", target=draft.pk, actor="root@acme.test").count() == 1


def test_a_rename_alone_makes_no_version(admin: Client, draft: Flow) -> None:
    response = save(admin, draft, opened(admin, draft), name="Renamed", description="Two\r\nlines")
    assert toasts(admin, response) == ["Saved"]
    draft.refresh_from_db()
    assert (draft.name, draft.description, draft.saved.version) == ("Renamed", "Two\nlines", "1.0.0")


def test_saving_what_is_saved_changes_nothing(admin: Client, draft: Flow, root: User) -> None:
    saved_by(root, draft, description="Two\r\nlines, <b>one</b> mark\n")
    assert toasts(admin, save(admin, draft, opened(admin, draft))) == ["Nothing has changed"]


def test_group_ids_may_be_separated_by_commas_and_blanks_and_are_kept_once(
    admin: Client, draft: Flow, engineering: Group
) -> None:
    Group.objects.create(tenant=draft.tenant, scaikey_id="group_acme_ops")
    typed = " group_acme_eng,group_acme_ops , group_acme_eng\n"
    save(admin, draft, opened(admin, draft), publish="on", groups=typed)
    assert config_of(draft)["model_visibility_group_ids"] == ["group_acme_eng", "group_acme_ops"]


def test_unknown_groups_are_refused_beside_their_field_and_what_was_typed_stays(
    admin: Client, draft: Flow, engineering: Group, globex: Tenant
) -> None:
    Group.objects.create(tenant=globex, scaikey_id="group_globex")
    typed = "group_acme_eng, group_nope, group_globex"
    response = save(admin, draft, opened(admin, draft), publish="on", groups=typed, name="Renamed")
    page = page_of(response)
    refused = "The group group_nope does not exist. The group group_globex does not exist."
    assert f'<p class="error" id="id_groups_error">{refused}</p>' in page
    assert f'value="{typed}"' in page
    assert 'value="Renamed"' in page
    draft.refresh_from_db()
    assert (draft.name, draft.saved.version) == ("Echo Agent", "1.0.0")


def test_group_ids_behind_an_unticked_box_are_kept_unchecked(admin: Client, draft: Flow) -> None:
    save(admin, draft, opened(admin, draft), groups="group_later")
    assert config_of(draft) == {"publish_as_model": False, "model_visibility_group_ids": ["group_later"]}


def test_an_untick_keeps_the_groups_for_the_next_tick(admin: Client, draft: Flow, engineering: Group) -> None:
    save(admin, draft, opened(admin, draft), publish="on", groups="group_acme_eng")
    save(admin, draft, opened(admin, draft), publish=None)
    assert config_of(draft) == {"publish_as_model": False, "model_visibility_group_ids": ["group_acme_eng"]}


def test_a_group_deleted_meanwhile_prevents_no_rename_and_is_pointed_out(
    admin: Client, draft: Flow, engineering: Group
) -> None:
    save(admin, draft, opened(admin, draft), publish="on", groups="group_acme_eng")
    engineering.delete()
    assert "The saved group group_acme_eng does not exist (any more)." in page_of(admin.get(f"/flows/{draft.pk}/"))
    assert toasts(admin, save(admin, draft, opened(admin, draft), name="Renamed")) == ["Saved"]


def test_a_lost_group_behind_an_unticked_box_is_not_pointed_out(admin: Client, draft: Flow, engineering: Group) -> None:
    save(admin, draft, opened(admin, draft), groups="group_acme_eng")
    engineering.delete()
    page = page_of(admin.get(f"/flows/{draft.pk}/"))
    assert "does not exist (any more)" not in page
    assert admin.get(f"/flows/{draft.pk}/state/").json()["warning"] == ""


def test_a_blank_name_is_refused_beside_its_field(admin: Client, draft: Flow) -> None:
    page = page_of(save(admin, draft, opened(admin, draft), name="  "))
    assert '<p class="error" id="id_name_error">Give it a name of 1 to 200 characters.</p>' in page


def test_a_stale_save_changes_nothing_and_shows_both_sides(admin: Client, draft: Flow, ops: User) -> None:
    fields = opened(admin, draft)
    saved_by(ops, draft, content=echo_document(publish_as_model=True), name="Their name")
    page = page_of(save(admin, draft, fields, name="My name", description="Mine"), status=409)
    assert "Nothing was saved: ops@acme.test saved version 1.0.1" in page
    assert '<th scope="row">Name</th><td>My name</td><td><strong>Their name</strong></td>' in page
    assert '<th scope="row">Description</th><td>Mine</td><td><strong>Says what it hears.</strong></td>' in page
    assert '<th scope="row">Publish as chat model</th><td>not ticked</td><td><strong>ticked</strong></td>' in page
    assert 'value="My name"' in page
    draft.refresh_from_db()
    assert (draft.name, draft.description, draft.saved.version) == ("Their name", "Says what it hears.", "1.0.1")


def test_saving_again_puts_the_form_over_the_newer_version(admin: Client, draft: Flow, ops: User) -> None:
    fields = opened(admin, draft)
    saved_by(ops, draft, content=echo_document(publish_as_model=True), description="Theirs")
    clash = fields_of(save(admin, draft, fields, name="My name"), status=409)
    assert toasts(admin, save(admin, draft, clash, description="Both")) == ["Saved version 1.0.2"]
    draft.refresh_from_db()
    assert (draft.name, draft.description) == ("My name", "Both")
    assert config_of(draft)["publish_as_model"] is False
    assert draft.versions.get(version="1.0.1").content["config"]["publish_as_model"] is True


def test_saving_again_is_stale_again_when_a_third_save_came_between(admin: Client, draft: Flow, ops: User) -> None:
    fields = opened(admin, draft)
    saved_by(ops, draft, content=echo_document())
    clash = fields_of(save(admin, draft, fields, name="My name"), status=409)
    saved_by(ops, draft, content=echo_document())
    assert "saved version 1.0.2" in page_of(save(admin, draft, clash), status=409)


def test_a_rename_makes_an_older_page_stale(admin: Client, draft: Flow, ops: User) -> None:
    fields = opened(admin, draft)
    saved_by(ops, draft, name="Their name")
    page = page_of(save(admin, draft, fields, publish="on"), status=409)
    assert "ops@acme.test saved version 1.0.0" in page
    draft.refresh_from_db()
    assert (draft.name, draft.saved.version) == ("Their name", "1.0.0")


def test_a_stale_save_of_the_same_is_no_clash(admin: Client, draft: Flow, ops: User) -> None:
    fields = opened(admin, draft)
    saved_by(ops, draft, content=echo_document(publish_as_model=True))
    assert toasts(admin, save(admin, draft, fields, publish="on")) == ["Nothing has changed"]


def test_a_save_that_names_no_base_is_refused(admin: Client, draft: Flow) -> None:
    fields = opened(admin, draft)
    page_of(save(admin, draft, fields, base_version=None, publish="on"))
    page_of(save(admin, draft, fields, base_time=None, publish="on"))
    assert draft.saved.version == "1.0.0"


def test_the_toast_of_a_deploy_is_its_message_to_the_letter(admin: Client, draft: Flow) -> None:
    first = toasts(admin, deploy(admin, draft, opened(admin, draft)))
    core = Core.objects.get().pk
    save(admin, draft, opened(admin, draft), publish="on")
    second = toasts(admin, deploy(admin, draft, opened(admin, draft)))
    save(admin, draft, opened(admin, draft), publish=None)
    response = deploy(admin, draft, opened(admin, draft))
    page = page_of(admin.get(response.headers["location"]))
    assert first == [f"Deployed core_id={core}"]
    assert second == [f"Deployed core_id={core} — published as scaicore/acme/echo-agent"]
    assert f'<p role="status">Deployed core_id={core} — unpublished scaicore/acme/echo-agent</p>' in page


def test_a_deploy_with_something_typed_and_not_saved_is_refused_and_keeps_it(admin: Client, draft: Flow) -> None:
    page = page_of(deploy(admin, draft, opened(admin, draft), name="Renamed"))
    assert "Nothing was deployed." in page
    assert 'value="Renamed"' in page
    assert not Core.objects.exists()


def test_a_deploy_of_another_version_than_the_page_showed_is_refused(admin: Client, draft: Flow, ops: User) -> None:
    fields = opened(admin, draft)
    saved_by(ops, draft, content=echo_document())
    page = page_of(deploy(admin, draft, fields), status=409)
    assert "Nothing was deployed: ops@acme.test saved version 1.0.1" in page
    assert not Core.objects.exists()


def test_a_deploy_after_a_save_of_the_nodes_alone_shows_that_nothing_in_the_form_differs(
    admin: Client, draft: Flow, ops: User
) -> None:
    fields = opened(admin, draft)
    saved_by(ops, draft, content={**draft.saved.content, "nodes": draft.saved.content["nodes"][:1]})
    page = page_of(deploy(admin, draft, fields), status=409)
    assert "The form shows what is saved now" in page
    assert not Core.objects.exists()


@pytest.mark.parametrize("name", ["base_version", "base_time"])
def test_a_deploy_that_names_no_base_is_refused(admin: Client, draft: Flow, name: str) -> None:
    page_of(deploy(admin, draft, {**opened(admin, draft), name: ""}), status=409)
    assert not Core.objects.exists()


def test_a_deploy_of_a_flow_with_errors_lists_them_and_the_old_version_stays(
    admin: Client, echo: Core, ops: User
) -> None:
    broken = echo_document()
    broken["nodes"][1]["type"] = "llm_riddle"
    assert echo.flow
    saved_by(ops, echo.flow, content=broken)
    page = page_of(deploy(admin, echo.flow, opened(admin, echo.flow)))
    assert "The check of the saved flow found 1 error." in page
    assert "Node <code>reply</code>" in page
    assert echo.versions.count() == 1


@pytest.mark.parametrize("group_ids", [["group_nope"], None, [1], "group_acme_eng"])
def test_a_deploy_of_unusable_group_ids_is_refused_and_they_are_shown(
    admin: Client, draft: Flow, ops: User, group_ids: object
) -> None:
    saved_by(ops, draft, content=echo_document(model_visibility_group_ids=group_ids))
    page = page_of(deploy(admin, draft, opened(admin, draft)))
    assert "Nothing was deployed." in page
    assert not Core.objects.exists()
    assert opened(admin, draft)["groups"] in ("group_nope", "null", "[1]", '"group_acme_eng"')


def test_group_ids_lost_since_the_save_are_refused_by_deploy_beside_their_field(
    admin: Client, draft: Flow, engineering: Group
) -> None:
    save(admin, draft, opened(admin, draft), publish="on", groups="group_acme_eng")
    engineering.delete()
    page = page_of(deploy(admin, draft, opened(admin, draft)))
    assert '<p class="error" id="id_groups_error">The group group_acme_eng does not exist.</p>' in page


def test_the_page_says_when_the_live_version_is_behind(admin: Client, echo: Core) -> None:
    assert echo.flow
    url = f"/flows/{echo.flow.pk}/"
    assert "Live version is behind the saved one — Deploy" not in page_of(admin.get(url))
    save(admin, echo.flow, opened(admin, echo.flow), publish=None)
    assert "Live version is behind the saved one — Deploy" in page_of(admin.get(url))


def test_the_page_says_when_nobody_is_left_who_can_call(admin: Client, narrow_echo: Core, engineering: Group) -> None:
    engineering.delete()
    page = page_of(admin.get(f"/flows/{narrow_echo.flow_id}/"))
    assert "Nobody can call this" in page
    says, registry = "The flow says published to the tenant", "the registry says nobody, because its groups are gone"
    assert f"{says}; {registry}; the next deploy will set the tenant." in page
    assert Publication.objects.get().visibility == "groups"


def test_a_published_flow_shows_its_name_and_requests_to_copy(admin: Client, echo: Core) -> None:
    page = page_of(admin.get(f"/flows/{echo.flow_id}/"))
    assert '<code id="model-name">scaicore/acme/echo-agent</code>' in page
    assert "curl -X POST &quot;http://testserver/v1/chat/completions&quot;" in page
    assert "base_url=&quot;http://testserver/v1&quot;" in page


def test_instance_mode_and_scope_are_properties_of_the_document(admin: Client, draft: Flow) -> None:
    save(admin, draft, opened(admin, draft), instance_mode="entity", entity_scope="tenant")
    assert config_of(draft)["scaiflow_meta"] == {"instance_mode": "entity", "entity_scope": "tenant"}


@pytest.fixture
def remembering(draft: Flow, root: User) -> Core:
    """A live entity-mode Core with one conversation."""
    content = with_properties(draft.saved.content, instance_mode="entity")
    saved_by(root, draft, content=content)
    now = timezone.now()
    core = actions.deploy(draft, actor=actor_of(root), at=now).core
    Entity.objects.create(
        core=core, partition="entity", owner=root.pk, entity_id="one", turns_committed=2, created_at=now, updated_at=now
    )
    return core


def test_a_deploy_that_would_forget_conversations_asks_first(admin: Client, draft: Flow, remembering: Core) -> None:
    save(admin, draft, opened(admin, draft), instance_mode="stateless")
    fields = opened(admin, draft)
    assert "The live version remembers 1 conversation that version 1.0.2" in page_of(deploy(admin, draft, fields))
    assert remembering.versions.count() == 1
    assert toasts(admin, deploy(admin, draft, fields, agreed="1.0.2")) == [f"Deployed core_id={remembering.pk}"]
    assert Entity.objects.count() == 1


def test_a_deploy_that_forgets_nothing_asks_nothing(admin: Client, draft: Flow, remembering: Core) -> None:
    save(admin, draft, opened(admin, draft), publish="on")
    deploy(admin, draft, opened(admin, draft))
    assert remembering.versions.count() == 2
