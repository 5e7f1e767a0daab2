"""The control plane's tables of contents: `modules` under `/v1/modules/scaicore`, `api` under `/api/v1`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path

from publishing import control, core_api, flow_api, group_api, key_api, memory_api, provider_api, schema, secret_api

View = Callable[..., HttpResponseBase]
ENTITY = "cores/(?P<core_id>[^/]+)/entities/(?P<entity_id>.+?)"


def _both(route: str, view: View, **more: Any) -> list[URLPattern]:
    """The route, with and without a trailing slash."""
    return [path(route, view, **more), path(f"{route}/", view)]


modules = [
    *_both("cores", core_api.Cores.as_view()),
    *_both("cores/<str:core_id>", core_api.OneCore.as_view()),
    *_both("cores/<str:core_id>/publish", core_api.Publish.as_view()),
    # An entity's id is the caller's own text, slashes included.
    re_path(rf"^{ENTITY}/turns/?$", memory_api.EntityTurns.as_view()),
    re_path(rf"^{ENTITY}/export/?$", memory_api.EntityExported.as_view()),
    re_path(rf"^{ENTITY}/?$", memory_api.OneEntity.as_view()),
    *_both("cores/<str:core_id>/entities", memory_api.Entities.as_view()),
    *_both("cores/<str:core_id>/rollback", core_api.CoreRollback.as_view()),
    *_both("cores/<str:core_id>/versions", core_api.CoreVersions.as_view()),
]

api = [
    *_both("flows", flow_api.Flows.as_view()),
    *_both("flows/compile", flow_api.FlowCompile.as_view()),
    *_both("flows/validate", flow_api.FlowValidate.as_view()),
    *_both("flows/<str:flow_id>", flow_api.OneFlow.as_view()),
    *_both("flows/<str:flow_id>/deploy", flow_api.FlowDeploy.as_view()),
    *_both("flows/<str:flow_id>/deployments", flow_api.FlowDeployments.as_view()),
    *_both("flows/<str:flow_id>/versions", flow_api.FlowVersions.as_view()),
    *_both("flows/<str:flow_id>/versions/<str:version>", flow_api.OneFlowVersion.as_view()),
    *_both("groups", group_api.Groups.as_view()),
    *_both("groups/<str:group_id>", group_api.OneGroup.as_view()),
    *_both("keys", key_api.Keys.as_view()),
    *_both("keys/<str:key_id>", key_api.OneKey.as_view()),
    *_both("providers", provider_api.Providers.as_view()),
    *_both("providers/<str:ref>", provider_api.OneProvider.as_view()),
    *_both("secrets", secret_api.Secrets.as_view()),
    *_both("secrets/<str:name>", secret_api.OneSecret.as_view()),
]

documentation = [
    *_both("schema", schema.SchemaView.as_view(), name="schema"),
    *_both("docs", schema.DocsView.as_view(url_name="schema"), name="api-docs"),
]
# Whatever else stands under `/v1/modules` or `/api`.
unknown_module = [re_path("", control.UnknownModuleUrl.as_view())]
unknown_api = [re_path("", control.UnknownApiUrl.as_view())]
