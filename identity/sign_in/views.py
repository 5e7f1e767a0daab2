"""What the pages that take a password have in common, in the web UI and in Django admin."""

from __future__ import annotations

from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse

from identity.sign_in.forms import OwnPasswordForm, SignInForm, ThrottledForm

Page = TypeVar("Page", bound=HttpResponseBase)


def throttled(response: Page) -> Page:
    """The page of a sign-in form; after too many tries it is a 429 that says when to try again."""
    form = (getattr(response, "context_data", None) or {}).get("form")
    if isinstance(response, TemplateResponse) and isinstance(form, ThrottledForm) and form.wait_s:
        response.status_code = 429
        response.headers["Retry-After"] = str(form.wait_s)
    return response


class SignInView(LoginView):
    """The sign-in page of the web UI."""

    template_name = "account/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        """The page again, with what is wrong."""
        return throttled(super().form_invalid(form))

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """What the page shows; a forgotten password can be reset only where mail can be sent."""
        return super().get_context_data(**context) | {"can_send_mail": settings.CAN_SEND_MAIL}


class PasswordView(PasswordChangeView):
    """A new password of the signed-in user."""

    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form's arguments, with the address that the request came from."""
        return super().get_form_kwargs() | {"address": self.request.META.get("REMOTE_ADDR", "")}
