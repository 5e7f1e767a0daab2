"""The form of an MCP server. The values of its headers are typed anew each time: no page is given them back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from publishing.actions import UNCHANGED, Unchanged
from publishing.mcp import servers
from publishing.models import McpServer
from webui.provider_forms import NAME_HELP, RefusableForm, SealedField


class McpServerForm(RefusableForm):
    """A server to add, or with `server` one to change. A page sets one header; REST sets any."""

    name_field = "ref"

    ref = forms.CharField(
        max_length=100,
        label="Name",
        help_text=f"Flows name the server by it. {NAME_HELP}",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Give the server a name, for example: weather."},
    )
    url = forms.CharField(
        max_length=500,
        label="URL",
        help_text="Where it takes requests, for example: https://mcp.example.com/mcp",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "inputmode": "url"}),
        error_messages={"required": "Give the URL of the server, for example: https://mcp.example.com/mcp"},
    )
    header_name = forms.CharField(
        max_length=100,
        required=False,
        label="Header",
        initial="Authorization",
        help_text="The name of the header that carries the secret.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    headers = SealedField(max_length=4000, required=False, label="Its value")
    remove_headers = forms.BooleanField(
        required=False, label="Remove the headers", help_text="Requests carry none from then on."
    )
    timeout_s = forms.FloatField(
        label="Timeout (seconds)",
        initial=f"{servers.TIMEOUT_S:g}",
        help_text="Longest time that a call may take.",
        widget=forms.NumberInput(attrs={"step": "any"}),
        error_messages={"required": "Give a number of seconds, for example: 30"},
    )

    def __init__(self, data: QueryDict | None = None, *, server: McpServer | None = None) -> None:
        shown = {"url": server.url, "timeout_s": f"{server.timeout_s:g}"} if server else None
        super().__init__(data, initial=shown)
        has_headers = server is not None and bool(server.header_names)
        self.fields["headers"].help_text = (
            "Empty: the headers stay. For example: Bearer and a token. Stored sealed and never shown."
            if has_headers
            else "Empty: requests carry none. For example: Bearer and a token. Stored sealed and never shown again."
        )
        if server is not None:
            del self.fields["ref"]
        if not has_headers:
            del self.fields["remove_headers"]

    def clean(self) -> dict[str, Any]:
        """Refuse a new header that is to be removed at once, and one without a name."""
        if self.cleaned_data.get("headers") and self.cleaned_data.get("remove_headers"):
            self.add_error("remove_headers", "Type a new value or remove the headers, not both.")
        if self.cleaned_data.get("headers") and not self.cleaned_data.get("header_name"):
            self.add_error("header_name", "Give the header a name, for example: Authorization")
        return self.cleaned_data

    @property
    def typed_headers(self) -> dict[str, str] | Unchanged:
        """The header that was typed; none when all are to be removed."""
        if value := self.cleaned_data["headers"]:
            return {self.cleaned_data["header_name"].strip(): value.strip()}
        return {} if self.cleaned_data.get("remove_headers") else UNCHANGED
