"""The addresses of the web pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from identity.sign_in.views import SignInView
from webui.runs import views as runs
from webui.views import (
    access,
    account,
    flow_editor,
    flows,
    keys,
    limits,
    mcp_servers,
    models,
    people,
    playground,
    providers,
    secrets,
    usage,
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="flows"), name="home"),
    path("login/", SignInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/password/", account.ChangePasswordView.as_view(), name="password"),
    path("forgotten/", account.ForgottenPasswordView.as_view(), name="forgotten-password"),
    path("forgotten/sent/", account.sent, name="forgotten-password-sent"),
    path("forgotten/<uidb64>/<token>/", account.NewPasswordView.as_view(), name="new-password"),
    path("flows/", flows.flows, name="flows"),
    path("flows/new/", flows.new_flow, name="new-flow"),
    path("flows/<slug:flow_id>/", flows.flow, name="flow"),
    path("flows/<slug:flow_id>/deploy/", flows.deploy, name="deploy-flow"),
    path("flows/<slug:flow_id>/save/", flow_editor.save_flow, name="flow-save"),
    path("flows/<slug:flow_id>/state/", flow_editor.flow_state, name="flow-state"),
    path("flows/<slug:flow_id>/plan/", flow_editor.flow_plan, name="flow-plan"),
    path("flows/<slug:flow_id>/rollback/", flow_editor.roll_back_flow, name="flow-rollback"),
    path("models/", models.models, name="models"),
    path("models/<slug:core_id>/", models.model, name="model"),
    path("models/<slug:core_id>/access/", access.who_can_call, name="who-can-call"),
    path("models/<slug:core_id>/unpublish/", models.unpublish, name="unpublish-model"),
    path("models/<slug:core_id>/rollback/<int:number>/", models.roll_back, name="roll-back-model"),
    path("models/<slug:core_id>/requests/", models.ask, name="ask-access"),
    path("models/<slug:core_id>/requests/<int:asked_id>/", models.answer, name="answer-access"),
    path("people/", people.person_list, name="people"),
    path("people/<slug:user_id>/", people.person, name="person"),
    path("playground/", playground.playground, name="playground"),
    path("playground/key/", playground.key, name="playground-key"),
    path("keys/", keys.key_list, name="keys"),
    path("keys/<slug:key_id>/revoke/", keys.revoke, name="revoke-key"),
    path("keys/<slug:key_id>/rotate/", keys.rotate, name="rotate-key"),
    path("limits/", limits.limit_list, name="limits"),
    path("limits/<slug:limit_id>/", limits.limit, name="limit"),
    path("models/<slug:core_id>/price/", limits.price, name="price"),
    path("limits/<slug:limit_id>/delete/", limits.delete_limit, name="delete-limit"),
    path("mcp-servers/", mcp_servers.server_list, name="mcp-servers"),
    path("mcp-servers/<str:ref>/", mcp_servers.server, name="mcp-server"),
    path("mcp-servers/<str:ref>/refresh/", mcp_servers.refresh_server, name="refresh-mcp-server"),
    path("mcp-servers/<str:ref>/accept/", mcp_servers.accept_tools, name="accept-mcp-tools"),
    path("mcp-servers/<str:ref>/delete/", mcp_servers.delete_server, name="delete-mcp-server"),
    path("providers/", providers.provider_list, name="providers"),
    path("providers/<str:ref>/", providers.provider, name="provider"),
    path("providers/<str:ref>/test/", providers.try_provider, name="try-provider"),
    path("providers/<str:ref>/delete/", providers.delete_provider, name="delete-provider"),
    path("secrets/", secrets.secret_list, name="secrets"),
    path("secrets/<str:name>/", secrets.secret, name="secret"),
    path("secrets/<str:name>/delete/", secrets.delete_secret, name="delete-secret"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/<str:request_id>/", runs.run, name="run"),
    path("usage/", usage.usage, name="usage"),
    path("usage/export.csv", usage.export, name="usage-export"),
]
