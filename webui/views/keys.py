"""The API keys of the signed-in user, or of the whole tenant for its admins: made, shown once, rotated, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from identity import keys
from identity.actors import Actor, actor_of
from identity.errors import Conflict
from identity.models import ApiKey, User
from publishing import registry
from publishing.limits.standing import standings_of_keys
from publishing.models import Publication
from webui.decorators import MemberRequest, member_page

PAGE_SIZE = 50
LIVES = [("", "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")]
OVERLAPS = [("0", "Now"), ("1", "In 1 hour"), ("24", "In 24 hours"), ("72", "In 3 days"), ("168", "In 7 days")]
browsed = require_http_methods(["GET", "HEAD", "POST"])


class NewKeyForm(forms.Form):
    """A new key; only an admin chooses whose it is."""

    name = forms.CharField(
        max_length=200,
        error_messages={"required": "Give the key a name that says where it is used."},
        help_text="Says where the key is used, for example: Open WebUI.",
    )
    days = forms.ChoiceField(choices=LIVES, required=False, label="Expires", initial="90")
    user = forms.CharField(
        max_length=254,
        required=False,
        label="User",
        help_text="E-mail address. Empty: the key is yours.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}),
    )
    models = forms.MultipleChoiceField(
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 5}),
        help_text="None chosen: no limit. Otherwise the key calls these models only, and opens nothing but the chat.",
        error_messages={"invalid_choice": "Choose from the models that are published now."},
    )

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        offered = Publication.objects.filter(access__user=owner)
        if not actor_of(owner).manages(owner.tenant_id):
            del self.fields["user"]
            offered = registry.callable_by(owner)
        names = offered.order_by("name").values_list("name", flat=True)
        cast(forms.MultipleChoiceField, self.fields["models"]).choices = [(name, name) for name in names]

    def clean_user(self) -> User:
        """The user of this tenant who will own the key."""
        typed = self.cleaned_data["user"].lower()
        found = User.objects.filter(tenant=self.owner.tenant_id, email=typed).first() if typed else self.owner
        if found is None:
            raise forms.ValidationError("Nobody of this tenant has this address.")
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse a model that the key's user may not call: an admin chooses for others too."""
        user, chosen = self.cleaned_data.get("user", self.owner), self.cleaned_data.get("models", [])
        unusable = [] if "user" in self.errors else registry.uncallable(user, chosen)
        if unusable:
            self.add_error("models", f"{user.email} may not call {', '.join(unusable)}.")
        return self.cleaned_data

    def expiry(self, at: datetime) -> datetime | None:
        """When the key ends."""
        days = self.cleaned_data["days"]
        return at + timedelta(days=int(days)) if days else None


class RotateForm(forms.Form):
    """When the old key ends."""

    overlap = forms.ChoiceField(choices=OVERLAPS, initial="24", label="The old key ends")


@browsed
@member_page
def key_list(request: MemberRequest) -> HttpResponse:
    """The keys, the newest first; a POST makes one and shows its secret, once."""
    if request.method != "POST":
        return _listed(request, NewKeyForm(owner=request.user))
    form = NewKeyForm(request.POST, owner=request.user)
    if not form.is_valid():
        return _listed(request, form)
    at, user = timezone.now(), form.cleaned_data.get("user", request.user)
    made = keys.mint(
        user=user,
        name=form.cleaned_data["name"],
        expires_at=form.expiry(at),
        models=form.cleaned_data["models"] or None,
        actor=actor_of(request.user),
        at=at,
    )
    # No redirect: the secret would have to be stored somewhere in between.
    return _shown_once(request, *made)


@browsed
@member_page
def revoke(request: MemberRequest, key_id: str) -> HttpResponse:
    """End a key, once its user or an admin has seen which."""
    key = _own(request, key_id)
    if request.method != "POST":
        return render(request, "keys/revoke.html", {"key": key})
    keys.revoke(key, actor=actor_of(request.user), at=timezone.now())
    messages.success(request, f"Revoked {key.name}")
    return redirect("keys")


@browsed
@member_page
def rotate(request: MemberRequest, key_id: str) -> HttpResponse:
    """A new key in place of an old one, which works until the chosen time."""
    key = _own(request, key_id)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if not (form.is_bound and form.is_valid()):
        return render(request, "keys/rotate.html", {"key": key, "form": form})
    overlap = timedelta(hours=int(form.cleaned_data["overlap"]))
    try:
        made = keys.rotate(key, overlap=overlap, actor=actor_of(request.user), at=timezone.now())
    except Conflict as refusal:
        messages.error(request, str(refusal))
        return redirect("keys")
    key.refresh_from_db()
    return _shown_once(request, *made, old=key)


def _shown_once(request: MemberRequest, key: ApiKey, secret: str, old: ApiKey | None = None) -> HttpResponse:
    base_url = request.build_absolute_uri("/v1")
    return render(request, "keys/made.html", {"key": key, "secret": secret, "old": old, "base_url": base_url})


def _listed(request: MemberRequest, form: NewKeyForm) -> HttpResponse:
    actor, at = actor_of(request.user), timezone.now()
    manages = actor.manages(request.user.tenant_id)
    is_wide = manages and "all" in request.GET
    shown = _visible(request.user, actor)
    shown = shown if is_wide else shown.filter(user=request.user)
    over = Q(revoked_at__isnull=False) | Q(expires_at__lte=at)
    has_ended = "ended" in request.GET
    listed = shown.filter(over) if has_ended else shown.exclude(over)
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    standings = standings_of_keys(request.user.tenant_id, [key.pk for key in page])
    return render(
        request,
        "keys/list.html",
        {
            "form": form,
            "page": page,
            "rows": [(key, standings[key.pk]) for key in page],
            "manages": manages,
            "is_wide": is_wide,
            "has_ended": has_ended,
            "at": at,
            "is_soon": at + timedelta(days=7),
        },
    )


def _own(request: MemberRequest, key_id: str) -> ApiKey:
    return get_object_or_404(_visible(request.user, actor_of(request.user)), pk=key_id)


def _visible(user: User, actor: Actor) -> QuerySet[ApiKey]:
    """The user's own keys, or all of the tenant's for its admin; any other is 404 like one that never existed."""
    found = ApiKey.objects.filter(user__tenant=user.tenant_id).select_related("user").order_by("-created_at", "pk")
    return found if actor.manages(user.tenant_id) else found.filter(user=user)
