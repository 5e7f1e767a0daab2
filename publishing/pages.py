"""The addresses of the web pages."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import RedirectView

from publishing import access_page, canvas, editor, key_page, model_acts
from publishing.forms import SignInForm

sign_in = LoginView.as_view(
    template_name="login.html", authentication_form=SignInForm, redirect_authenticated_user=True
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="flows"), name="home"),
    path("login/", sign_in, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("flows/", editor.flows, name="flows"),
    path("flows/new/", editor.new_flow, name="new-flow"),
    path("flows/<slug:flow_id>/", editor.flow, name="flow"),
    path("flows/<slug:flow_id>/deploy/", editor.deploy, name="deploy-flow"),
    path("flows/<slug:flow_id>/standing/", canvas.flow_standing, name="flow-standing"),
    path("flows/<slug:flow_id>/plan/", canvas.flow_plan, name="flow-plan"),
    path("flows/<slug:flow_id>/rollback/", canvas.flow_rollback, name="flow-rollback"),
    path("models/<slug:core_id>/access/", access_page.who_can_call, name="who-can-call"),
    path("models/<slug:core_id>/unpublish/", model_acts.unpublish, name="unpublish-model"),
    path("models/<slug:core_id>/rollback/<int:number>/", model_acts.roll_back, name="roll-back-model"),
    path("models/<slug:core_id>/requests/", model_acts.ask, name="ask-access"),
    path("models/<slug:core_id>/requests/<int:asked_id>/", model_acts.answer, name="answer-access"),
    path("keys/", key_page.keys_of, name="keys"),
    path("keys/<slug:key_id>/revoke/", key_page.revoke, name="revoke-key"),
    path("keys/<slug:key_id>/rotate/", key_page.rotate, name="rotate-key"),
]
