"""The people of the tenant, for its admins: invited, changed; their keys and groups, what they may call and why."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from identity import groups, users
from identity.errors import Conflict, Invalid
from identity.models import User
from identity.sign_in import invitations
from publishing import group_paths, registry
from webui.decorators import MemberRequest, admin_of, member_page
from webui.people.forms import NewPersonForm, PersonForm

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def person_list(request: MemberRequest) -> HttpResponse:
    """The people by e-mail address, searched by a part of address or name; a POST adds one and shows their link."""
    actor = admin_of(request)
    if request.method != "POST":
        return _listed(request, NewPersonForm())
    form = NewPersonForm(request.POST)
    if not form.is_valid():
        return _listed(request, form)
    given, at = form.cleaned_data, timezone.now()
    made = User(tenant=request.user.tenant, email=given["email"], name=given["name"], role=given["role"])
    try:
        with transaction.atomic():
            users.save_user(made, actor=actor, at=at)
            link = invitations.invite(made, actor=actor, at=at)
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _listed(request, form)
    return _show_link(request, made, link, is_mailed=given["is_mailed"])


@require_POST
@member_page
def invite(request: MemberRequest, user_id: str) -> HttpResponse:
    """Make a link with which the person chooses a password."""
    actor, shown = admin_of(request), _own(request, user_id)
    try:
        link = invitations.invite(shown, actor=actor, at=timezone.now())
    except Conflict as refusal:
        messages.error(request, str(refusal))
        return redirect("person", shown.pk)
    return _show_link(request, shown, link, is_mailed="is_mailed" in request.POST)


def _listed(request: MemberRequest, form: NewPersonForm) -> HttpResponse:
    search = request.GET.get("q", "").replace("\0", "").strip()
    own = User.objects.filter(tenant=request.user.tenant_id).order_by("email")
    found = own.filter(Q(email__icontains=search) | Q(name__icontains=search)) if search else own
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "people/list.html", {"page": page, "search": search, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def person(request: MemberRequest, user_id: str) -> HttpResponse:
    """One person; a POST changes name, role or whether the account is on."""
    actor = admin_of(request)
    shown = _own(request, user_id)
    values = {name: getattr(shown, name) for name in PersonForm.base_fields}
    if request.method != "POST":
        return _page(request, shown, PersonForm(initial=values))
    form = PersonForm(request.POST, initial=values)
    if not form.is_valid():
        return _page(request, shown, form)
    changes = {name: form.cleaned_data[name] for name in form.changed_data}
    try:
        users.change_user(shown, changes, actor=actor, at=timezone.now())
    except (Invalid, Conflict) as refusal:
        form.add_error(None, str(refusal))
        return _page(request, shown, form)
    messages.success(request, f"Saved {shown.email}")
    return redirect("person", shown.pk)


def _page(request: MemberRequest, shown: User, form: PersonForm) -> HttpResponse:
    allowed = registry.callable_by(shown).order_by("name")
    page = Paginator(allowed, PAGE_SIZE).get_page(request.GET.get("page"))
    paths = group_paths.paths_of(shown, page)
    chains = sorted(groups.groups_of(shown).values(), key=lambda chain: (len(chain), str(chain[-1])))
    facts = {
        "person": shown,
        "keys": shown.api_keys.exclude(revoked_at__isnull=False).order_by("-created_at", "pk")[:PAGE_SIZE],
        "now": timezone.now(),
        "can_send_mail": settings.CAN_SEND_MAIL,
        "form": form,
        "page": page,
        "models": [(one, list(reversed(paths.get(one.pk, [])))) for one in page],
        "chains": [(chain[-1], chain[:-1]) for chain in chains],
    }
    return render(request, "people/person.html", facts)


def _show_link(request: MemberRequest, person: User, link: str, *, is_mailed: bool) -> HttpResponse:
    """The page that shows the link, once; the mail goes out after everything is stored."""
    mailed = None
    if is_mailed and settings.CAN_SEND_MAIL:
        mailed = invitations.mail(person, link, actor=admin_of(request))
    return render(request, "people/invited.html", {"person": person, "link": link, "mailed": mailed})


def _own(request: MemberRequest, user_id: str) -> User:
    return get_object_or_404(User, tenant=request.user.tenant_id, pk=user_id)
