"""The people of the tenant, for its admins: who they are, which groups they are in, what they may call and why."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from identity import groups, users
from identity.errors import Conflict, Invalid
from identity.models import User
from publishing import group_paths, registry
from webui.decorators import MemberRequest, admin_of, member_page
from webui.people.forms import PersonForm

PAGE_SIZE = 50


@require_safe
@member_page
def person_list(request: MemberRequest) -> HttpResponse:
    """The people by e-mail address, searched by a part of address or name."""
    admin_of(request)
    search = request.GET.get("q", "").replace("\0", "").strip()
    own = User.objects.filter(tenant=request.user.tenant_id).order_by("email")
    found = own.filter(Q(email__icontains=search) | Q(name__icontains=search)) if search else own
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "people/list.html", {"page": page, "search": search})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def person(request: MemberRequest, user_id: str) -> HttpResponse:
    """One person; a POST changes name, role or whether the account is on."""
    actor = admin_of(request)
    shown = get_object_or_404(User, tenant=request.user.tenant_id, pk=user_id)
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
        "form": form,
        "page": page,
        "models": [(one, list(reversed(paths.get(one.pk, [])))) for one in page],
        "chains": [(chain[-1], chain[:-1]) for chain in chains],
    }
    return render(request, "people/person.html", facts)
