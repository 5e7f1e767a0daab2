"""Staff review what is published, in a browser: each number leads to its rows, each filter finds what it names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.admin.utils import quote
from django.utils import timezone
from playwright.sync_api import Page, expect

from chatapi.models import UsageRecord
from identity import actors, groups, keys
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions
from publishing.models import AccessRequest, Core, Publication, Refusal
from tests.browser.conftest import Visit
from tests.conftest import echo_document

OPERATOR = actors.operator("test")
PUBLICATIONS = "/admin/publishing/publication/"
# Contrast, names and languages: what axe-core finds at any of these keeps somebody out.
GRAVE = ("serious", "critical")
# It would ask for the page's styles once more, in a way that the page's own policy forbids.
AXE = {"preload": False}


def deployed(tenant: Tenant, name: str, *group_ids: str) -> Core:
    content = echo_document(model_visibility_group_ids=list(group_ids))
    flow = actions.create_flow(tenant=tenant, name=name, content=content, actor=OPERATOR, at=timezone.now())
    return actions.deploy(flow, actor=OPERATOR, at=timezone.now()).core


def ran(core: Core, *, days_ago: int, outcome: str = "ok") -> None:
    UsageRecord.objects.create(
        at=timezone.now() - timedelta(days=days_ago),
        request_id=f"req_{core.slug}_{days_ago}",
        tenant_id=core.tenant_id,
        core_id=core.pk,
        core_version=1,
        model=core.model_name,
        is_streamed=False,
        outcome=outcome,
        prompt_tokens=1,
        completion_tokens=1,
        duration_ms=1,
    )


@pytest.fixture
def week(acme: Tenant, root: User, ann: User, bo: User, engineering: Group) -> None:
    """One publication for each thing that is worth a look; each is named for it."""
    at = timezone.now()
    empty = Group.objects.create(tenant=acme, scaikey_id="group_empty", name="Empty")
    going = Group.objects.create(tenant=acme, scaikey_id="group_going", name="Going")
    cores = {
        "steady": deployed(acme, "Steady", "group_acme_eng"),
        "open": deployed(acme, "Open"),
        "nobody": deployed(acme, "Nobody", empty.scaikey_id),
        "lost": deployed(acme, "Lost", "group_acme_eng", going.scaikey_id),
        "widened": deployed(acme, "Widened", empty.scaikey_id),
        "unused": deployed(acme, "Unused", "group_acme_eng"),
        "held": deployed(acme, "Held", "group_acme_eng"),
    }
    actions.publish(cores["widened"], group_ids=[empty.scaikey_id, "group_acme_eng"], actor=OPERATOR, at=at)
    groups.delete_group(going, actor=OPERATOR, at=at)
    actions.hold_core(cores["held"], reason="It names customers.", actor=OPERATOR, at=at)
    for core in cores.values():
        ran(core, days_ago=100 if core.slug == "unused" else 1, outcome="failed" if core.slug == "open" else "ok")
    # All but one were published some time ago.
    Publication.objects.exclude(core=cores["open"]).update(published_at=at - timedelta(days=200))
    Refusal.objects.create(core=cores["steady"], user=bo, last_at=at)
    actions.ask_access(cores["steady"], user=bo, message="For the demo.", actor=actors.actor_of(bo), at=at)


@pytest.fixture
def staff(visit: Visit, root: User, week: None) -> Page:
    return visit(root)


def listed(page: Page) -> set[str]:
    """The short names in the first column of the list."""
    names = page.locator("#result_list tbody th").all_inner_texts()
    return {name.rpartition("/")[2] for name in names}


FOUND = {
    "Nobody can call": {"nobody"},
    "Names a deleted group": {"lost"},
    "Open to a whole tenant": {"open"},
    "Widened in the last 30 days": {"widened"},
    "Widened in the last 7 days": {"widened"},
    "Published in the last 7 days": {"open"},
    "Not called for 90 days": {"unused"},
    "Held, on the Cores": {"held"},
    "Members of the listed groups": {"steady", "nobody", "lost", "widened", "unused"},
}


@pytest.mark.parametrize(("choice", "names"), FOUND.items(), ids=FOUND)
def test_each_filter_finds_its_row(staff: Page, choice: str, names: set[str]) -> None:
    staff.goto(PUBLICATIONS)
    staff.locator("#changelist-filter").get_by_role("link", name=choice, exact=True).click()
    expect(staff.locator("#result_list")).to_be_visible()
    assert listed(staff) == names


def test_each_number_of_the_first_page_leads_to_its_rows(staff: Page) -> None:
    staff.goto("/admin/")
    figures = staff.locator(".figures a")
    said = figures.all_inner_texts()
    assert len(said) >= 8
    for place, text in enumerate(said):
        figures.nth(place).click()
        count = int("".join(letter for letter in text.split()[0] if letter.isdigit()))
        expect(staff.locator("#result_list tbody tr")).to_have_count(count)
        staff.go_back()


def test_a_publication_says_what_was_called(staff: Page) -> None:
    staff.goto(f"{PUBLICATIONS}?q=open")
    expect(staff.locator(".field-calls")).to_have_text("1, 1 error")
    staff.get_by_role("link", name="1 error").click()
    expect(staff.locator("#result_list tbody tr")).to_have_count(1)


def test_many_are_held_after_a_preview(staff: Page) -> None:
    staff.goto(f"{PUBLICATIONS}?review=open")
    staff.locator("#action-toggle").check()
    staff.get_by_label("Action:").select_option(label="Hold selected publications")
    staff.get_by_role("button", name="Go").click()
    expect(staff.get_by_text("Everyone in the tenant: 3 may call")).to_be_visible()
    staff.get_by_label("Reason").fill("Under review")
    staff.locator("main, #content").get_by_role("button").first.click()
    expect(staff.get_by_text("held, not published")).to_be_visible()
    staff.locator("button[name=confirm], input[name=confirm]").click()
    expect(staff.get_by_text("Held: nothing publishes them until the hold is lifted.")).to_be_visible()
    assert not Publication.objects.filter(core__slug="open").exists()
    assert AuditEntry.objects.filter(action="core.held", target=Core.objects.get(slug="open").pk).count() == 1


def test_a_request_for_access_is_granted(staff: Page, bo: User) -> None:
    staff.goto("/admin/publishing/accessrequest/?decision__exact=open")
    staff.locator("#result_list tbody th a").first.click()
    staff.get_by_label("Grant: add the user to a group").check()
    staff.get_by_label("Group", exact=False).last.select_option(label="group_acme_eng (Engineering)")
    staff.get_by_role("button", name="Save", exact=True).click()
    expect(staff.get_by_text("was changed successfully")).to_be_visible()
    assert AccessRequest.objects.get().decision == "granted"
    assert bo.memberships.filter(group__scaikey_id="group_acme_eng").exists()


def test_the_audience_leads_to_each_person(staff: Page, ann: User) -> None:
    staff.goto(f"{PUBLICATIONS}?q=steady")
    staff.get_by_role("link", name="1 user", exact=True).click()
    staff.get_by_role("link", name="ann@acme.test").click()
    expect(staff.get_by_role("heading", name="ann@acme.test")).to_be_visible()


def grave(page: Page) -> list[tuple[str, Any]]:
    """What axe-core finds that keeps somebody out: the rule, and the first place."""
    found = Axe().run(page, options=AXE).response["violations"]
    return [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found if rule["impact"] in GRAVE]


def addresses(ann: User, root: User, engineering: Group) -> list[str]:
    core, publication = Core.objects.get(slug="steady"), Publication.objects.get(core__slug="steady")
    keys.mint(user=ann, name="laptop", actor=actors.actor_of(ann), at=timezone.now())
    rows = [core, publication, core.flow, ann, engineering, AccessRequest.objects.get(), AuditEntry.objects.last()]
    ends = [f"/admin/{row._meta.app_label}/{row._meta.model_name}/{quote(row.pk)}/change/" for row in rows]  # type: ignore[union-attr]
    lists = sorted({end.rsplit("/", 3)[0] + "/" for end in ends})
    more = ["/admin/chatapi/usagerecord/", "/admin/publishing/refusal/", "/admin/identity/apikey/", "/admin/"]
    added = [f"{PUBLICATIONS}add/", "/admin/identity/user/add/", "/admin/identity/group/add/"]
    others = [f"{PUBLICATIONS}{quote(core.pk)}/audience/", f"/admin/identity/group/{engineering.pk}/delete/"]
    return [*ends, *lists, *more, *added, *others, "/admin/password_change/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_the_admin_keeps_anybody_out(
    staff: Page, ann: User, root: User, engineering: Group, scheme: Literal["light", "dark"]
) -> None:
    staff.emulate_media(color_scheme=scheme)
    found = {}
    for address in addresses(ann, root, engineering):
        staff.goto(address)
        staff.wait_for_timeout(200)
        found[address] = grave(staff)
    assert {address: rules for address, rules in found.items() if rules} == {}
