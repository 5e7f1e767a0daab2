"""One's own account: a new password, with the old one, by a link in a mail, or by an admin's link."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from identity.actors import actor_of
from identity.sign_in import invitations, throttle
from identity.sign_in.forms import THROTTLED, ForgottenPasswordForm, NewPasswordForm
from identity.sign_in.views import PasswordView
from webui.decorators import MemberRequest, member_page


@require_safe
@member_page
def home(request: MemberRequest) -> HttpResponse:
    """Where everybody begins: who makes flows at the flows, all others at the models that they may call."""
    return redirect("flows" if actor_of(request.user).manages(request.user.tenant_id) else "models")


class ChangePasswordView(PasswordView):
    """The page on which everybody changes their own password."""

    template_name = "account/password.html"
    success_url = reverse_lazy("password")

    def form_valid(self, form: Any) -> HttpResponse:
        """Set it; this session goes on, all others of the user end."""
        messages.success(self.request, "Your password is changed. Everywhere else you are signed out.")
        return super().form_valid(form)


class ForgottenPasswordView(PasswordResetView):
    """Sends a link to choose a new password, where the operator has set up mail."""

    template_name = "account/forgotten.html"
    email_template_name = "account/forgotten_mail.txt"
    subject_template_name = "account/forgotten_subject.txt"
    form_class = ForgottenPasswordForm
    from_email = None
    success_url = reverse_lazy("forgotten-password-sent")

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """404 where no mail can be sent."""
        if not settings.CAN_SEND_MAIL:
            raise Http404
        return super().dispatch(*args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Send it; asked for as rarely as a password is tried, so that nobody's mailbox is flooded."""
        try:
            throttle.admit(f"forgotten:{form.cleaned_data['email']}", self.request.META.get("REMOTE_ADDR", ""))
        except throttle.SignInThrottled as error:
            form.add_error(None, ValidationError(str(error), code=THROTTLED))
            return self.form_invalid(form)
        return super().form_valid(form)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """The same answer whether or not somebody has the address."""
    return render(request, "account/sent.html")


class NewPasswordView(PasswordResetConfirmView):
    """Where the link leads: a new password, once."""

    template_name = "account/new_password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        """Set it, and let the user sign in with it."""
        response = super().form_valid(form)
        messages.success(self.request, "Your password is changed. Sign in with the new one.")
        return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where an admin's link leads: a password, once. Opening the page uses nothing up."""
    try:
        invited = invitations.find_invited(token)
        form = SetPasswordForm(invited, request.POST or None)
        if request.method == "POST" and form.is_valid():
            invitations.accept(token, password=form.cleaned_data["new_password1"], at=timezone.now())
            messages.success(request, "Your password is set. Sign in with it.")
            return redirect("login")
    except invitations.InvitationEnded as ended:
        return render(request, "account/invitation.html", status=ended.status)
    return render(request, "account/invitation.html", {"invited": invited, "form": form})
