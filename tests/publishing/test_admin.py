"""The admin of flows, Cores and publications: every change is the action's, and leaves its audit entry."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, groups
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions, registry
from publishing.models import Core, CoreVersion, Flow, Publication
from tests.conftest import echo_document
from tests.support.staff import INLINE, audited, choose, confirm, page, previewed, queries, signed_in, superuser

FLOWS = "/admin/publishing/flow/"
CORES = "/admin/publishing/core/"
PUBLICATIONS = "/admin/publishing/publication/"


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def stranger(globex: Tenant) -> Client:
    """Staff of another tenant."""
    return signed_in(User.objects.create_user("sid@globex.test", tenant=globex, is_staff=True))


def page_of(core: Core) -> str:
    return page(PUBLICATIONS, core)


def second_version(core: Core) -> Core:
    """The Core after another deploy."""
    assert core.flow is not None
    return actions.deploy(core.flow, actor=actors.operator("test"), at=timezone.now()).core


def test_who_may_call_is_narrowed_by_publish(staff: Client, echo: Core, engineering: Group, root: User) -> None:
    staff.post(page_of(echo), {"visibility": "groups", "allowed_groups": [engineering.pk]})
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor) == ("publication.changed", root.email)
    assert (entry.before["visibility"], entry.after["group_ids"]) == ("tenant", ["group_acme_eng"])
    assert [user.email for user in registry.audience(echo.publication)] == ["ann@acme.test"]


def test_a_model_is_opened_to_the_tenant_again_once_that_is_agreed_to(staff: Client, narrow_echo: Core) -> None:
    asked = staff.post(page_of(narrow_echo), {"visibility": "tenant"})
    assert Publication.objects.get().visibility == "groups"
    staff.post(page_of(narrow_echo), {"visibility": "tenant", "agreed": asked.context["refused"].question})
    publication = Publication.objects.get()
    assert (publication.visibility, publication.group_ids) == ("tenant", [])


def test_the_page_names_the_publication_that_was_changed(staff: Client, echo: Core, engineering: Group) -> None:
    answer = staff.post(page_of(echo), {"visibility": "groups", "allowed_groups": [engineering.pk]}, follow=True)
    assert "scaicore/acme/echo-agent</a>” was changed successfully" in answer.content.decode()


@pytest.mark.parametrize(
    ("visibility", "sentence"),
    [
        ("groups", "List at least one group, or choose everyone in the tenant."),
        ("", "This field is required."),
        ("public", "Select a valid choice. public is not one of the available choices."),
    ],
)
def test_an_emptied_list_never_opens_a_model(staff: Client, narrow_echo: Core, visibility: str, sentence: str) -> None:
    answer = staff.post(page_of(narrow_echo), {"visibility": visibility})
    assert sentence in answer.content.decode()
    assert Publication.objects.get().group_ids == ["group_acme_eng"]


def test_groups_beside_an_open_switch_are_refused(staff: Client, echo: Core, engineering: Group) -> None:
    answer = staff.post(page_of(echo), {"visibility": "tenant", "allowed_groups": [engineering.pk]})
    assert "Take the groups out" in answer.content.decode()


def test_a_group_of_another_tenant_is_no_choice(staff: Client, echo: Core, globex: Tenant) -> None:
    theirs = Group.objects.create(tenant=globex, scaikey_id="group_globex")
    answer = staff.post(page_of(echo), {"visibility": "groups", "allowed_groups": [theirs.pk]})
    assert "is not one of the available choices" in answer.content.decode()
    assert Publication.objects.get().visibility == "tenant"


def test_a_group_that_vanished_meanwhile_is_refused_beside_the_field(
    staff: Client, echo: Core, engineering: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.admin.forms.PublicationForm.group_ids", ["group_gone"])
    answer = staff.post(page_of(echo), {"visibility": "groups", "allowed_groups": [engineering.pk]})
    errors = answer.context["adminform"].form.errors
    assert errors == {"allowed_groups": ["The group group_gone does not exist."]}
    assert Publication.objects.get().visibility == "tenant"


def test_saving_a_publication_as_it_is_changes_and_tells_nothing(
    staff: Client, narrow_echo: Core, engineering: Group
) -> None:
    groups.delete_group(engineering, actor=actors.operator("test"), at=timezone.now())
    told = audited()
    assert staff.post(page_of(narrow_echo), {"visibility": "groups"}).status_code == 302
    assert (audited(), Publication.objects.get().visibility) == (told, "groups")


def test_deleting_a_publication_is_unpublishing(staff: Client, echo: Core, ann: User) -> None:
    staff.post(page(PUBLICATIONS, echo, "delete"), {"post": "yes"})
    assert audited()[-1] == "core.unpublished"
    assert registry.access(ann, echo) is None


def test_deleting_many_publications_tells_of_each(staff: Client, echo: Core) -> None:
    confirm(staff, PUBLICATIONS, previewed(staff, PUBLICATIONS, "unpublish", [echo.publication]))
    assert audited()[-1] == "core.unpublished"
    assert not Publication.objects.exists()


def test_nobody_can_call_is_said_in_red(staff: Client, narrow_echo: Core, engineering: Group) -> None:
    groups.delete_group(engineering, actor=actors.operator("test"), at=timezone.now())
    for url in (PUBLICATIONS, page_of(narrow_echo), page(PUBLICATIONS, narrow_echo, "audience")):
        assert '<strong class="alarm">Nobody can call this</strong>' in staff.get(url).content.decode()


def test_the_head_count_is_the_audience(staff: Client, echo: Core, narrow_echo: Core, bo: User) -> None:
    assert "1 user<" in staff.get(PUBLICATIONS).content.decode()
    actions.publish(echo, group_ids=[], actor=actors.operator("test"), at=timezone.now())
    assert "3 users<" in staff.get(PUBLICATIONS).content.decode()


def test_the_audience_page_lists_exactly_who_may_call(staff: Client, narrow_echo: Core, bo: User) -> None:
    text = staff.get(page(PUBLICATIONS, narrow_echo, "audience")).content.decode()
    assert "ann@acme.test" in text
    assert "bo@acme.test" not in text


def test_the_audience_comes_in_pages(
    staff: Client, echo: Core, monkeypatch: pytest.MonkeyPatch, ann: User, root: User
) -> None:
    monkeypatch.setattr("publishing.admin.audience.PER_PAGE", 1)
    text = staff.get(page(PUBLICATIONS, echo, "audience") + "?page=2").content.decode()
    assert "Page 2 of 2" in text
    assert page("/admin/identity/user/", root) in text


def test_staff_of_another_tenant_see_nothing_of_it(stranger: Client, echo: Core) -> None:
    for url in (PUBLICATIONS, CORES, FLOWS):
        assert "echo" not in stranger.get(url).content.decode().lower()
    assert stranger.get(page_of(echo)).status_code == 302
    assert stranger.get(page(CORES, echo)).status_code == 302
    assert stranger.get(page(FLOWS, echo.flow)).status_code == 302
    assert stranger.get(page(PUBLICATIONS, echo, "audience")).status_code == 404


def test_staff_of_another_tenant_change_nothing_of_it(stranger: Client, echo: Core) -> None:
    second_version(echo)
    told = audited()
    stranger.post(page_of(echo), {"visibility": "tenant"})
    stranger.post(page(PUBLICATIONS, echo, "delete"), {"post": "yes"})
    stranger.post(page(CORES, echo, "delete"), {"post": "yes"})
    confirm(stranger, CORES, previewed(stranger, CORES, "roll_back", [echo]))
    for change in ("unpublish", "restrict", "hold"):
        preview = previewed(stranger, PUBLICATIONS, change, [echo.publication])
        assert confirm(stranger, PUBLICATIONS, preview, reason="x").status_code == 200
    assert audited() == told


def test_a_user_who_is_no_staff_sees_no_audience(ann: User, echo: Core) -> None:
    assert signed_in(ann).get(page(PUBLICATIONS, echo, "audience")).status_code == 302


def test_a_core_is_rolled_back_by_choosing_a_version(staff: Client, echo: Core) -> None:
    core = second_version(echo)
    staff.post(page(CORES, core), {"live": core.versions.get(number=1).pk})
    core.refresh_from_db()
    assert core.live is not None
    assert core.live.number == 1
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.before, entry.after) == ("core.rolled_back", {"version": 2}, {"version": 1})


def test_a_core_is_rolled_back_by_one_step_from_the_list(staff: Client, echo: Core) -> None:
    core = second_version(echo)
    preview = previewed(staff, CORES, "roll_back", [core])
    [line] = preview.context["lines"]
    assert (line.now, line.then) == ("version 2 is live", "version 1 is live")
    assert Core.objects.get().live == core.versions.get(number=2)
    confirm(staff, CORES, preview)
    assert Core.objects.get().live == core.versions.get(number=1)


def test_a_core_with_one_version_is_not_rolled_back(staff: Client, echo: Core) -> None:
    answer = previewed(staff, CORES, "roll_back", [echo])
    assert "there is no version before the live one." in answer.content.decode()
    assert "core.rolled_back" not in audited()


def test_a_version_of_another_core_is_no_choice(staff: Client, echo: Core, acme: Tenant) -> None:
    actor, at = actors.operator("test"), timezone.now()
    other = actions.create_core(tenant=acme, name="Other", content=echo_document(), actor=actor, at=at)
    staff.post(page(CORES, echo), {"live": CoreVersion.objects.get(core=other).pk})
    assert Core.objects.get(pk=echo.pk).live == echo.versions.get()


def test_a_core_is_deleted_by_the_action(staff: Client, echo: Core) -> None:
    staff.post(page(CORES, echo, "delete"), {"post": "yes"})
    assert audited()[-1] == "core.deleted"
    assert not Core.objects.exists()


def test_a_flow_is_only_looked_at(staff: Client, echo_flow: Flow) -> None:
    url = page(FLOWS, echo_flow)
    assert "&quot;llm_rigid&quot;" in staff.get(url).content.decode()
    assert staff.post(url, {"name": "Changed"}).status_code == 403
    assert staff.get(f"{FLOWS}add/").status_code == 403


def test_a_published_flow_is_not_deleted(staff: Client, echo: Core) -> None:
    one = staff.post(page(FLOWS, echo.flow, "delete"), {"post": "yes"}, follow=True)
    many = choose(staff, FLOWS, "delete_selected", [echo.flow], post="yes")
    for answer in (one, many):
        assert "The flow is published as scaicore/acme/echo-agent." in answer.content.decode()
    assert Flow.objects.exists()


def test_an_unpublished_flow_is_deleted_by_the_action(staff: Client, echo_flow: Flow) -> None:
    staff.post(page(FLOWS, echo_flow, "delete"), {"post": "yes"})
    assert audited()[-1] == "flow.deleted"


@pytest.mark.parametrize("url", [FLOWS, CORES, PUBLICATIONS, "/admin/chatapi/usagerecord/"])
def test_a_list_takes_as_many_statements_for_many_rows_as_for_one(url: str, echo: Core, engineering: Group) -> None:
    sue = signed_in(superuser())
    few = queries(sue, url)
    actor, at = actors.operator("test"), timezone.now()
    for number in range(5):
        flow = actions.create_flow(
            tenant=echo.tenant, name=f"Flow {number}", content=echo_document(), actor=actor, at=at
        )
        core = actions.deploy(flow, actor=actor, at=at).core
        actions.publish(core, group_ids=[engineering.scaikey_id], actor=actor, at=at)
    assert queries(sue, url) <= few + (url == PUBLICATIONS)  # the groups of the page, once somebody lists one


def test_no_page_needs_more_than_the_strict_policy_allows(staff: Client, echo: Core) -> None:
    urls = [FLOWS, page(FLOWS, echo.flow), CORES, page(CORES, echo), PUBLICATIONS, page_of(echo)]
    for url in [*urls, page(PUBLICATIONS, echo, "audience"), page(PUBLICATIONS, echo, "delete")]:
        assert not INLINE.search(staff.get(url).content.decode()), url
