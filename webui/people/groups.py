"""The groups of the tenant, for its admins: who is in each by which way, and which models it opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from identity import groups
from identity.errors import ActionRefused, Conflict, Invalid
from identity.models import Group, Membership, Nesting, User
from publishing import group_paths, reach
from publishing.models import Grant, Publication, UsageLimit
from webui.decorators import MemberRequest, admin_of, member_page
from webui.people.forms import GroupNameForm, MembersForm, NewGroupForm

PAGE_SIZE = 50
MOST_SUGGESTED = 200
MOST_OPENED = 100
browsed = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Loss:
    """What deleting a group takes from a model: how many may call it, and how many could still."""

    publication: Publication
    before: int
    after: int


@browsed
@member_page
def group_list(request: MemberRequest) -> HttpResponse:
    """The groups by id, searched by a part of id or name; a POST makes one."""
    actor = admin_of(request)
    if request.method != "POST":
        return _listed(request, NewGroupForm())
    form = NewGroupForm(request.POST)
    if not form.is_valid():
        return _listed(request, form)
    made = Group(tenant=request.user.tenant, scaikey_id=form.cleaned_data["group_id"], name=form.cleaned_data["name"])
    try:
        groups.save_group(made, actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _listed(request, form)
    messages.success(request, f"Made {made.label}. Nobody is in it yet.")
    return redirect("group", made.scaikey_id)


@browsed
@member_page
def group(request: MemberRequest, group_id: str) -> HttpResponse:
    """One group; a POST renames it."""
    actor, shown = admin_of(request), _own(request, group_id)
    if request.method != "POST":
        return _page(request, shown)
    form = GroupNameForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, name_form=form)
    shown.name = form.cleaned_data["name"]
    groups.save_group(shown, actor=actor, at=timezone.now())
    messages.success(request, f"Saved {shown.label}")
    return redirect("group", shown.scaikey_id)


@require_POST
@member_page
def change_members(request: MemberRequest, group_id: str) -> HttpResponse:
    """Add the people and groups of the form, or take out the one whose button was pressed."""
    actor, shown = admin_of(request), _own(request, group_id)
    form = MembersForm(request.POST)
    leaving = request.POST.get("remove")
    if not leaving and not form.is_valid():
        return _page(request, shown, members_form=form)
    names, change = (
        ([leaving], groups.remove_members) if leaving else (form.cleaned_data["members"], groups.add_members)
    )
    try:
        users, nested = groups.find_members(shown.tenant_id, names)
        change(shown, users=users, groups=nested, actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        return _refused(request, shown, None if leaving else form, refusal)
    whom = ", ".join([*(user.email for user in users), *(one.label for one in nested)][:3])
    whom += f" and {len(names) - 3} more" if len(names) > 3 else ""
    messages.success(request, f"Took {whom} out of {shown}" if leaving else f"Added {whom} to {shown}")
    return redirect("group", shown.scaikey_id)


@browsed
@member_page
def delete_group(request: MemberRequest, group_id: str) -> HttpResponse:
    """Delete a group, once the admin has seen from whom that takes which model."""
    actor, shown = admin_of(request), _own(request, group_id)
    around, limits = groups.groups_around(shown), list(UsageLimit.objects.filter(group=shown).select_related("core"))
    losses = _losses(shown, around)
    agreed = f"{sum(loss.before - loss.after for loss in losses)}-{len(limits)}"
    # What was shown is what was agreed to: where more hangs on the group by now, it is asked again.
    if request.method != "POST" or request.POST.get("agreed") != agreed:
        facts = {"group": shown, "losses": losses, "limits": limits, "around": _ways(around), "agreed": agreed}
        return render(request, "groups/delete.html", facts, status=409 if request.method == "POST" else 200)
    groups.delete_group(shown, actor=actor, at=timezone.now())
    messages.success(request, f"Deleted {shown.label}")
    return redirect("groups")


def _listed(request: MemberRequest, form: NewGroupForm) -> HttpResponse:
    search = request.GET.get("q", "").replace("\0", "").strip()
    found = Group.objects.filter(tenant=request.user.tenant_id).order_by("scaikey_id")
    if search:
        found = found.filter(Q(scaikey_id__icontains=search) | Q(name__icontains=search))
    counted = found.annotate(
        user_count=_count(Membership.objects.all(), "group"),
        group_count=_count(Nesting.objects.all(), "parent"),
        model_count=_count(Grant.objects.all(), "group"),
    )
    page = Paginator(counted, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "groups/list.html", {"page": page, "search": search, "form": form})


def _page(
    request: MemberRequest,
    shown: Group,
    *,
    name_form: GroupNameForm | None = None,
    members_form: MembersForm | None = None,
) -> HttpResponse:
    nested, around = groups.groups_inside(shown), groups.groups_around(shown)
    page = Paginator(groups.everyone_in([shown.pk, *nested]), PAGE_SIZE).get_page(request.GET.get("page"))
    chains = groups.chains_to(shown, nested, page.object_list)
    opened = list(group_paths.opened_by(shown, around)[:MOST_OPENED])
    own = User.objects.filter(tenant=shown.tenant_id, is_active=True).order_by("email")
    facts: dict[str, Any] = {
        "group": shown,
        "name_form": name_form or GroupNameForm(initial={"name": shown.name}),
        "members_form": members_form or MembersForm(),
        "page": page,
        "members": [(user, chains.get(user.pk, [])) for user in page],
        "nested": _ways(nested),
        "around": _ways(around),
        "opened": [(one, group_paths.path_upwards(one, shown, around)) for one in opened],
        "suggested": own[:MOST_SUGGESTED],
    }
    return render(request, "groups/group.html", facts)


def _refused(request: MemberRequest, shown: Group, form: MembersForm | None, refusal: ActionRefused) -> HttpResponse:
    """The page with what is wrong with the names that were typed; a button that came too late only says so."""
    if form is None:
        messages.error(request, f"{refusal} Nothing was changed.")
        return redirect("group", shown.scaikey_id)
    problems = refusal.problems if isinstance(refusal, Invalid) else []
    places = [problem.field.removeprefix("members.") for problem in problems]
    names: list[str] = form.cleaned_data["members"]
    unknown = [names[int(place)] for place in places if place.isdecimal()]
    if unknown:
        form.add_error("members", f"The tenant has no {', '.join(unknown)}. Nobody was added.")
    else:
        form.refuse(refusal)
    return _page(request, shown, members_form=form)


def _losses(group: Group, around: dict[int, list[Group]]) -> list[Loss]:
    """The models that fewer people may call without the group."""
    opened = list(group_paths.opened_by(group, around))
    before, after = reach.count_callers(opened), reach.count_callers(opened, without=group)
    return [Loss(one, before[one.pk], after[one.pk]) for one in opened if after[one.pk] < before[one.pk]]


def _ways(chains: dict[int, list[Group]]) -> list[tuple[Group, list[Group]]]:
    """Each group with those in between, the nearest first."""
    found = sorted(chains.values(), key=lambda chain: (len(chain), str(chain[-1])))
    return [(chain[-1], chain[:-1]) for chain in found]


def _count(rows: QuerySet[Any], field: str) -> Coalesce:
    """How many of `rows` point to the group by `field`."""
    mine = rows.filter(**{field: OuterRef("pk")}).order_by().values(field)
    return Coalesce(Subquery(mine.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


def _own(request: MemberRequest, group_id: str) -> Group:
    own: QuerySet[Group] = Group.objects.select_related("tenant")
    return get_object_or_404(own, tenant=request.user.tenant_id, scaikey_id=group_id)
