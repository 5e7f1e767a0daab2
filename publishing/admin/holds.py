"""Holding a Core from its page, and lifting the hold."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from identity import admin_base
from identity.admin_base import StaffAdmin
from identity.errors import ActionRefused
from publishing import actions, reach
from publishing.admin.forms import HoldForm
from publishing.models import Core


class HoldingAdmin(StaffAdmin):
    """The part of a Core's page that holds it; each act is a form and an address of its own."""

    def get_urls(self) -> list[URLPattern]:
        seen = self.admin_site.admin_view
        hold = path("<path:object_id>/hold/", seen(self.hold), name="publishing_core_hold")
        lift = path("<path:object_id>/lift-hold/", seen(self.lift_hold), name="publishing_core_lift_hold")
        return [hold, lift, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *rest: Any, **named: Any) -> Any:
        """The page of a Core, with the form of its hold beneath."""
        core = named.get("obj")
        more = _hold_context(core, HoldForm()) if core else {}
        return super().render_change_form(request, {**context, **more}, *rest, **named)

    def hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hold the Core for the reason that was sent; what is refused is shown with what was typed."""
        core = get_object_or_404(self.get_queryset(request), pk=unquote(object_id))
        form = HoldForm(request.POST or None)
        if form.is_valid():
            try:
                held = actions.hold_core(core, actor=admin_base.actor(request), at=timezone.now(), **form.cleaned_data)
            except ActionRefused as refused:
                for field, message in admin_base.complaints(refused):
                    form.add_error(field or None, message)
            else:
                return self._back(request, core, f"{core} is held: {held.reason}")
        context = {**self.admin_site.each_context(request), "title": "Hold", "subtitle": str(core), "opts": self.opts}
        return TemplateResponse(request, "admin/publishing/core/hold.html", context | _hold_context(core, form))

    def lift_hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lift the hold that the page showed."""
        core = get_object_or_404(self.get_queryset(request), pk=unquote(object_id))
        if request.method != "POST":
            return HttpResponseRedirect(self.page("change", quote(core.pk)))
        actor, reason = admin_base.actor(request), request.POST.get("reason", actions.UNCHANGED)
        try:
            was_held = actions.lift_hold(core, reason=reason, actor=actor, at=timezone.now())
        except ActionRefused as refused:
            return self._back(request, core, str(refused), messages.ERROR)
        said = f"{core} is no longer held. Nothing was published." if was_held else f"{core} was not held any more."
        return self._back(request, core, said)

    def _back(self, request: HttpRequest, core: Core, said: str, level: int = messages.SUCCESS) -> HttpResponse:
        self.message_user(request, said, level)
        return HttpResponseRedirect(self.page("change", quote(core.pk)))


def _hold_context(core: Core, form: HoldForm) -> dict[str, Any]:
    publication = getattr(core, "publication", None)
    callers = reach.count_callers([publication])[publication.pk] if publication else 0
    return {"core": core, "hold": getattr(core, "hold", None), "hold_form": form, "callers": callers}
