"""Cores whose program lives elsewhere: listed, added, changed, published, removed."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from identity.errors import ActionRefused, Invalid, NotAllowed, Problem
from publishing import actions
from publishing.actions import UNCHANGED, RemoteProgram, remotes
from publishing.models import Core, Entity
from scaicore.capabilities import CAPABILITIES
from webui.decorators import MemberRequest, admin_of, member_page
from webui.forms import GroupIdsField, PropertiesForm
from webui.provider_forms import RefusableForm, SealedField

PAGE_SIZE: Final = 50
browsed = require_http_methods(["GET", "HEAD", "POST"])
as_typed = {"autocapitalize": "none", "spellcheck": "false"}


class RemoteCoreForm(RefusableForm):
    """A program elsewhere: to add, or with `core` the one to change, whose slug stays."""

    name = forms.CharField(max_length=200, error_messages={"required": "Give it a name, for example: Support agent."})
    slug = forms.CharField(
        required=False,
        max_length=63,
        widget=forms.TextInput(attrs=as_typed),
        help_text="The last part of the model's name, for good. Empty: made from the name.",
    )
    description = forms.CharField(required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 2}))
    url = forms.CharField(
        max_length=500,
        label="URL",
        help_text="Where each call is posted, for example: https://agents.example.com/support",
        widget=forms.TextInput(attrs=as_typed | {"inputmode": "url"}),
        error_messages={"required": "Give the URL of the program."},
    )
    secret = SealedField(max_length=1000, required=False, label="Secret that signs the calls")
    remove_secret = forms.BooleanField(required=False, help_text="Calls are not signed from then on.")
    timeout_s = forms.FloatField(
        label="Timeout (seconds)",
        min_value=0.1,
        max_value=600,
        initial=f"{remotes.TIMEOUT_S:g}",
        help_text="Longest time that a whole call may take, up to 600.",
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    instance_mode = forms.ChoiceField(choices=PropertiesForm.base_fields["instance_mode"].choices)  # type: ignore[attr-defined]
    entity_scope = forms.ChoiceField(choices=PropertiesForm.base_fields["entity_scope"].choices)  # type: ignore[attr-defined]
    capabilities = forms.MultipleChoiceField(
        required=False,
        choices=[(name, meaning) for name, meaning in CAPABILITIES.items() if name != "tools"],
        widget=forms.SelectMultiple(attrs={"size": 6}),
        help_text="What it can do besides answering a text with a text. What is not chosen is refused.",
    )

    def __init__(self, data: QueryDict | None = None, *, core: Core | None = None) -> None:
        super().__init__(data, initial=_values(core) if core else None)
        has_secret = core is not None and core.sealed_secret is not None
        kept = "Empty: the secret stays." if has_secret else "Empty: calls are not signed."
        self.fields["secret"].help_text = f"{kept} 16 to 1000 visible characters, stored sealed and never shown again."
        if core is not None:
            del self.fields["slug"]
        if not has_secret:
            del self.fields["remove_secret"]

    def refuse(self, refusal: ActionRefused) -> None:
        """Show it at the field of the program that it is about."""
        if isinstance(refusal, Invalid):
            about = [Problem(each.field.removeprefix("remote."), each.message) for each in refusal.problems]
            refusal = Invalid(str(refusal), about)
        super().refuse(refusal)

    @property
    def program(self) -> RemoteProgram:
        """What was typed of the program."""
        given = self.cleaned_data
        secret = given["secret"] or ("" if given.get("remove_secret") else UNCHANGED)
        shared = ("url", "timeout_s", "instance_mode", "entity_scope", "capabilities")
        return RemoteProgram(secret=secret, **{name: given[name] for name in shared})


class PublishForm(forms.Form):
    """Who may call it as a chat model."""

    groups = GroupIdsField(
        required=False,
        max_length=20_000,
        label="Visibility group IDs (comma-separated)",
        widget=forms.TextInput(attrs=as_typed),
        help_text="Empty: everyone in the tenant may call it.",
    )


@browsed
@member_page
def core_list(request: MemberRequest) -> HttpResponse:
    """The tenant's remote Cores by name; a POST adds one."""
    actor = admin_of(request)
    form = RemoteCoreForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        named = {name: given[name] for name in ("name", "slug", "description")}
        try:
            core = actions.create_core(
                tenant=request.user.tenant, remote=form.program, actor=actor, at=timezone.now(), **named
            )
        except NotAllowed:
            raise
        except ActionRefused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"Added {core.name}. Publish it, and clients can call it by name.")
            return redirect("remote-core", core.pk)
    page = Paginator(_own(request).order_by("name"), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(core, remotes.audit_view(core)) for core in page]
    return render(request, "remote_cores/list.html", {"page": page, "rows": rows, "form": form})


