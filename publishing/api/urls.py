"""The control plane's tables of contents: `modules` under `/v1/modules/scaicore`, `api` under `/api/v1`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path

from publishing.api import base, cores, flows, groups, keys, limits, memory, openapi, providers, secrets
from publishing.api.mcp_servers import views as mcp
from publishing.api.people import audit, group_members, users

View = Callable[..., HttpResponseBase]
ENTITY = "cores/<str:core_id>/entities/<str:entity_id>"


def _both(route: str, view: View, **more: Any) -> list[URLPattern]:
    """The route, with and without a trailing slash."""
    return [path(route, view, **more), path(f"{route}/", view)]


modules = [
    *_both("cores", cores.CoreListView.as_view()),
    *_both("cores/<str:core_id>", cores.CoreDetailView.as_view()),
    *_both("cores/<str:core_id>/publish", cores.PublicationView.as_view()),
    *_both("cores/<str:core_id>/entity", memory.EntityDetailView.as_view()),
    *_both("cores/<str:core_id>/entity/turns", memory.EntityTurnListView.as_view()),
    *_both("cores/<str:core_id>/entity/export", memory.EntityExportView.as_view()),
    *_both("cores/<str:core_id>/entities", memory.EntityListView.as_view()),
    # Earlier URLs, without a trailing slash: it could be the end of an id.
    path(ENTITY, memory.EntityDetailView.as_view()),
    path(f"{ENTITY}/turns", memory.EntityTurnListView.as_view()),
    path(f"{ENTITY}/export", memory.EntityExportView.as_view()),
    *_both("cores/<str:core_id>/rollback", cores.CoreRollbackView.as_view()),
    *_both("cores/<str:core_id>/versions", cores.CoreVersionListView.as_view()),
]

api = [
    *_both("audit", audit.AuditListView.as_view()),
    *_both("audit/<str:entry_id>/undo", audit.AuditUndoView.as_view()),
    *_both("audit/export.csv", audit.AuditCsvView.as_view(), name="audit-csv"),
    *_both("audit/export.jsonl", audit.AuditJsonLinesView.as_view(), name="audit-jsonl"),
    *_both("flows", flows.FlowListView.as_view()),
    *_both("flows/compile", flows.FlowCompileView.as_view()),
    *_both("flows/validate", flows.FlowValidateView.as_view()),
    *_both("flows/<str:flow_id>", flows.FlowDetailView.as_view()),
    *_both("flows/<str:flow_id>/deployments", flows.FlowDeploymentListView.as_view()),
    *_both("flows/<str:flow_id>/versions", flows.FlowVersionListView.as_view()),
    *_both("flows/<str:flow_id>/versions/<str:version>", flows.FlowVersionDetailView.as_view()),
    *_both("groups", groups.GroupListView.as_view()),
    *_both("groups/<str:group_id>", groups.GroupDetailView.as_view()),
    *_both("groups/<str:group_id>/members", group_members.GroupMemberListView.as_view()),
    *_both("groups/<str:group_id>/members/<str:member>", group_members.GroupMemberDetailView.as_view()),
    *_both("keys", keys.KeyListView.as_view()),
    *_both("keys/<str:key_id>", keys.KeyDetailView.as_view()),
    *_both("cores/<str:core_id>/price", limits.PriceView.as_view()),
    *_both("limits", limits.LimitListView.as_view()),
    *_both("limits/<str:limit_id>", limits.LimitDetailView.as_view()),
    *_both("mcp-servers", mcp.McpServerListView.as_view()),
    *_both("mcp-servers/<str:ref>", mcp.McpServerDetailView.as_view()),
    *_both("mcp-servers/<str:ref>/refresh", mcp.McpServerRefreshView.as_view()),
    *_both("mcp-servers/<str:ref>/accept", mcp.McpServerAcceptView.as_view()),
    *_both("providers", providers.ProviderListView.as_view()),
    *_both("providers/<str:ref>", providers.ProviderDetailView.as_view()),
    *_both("providers/<str:ref>/models", providers.ProviderModelsView.as_view()),
    *_both("providers/<str:ref>/test", providers.ProviderTestView.as_view()),
    *_both("secrets", secrets.SecretListView.as_view()),
    *_both("secrets/<str:name>", secrets.SecretDetailView.as_view()),
    *_both("users", users.UserListView.as_view()),
    *_both("users/<str:user_id>", users.UserDetailView.as_view()),
    *_both("users/<str:user_id>/invitation", users.UserInvitationView.as_view()),
    *_both("users/<str:user_id>/models", users.UserModelListView.as_view()),
]

documentation = [
    *_both("schema", openapi.SchemaView.as_view(), name="schema"),
    *_both("docs", openapi.DocsView.as_view(url_name="schema"), name="api-docs"),
]
# Everything else under `/v1/modules` or `/api`.
unknown_module = [re_path("", base.UnknownModuleUrlView.as_view())]
unknown_api = [re_path("", base.UnknownApiUrlView.as_view())]
