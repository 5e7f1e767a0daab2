"""`/v1` and `/oai/v1`: one list, two prefixes. `modules`: what of `/v1/modules/scaicore` is a call. `hooks`: what
others' servers call. `api`: of `/api/v1` the runs, tried and counted, and the deploy that tests first. `tools`: the
same models for MCP clients."""

from __future__ import annotations

from django.urls import re_path

from chatapi import trace_api, views
from chatapi.draft_runs.views import FlowRunView
from chatapi.flow_tests.views import FlowTestsView, TestedDeployView
from chatapi.mcp.views import McpView
from chatapi.responses_api import views as responses
from chatapi.run_history.views import RecordedRunDetailView, RecordedRunListView
from chatapi.stored_completions import views as completions

urlpatterns = [
    re_path(r"^chat/completions/?$", views.CompletionsView.as_view()),
    re_path(r"^chat/completions/(?P<completion_id>[^/]+)/?$", completions.CompletionView.as_view()),
    re_path(r"^chat/completions/(?P<completion_id>[^/]+)/messages/?$", completions.CompletionMessagesView.as_view()),
    re_path(r"^responses/?$", responses.ResponsesView.as_view()),
    re_path(r"^responses/(?:compact|input_tokens)/?$", views.unknown_url),
    re_path(r"^responses/(?P<response_id>[^/]+)/?$", responses.ResponseView.as_view()),
    re_path(r"^responses/(?P<response_id>[^/]+)/cancel/?$", responses.ResponseCancelView.as_view()),
    re_path(r"^responses/(?P<response_id>[^/]+)/input_items/?$", responses.InputItemsView.as_view()),
    re_path(r"^models/?$", views.ModelListView.as_view()),
    re_path(r"^models/(?P<name>.+?)/?$", views.ModelView.as_view()),
    re_path("", views.unknown_url),
]

modules = [
    re_path(r"^cores/(?P<core_id>[^/]+)/invoke/?$", views.InvokeView.as_view()),
    re_path(r"^cores/(?P<core_id>[^/]+)/runs/?$", trace_api.RunListView.as_view()),
    re_path(r"^cores/(?P<core_id>[^/]+)/runs/(?P<request_id>[^/]+)/?$", trace_api.RunDetailView.as_view()),
]

api = [
    re_path(r"^flows/(?P<flow_id>[^/]+)/run/?$", FlowRunView.as_view()),
    re_path(r"^flows/(?P<flow_id>[^/]+)/run-tests/?$", FlowTestsView.as_view()),
    re_path(r"^flows/(?P<flow_id>[^/]+)/deploy/?$", TestedDeployView.as_view()),
    re_path(r"^runs/?$", RecordedRunListView.as_view()),
    re_path(r"^runs/(?P<request_id>[^/]+)/?$", RecordedRunDetailView.as_view()),
]

tools = [re_path(r"^mcp/?$", McpView.as_view())]

hooks = [
    re_path(r"^(?P<tenant>[^/]+)/(?P<slug>[^/]+)/?$", views.WebhookView.as_view()),
    re_path("", views.unknown_hook),
]