@browsed
@member_page
def core(request: MemberRequest, core_id: str) -> HttpResponse:
    """One remote Core; a POST makes a new version of it."""
    actor, shown = admin_of(request), get_object_or_404(_own(request), pk=core_id)
    form = RemoteCoreForm(request.POST if request.method == "POST" else None, core=shown)
    if form.is_bound and form.is_valid():
        named = {name: form.cleaned_data[name] for name in ("name", "description")}
        try:
            actions.update_core(shown, remote=form.program, actor=actor, at=timezone.now(), **named)
        except NotAllowed:
            raise
        except ActionRefused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "Saved: the new version answers from the next call on.")
            return redirect("remote-core", shown.pk)
    return _page(request, shown, form=form)


@require_POST
@member_page
def publish_core(request: MemberRequest, core_id: str) -> HttpResponse:
    """Make a remote Core a chat model."""
    actor, shown = admin_of(request), get_object_or_404(_own(request), pk=core_id, publication=None)
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            actions.publish(shown, group_ids=form.cleaned_data["groups"], actor=actor, at=timezone.now())
        except NotAllowed:
            raise
        except ActionRefused as refusal:
            for why in [problem.message for problem in refusal.problems] or [str(refusal)]:
                form.add_error("groups", why)
        else:
            messages.success(request, f"Published as {shown.model_name}")
            return redirect("remote-core", shown.pk)
    return _page(request, shown, publish_form=form)


@browsed
@member_page
def delete_core(request: MemberRequest, core_id: str) -> HttpResponse:
    """Remove a remote Core with all it remembers, once an admin has seen what that is."""
    actor, shown = admin_of(request), get_object_or_404(_own(request), pk=core_id)
    if request.method != "POST":
        memories = Entity.objects.filter(core=shown, turns_committed__gt=0).count()
        facts = {"core": shown, "memories": memories, "versions": shown.versions.count()}
        return render(request, "remote_cores/delete.html", facts)
    name = shown.name
    try:
        actions.delete_core(shown, actor=actor, at=timezone.now())
    except NotAllowed:
        raise
    except ActionRefused as refusal:
        messages.error(request, f"{refusal} Nothing was removed.")
        return redirect("remote-core", core_id)
    messages.success(request, f"Removed {name}")
    return redirect("remote-cores")


def _own(request: MemberRequest) -> QuerySet[Core]:
    found = Core.objects.filter(tenant=request.user.tenant_id, driver=remotes.DRIVER)
    return found.select_related("live", "publication", "hold", "tenant")


def _page(request: MemberRequest, core: Core, **forms_: Any) -> HttpResponse:
    shown = {"form": RemoteCoreForm(core=core), "publish_form": PublishForm()} | forms_
    return render(request, "remote_cores/core.html", {"core": core, "remote": remotes.audit_view(core), **shown})


def _values(core: Core) -> dict[str, Any]:
    """What the form shows of a Core."""
    live, remote = core.live, remotes.audit_view(core) or {"url": "", "timeout_s": remotes.TIMEOUT_S}
    kept = {"instance_mode": live.instance_mode, "entity_scope": live.entity_scope} if live else {}
    return {
        "name": core.name,
        "description": core.description,
        "url": remote["url"],
        "timeout_s": f"{remote['timeout_s']:g}",
        "capabilities": live.capabilities if live else [],
        **kept,
    }
