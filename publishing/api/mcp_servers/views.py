"""The views of `/api/v1/mcp-servers`."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from identity.errors import Invalid, Problem
from publishing import actions
from publishing.actions import UNCHANGED
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer
from publishing.api.mcp_servers.serializers import (
    LIST,
    AcceptSerializer,
    McpServerChangeSerializer,
    McpServerSerializer,
    NewMcpServerSerializer,
    RefreshedSerializer,
)
from publishing.api.openapi import in_api
from publishing.errors import McpServerNotFound
from publishing.mcp import servers
from publishing.models import McpServer

TAG = "MCP servers"


class McpServerListView(ApiView):
    """The tenant's MCP servers."""

    @in_api("list_mcp_servers", data=LIST, query=OffsetPageSerializer, errors=[422], tag=TAG)
    def get(self, request: Request) -> Response:
        """List the MCP servers of the tenant by ref, each with its accepted tools."""
        own = McpServer.objects.filter(tenant=self.user.tenant_id).order_by("ref")
        return self.listed(own, lambda server: McpServerSerializer(server).data)

    @in_api(
        "create_mcp_server",
        data=McpServerSerializer,
        body=NewMcpServerSerializer,
        status=201,
        errors=[400, 403, 409, 422],
        tag=TAG,
    )
    def post(self, request: Request) -> Response:
        """Add a server. It has no tools until it is refreshed."""
        given = self.fields(NewMcpServerSerializer)
        server = actions.create_mcp_server(
            tenant=self.user.tenant,
            ref=given["ref"],
            url=given["url"],
            headers=given.get("headers"),
            timeout_s=given.get("timeout_s", servers.TIMEOUT_S),
            actor=self.actor,
            at=timezone.now(),
        )
        return Response(McpServerSerializer(server).data, 201)


class McpServerView(ApiView):
    """A URL of one server."""

    def find_server(self, ref: str) -> McpServer:
        """The server of the caller's tenant with this ref; another tenant's reads like none."""
        server = McpServer.objects.filter(tenant=self.user.tenant_id, ref=ref).first()
        if server is None:
            raise McpServerNotFound
        return server


class McpServerDetailView(McpServerView):
    """One server."""

    @in_api("read_mcp_server", data=McpServerSerializer, errors=[404], tag=TAG)
    def get(self, request: Request, ref: str) -> Response:
        """One server, with its accepted tools and what has changed since."""
        return Response(McpServerSerializer(self.find_server(ref)).data)

    @in_api(
        "save_mcp_server",
        data=McpServerSerializer,
        body=McpServerChangeSerializer,
        errors=[400, 403, 404, 422],
        tag=TAG,
    )
    def put(self, request: Request, ref: str) -> Response:
        """Change a server. Headers that are left out stay; for another server they must be sent again."""
        given = self.fields(McpServerChangeSerializer)
        server = self.find_server(ref)
        if given.get("ref", ref) != ref:
            raise Invalid("The ref never changes.", [Problem("ref", f"Leave it out, or send {ref}.")])
        saved = actions.save_mcp_server(
            server,
            url=given.get("url", UNCHANGED),
            headers=given.get("headers", UNCHANGED),
            timeout_s=given.get("timeout_s", UNCHANGED),
            actor=self.actor,
            at=timezone.now(),
        )
        return Response(McpServerSerializer(saved).data)

    @in_api("delete_mcp_server", status=204, errors=[403, 404, 409], tag=TAG)
    def delete(self, request: Request, ref: str) -> Response:
        """Remove a server; refused while a live Core calls its tools."""
        actions.delete_mcp_server(self.find_server(ref), actor=self.actor, at=timezone.now())
        return Response(status=204)


class McpServerRefreshView(McpServerView):
    """One server, asked for its tools."""

    @in_api("refresh_mcp_server", data=RefreshedSerializer, errors=[403, 404, 409, 422], tag=TAG)
    def post(self, request: Request, ref: str) -> Response:
        """Ask the server for its tools and compare; a server that gives no list is told of with 200, too."""
        refreshed = actions.refresh_mcp_server(self.find_server(ref), actor=self.actor, at=timezone.now())
        return Response(McpServerSerializer(refreshed.server).data | {"problem": refreshed.problem})


class McpServerAcceptView(McpServerView):
    """One server's last list of tools."""

    @in_api(
        "accept_mcp_tools", data=McpServerSerializer, body=AcceptSerializer, errors=[400, 403, 404, 409, 422], tag=TAG
    )
    def post(self, request: Request, ref: str) -> Response:
        """Let flows use the tools as the server listed them last."""
        given = self.fields(AcceptSerializer)
        server = actions.accept_mcp_tools(
            self.find_server(ref), digest=given["digest"], actor=self.actor, at=timezone.now()
        )
        return Response(McpServerSerializer(server).data)
