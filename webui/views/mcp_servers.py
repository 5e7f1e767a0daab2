"""The tenant's MCP servers: listed with who uses each, added, changed, asked for their tools, accepted, removed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from identity.actors import actor_of
from identity.errors import Conflict, Invalid
from publishing import actions
from publishing.actions.base import Unchanged
from publishing.actions.mcp_servers import changes_of, found_digest
from publishing.models import McpServer, references
from webui.decorators import MemberRequest, admin_of, member_page
from webui.mcp_forms import McpServerForm
from webui.used_by import cores_by_name

PAGE_SIZE = 50
browsed = require_http_methods(["GET", "HEAD", "POST"])


@browsed
@member_page
def server_list(request: MemberRequest) -> HttpResponse:
    """The servers by name; a POST adds one and asks it for its tools."""
    if request.method != "POST":
        return _listed(request, McpServerForm())
    actor, form = admin_of(request), McpServerForm(request.POST)
    if not form.is_valid():
        return _listed(request, form)
    headers = form.typed_headers
    try:
        made = actions.create_mcp_server(
            tenant=request.user.tenant,
            ref=form.cleaned_data["ref"],
            url=form.cleaned_data["url"],
            headers={} if isinstance(headers, Unchanged) else headers,
            timeout_s=form.cleaned_data["timeout_s"],
            actor=actor,
            at=timezone.now(),
        )
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _listed(request, form)
    messages.success(request, f"Added {made.ref}")
    return _refreshed(request, made)


@browsed
@member_page
def server(request: MemberRequest, ref: str) -> HttpResponse:
    """One server; a POST changes it."""
    shown = _own(request, ref)
    if request.method != "POST":
        return _page(request, shown)
    actor, form = admin_of(request), McpServerForm(request.POST, server=shown)
    if not form.is_valid():
        return _page(request, shown, form=form)
    try:
        actions.save_mcp_server(
            shown,
            url=form.cleaned_data["url"],
            headers=form.typed_headers,
            timeout_s=form.cleaned_data["timeout_s"],
            actor=actor,
            at=timezone.now(),
        )
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return _page(request, shown, form=form)
    messages.success(request, f"Saved {ref}. Flows use it so from the next call.")
    return redirect("mcp-server", ref)


@browsed
@member_page
def refresh_server(request: MemberRequest, ref: str) -> HttpResponse:
    """Ask the server for its tools."""
    shown = _own(request, ref)
    if request.method != "POST":
        return redirect("mcp-server", ref)
    admin_of(request)
    return _refreshed(request, shown)


@browsed
@member_page
def accept_tools(request: MemberRequest, ref: str) -> HttpResponse:
    """Let flows use the tools as the page has shown them."""
    shown = _own(request, ref)
    if request.method != "POST":
        return redirect("mcp-server", ref)
    actor = admin_of(request)
    try:
        actions.accept_mcp_tools(shown, digest=request.POST.get("digest", ""), actor=actor, at=timezone.now())
    except Conflict as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Accepted. Flows use the tools so from the next call.")
    return redirect("mcp-server", ref)


@browsed
@member_page
def delete_server(request: MemberRequest, ref: str) -> HttpResponse:
    """Remove a server, once an admin has seen who uses it."""
    shown, actor = _own(request, ref), admin_of(request)
    if request.method != "POST":
        return render(request, "mcp_servers/delete.html", _facts(request, shown))
    try:
        actions.delete_mcp_server(shown, actor=actor, at=timezone.now())
    except Conflict as refusal:
        messages.error(request, f"{refusal} Nothing was removed.")
        return redirect("mcp-server", ref)
    messages.success(request, f"Removed {ref}")
    return redirect("mcp-servers")


def _refreshed(request: MemberRequest, shown: McpServer) -> HttpResponse:
    try:
        found = actions.refresh_mcp_server(shown, actor=actor_of(request.user), at=timezone.now())
    except (Invalid, Conflict) as refusal:
        messages.error(request, str(refusal))
        return redirect("mcp-server", shown.ref)
    if found.problem:
        messages.error(request, f"It gave no list of tools. {found.problem}")
    elif found.changes:
        messages.warning(request, "Its tools have changed. Flows use what has changed once you accept it.")
    else:
        messages.success(request, f"It has {len(found.server.tools)} tools, all of them accepted.")
    return redirect("mcp-server", shown.ref)


def _listed(request: MemberRequest, form: McpServerForm) -> HttpResponse:
    tenant_id = request.user.tenant_id
    own = McpServer.objects.filter(tenant=tenant_id).order_by("ref")
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    users = cores_by_name(references.MCP_SERVERS, tenant_id)
    shown = {
        "page": page,
        "rows": [(one, users.get(one.ref, [])) for one in page],
        "form": form,
        "manages": actor_of(request.user).manages(tenant_id),
    }
    return render(request, "mcp_servers/list.html", shown)


def _page(request: MemberRequest, shown: McpServer, **more: Any) -> HttpResponse:
    facts = _facts(request, shown)
    forms = {"form": McpServerForm(server=shown)} if facts["manages"] else {}
    return render(request, "mcp_servers/server.html", facts | forms | more)


def _facts(request: MemberRequest, shown: McpServer) -> dict[str, Any]:
    listed = {tool["name"]: tool for tool in shown.found or ()}
    accepted = {tool["name"]: tool for tool in shown.tools}
    return {
        "server": shown,
        "users": cores_by_name(references.MCP_SERVERS, shown.tenant_id).get(shown.ref, []),
        "changes": [(change, accepted.get(change.name), listed.get(change.name)) for change in changes_of(shown)],
        "usable": shown.usable,
        "digest": found_digest(shown),
        "manages": actor_of(request.user).manages(shown.tenant_id),
    }


def _own(request: MemberRequest, ref: str) -> McpServer:
    return get_object_or_404(McpServer, tenant=request.user.tenant_id, ref=ref)
