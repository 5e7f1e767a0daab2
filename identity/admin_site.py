"""The staff's site: Django admin with one log of changes, the audit log, and passwords set by the house's action."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from identity.admin_base import StaffAdmin
from identity.models import AuditEntry
from identity.sign_in.forms import StaffOwnPasswordForm, StaffSignInForm
from identity.sign_in.views import PasswordView, throttled

RECENT = 10


class StaffAutocomplete(AutocompleteJsonView):
    """What a field finds by typing: narrowed and worded by the admin of what it searches."""

    model_admin: StaffAdmin

    def get_queryset(self) -> QuerySet[Any]:
        return self.model_admin.narrow(super().get_queryset(), self.request.GET.dict())

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        return super().serialize_result(obj, to_field_name) | {"text": self.model_admin.found_as(obj, self.request)}


class StaffSite(admin.AdminSite):
    """What staff see."""

    site_header = "ScaiGrid"
    site_title = "ScaiGrid staff"
    index_title = "Review"
    login_form = StaffSignInForm

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page: what is worth a look this week, and what this person changed last."""
        at = timezone.now()
        pages = [page for page in self._registry.values() if isinstance(page, StaffAdmin)]
        pages.sort(key=lambda page: page.review_rank)
        more = {
            "figures": [figure for page in pages for figure in page.figures(request, at)],
            "recent": AuditEntry.objects.filter(actor_id=request.user.pk)[:RECENT],
        }
        return super().index(request, {**(extra_context or {}), **more})

    def autocomplete_view(self, request: HttpRequest) -> Any:
        """What fields find by typing."""
        return StaffAutocomplete.as_view(admin_site=self)(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The sign-in page; 429 after too many tries."""
        return throttled(super().login(request, extra_context))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The own password's page."""
        view = PasswordView.as_view(
            form_class=StaffOwnPasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)
