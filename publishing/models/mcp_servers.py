"""MCP servers of a tenant, and the tools that an admin has accepted of each."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from identity.models import Tenant
from publishing.models.providers import ref_validator


class McpServer(models.Model):
    """A server whose tools the tenant's flows may call. Its headers, a token among them, never leave here but in a
    request to `url`.

    `tools` are those that were accepted, `found` those that the server listed since, where they differ; each is
    `{name, description, input_schema, digest}`. `left_out`: what it lists and cannot be used, with the reason.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="mcp_servers")
    ref = models.CharField(max_length=100, validators=[ref_validator])
    url = models.CharField(max_length=500)
    sealed_headers = models.BinaryField(null=True, editable=False)
    header_names = models.JSONField(default=list, blank=True)
    timeout_s = models.FloatField(
        default=30.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(300.0)],
        help_text="Longest time that a call may take.",
    )
    protocol = models.CharField(max_length=20, blank=True, help_text="The version that the server speaks.")
    tools = models.JSONField(default=list, blank=True)
    found = models.JSONField(null=True, blank=True)
    left_out = models.JSONField(default=list, blank=True)
    accepted_at = models.DateTimeField(null=True, editable=False)
    fetched_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["ref"]
        verbose_name = "MCP server"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "ref"],
                name="mcp_server_ref_unique_in_tenant",
                violation_error_message="An MCP server with this ref exists already.",
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def usable(self) -> list[dict[str, Any]]:
        """The accepted tools that the server has listed unchanged since."""
        if self.found is None:
            return list(self.tools)
        listed = {tool["name"]: tool["digest"] for tool in self.found}
        return [tool for tool in self.tools if listed.get(tool["name"]) == tool["digest"]]
