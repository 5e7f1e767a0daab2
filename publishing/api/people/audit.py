"""`/api/v1/audit`: who changed what in the tenant, for its admins."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from identity.errors import NotFound
from identity.models import AuditEntry
from publishing import actions, downloads
from publishing.api.base import ApiView
from publishing.api.fields import LONGEST_NUMBER, behind_moment, moment_of
from publishing.api.openapi import cursor_list, in_api
from publishing.api.people.serializers import AuditEntrySerializer, AuditFilterSerializer, AuditSearchSerializer
from publishing.audit_log import export
from publishing.audit_log.search import search


class AuditListView(ApiView):
    """The audit log of the tenant."""

    @in_api(
        "list_audit_entries",
        data=cursor_list("AuditEntries", AuditEntrySerializer),
        query=AuditSearchSerializer,
        errors=[403, 422],
        tag="audit",
    )
    def get(self, request: Request) -> Response:
        """List what was changed in the tenant, the newest first; every condition that is sent must hold."""
        self.actor.must_manage(self.user.tenant_id)
        asked = self.query(AuditSearchSerializer)
        found = search(self.user.tenant_id, asked)
        return self.paged(
            found.filter(behind_moment(asked["cursor"])) if "cursor" in asked else found,
            asked["limit"],
            show=lambda entry: AuditEntrySerializer(entry).data,
            key=moment_of,
        )


class AuditExportView(ApiView):
    """The audit log of the tenant as a file."""

    def found(self) -> QuerySet[AuditEntry]:
        """What the query string asks for."""
        self.actor.must_manage(self.user.tenant_id)
        return search(self.user.tenant_id, self.query(AuditFilterSerializer))

    def file(self, ending: str) -> HttpResponseBase:
        """Every entry that is found, sent while it is read."""
        name = f"audit-{self.user.tenant_id}-{timezone.now():%Y-%m-%d}.{ending}"
        # Django's own request, since DRF's says nothing of how the server runs.
        return downloads.send(self.request._request, export.FORMATS[ending](self.found()), name)


def _in_lines(description: str) -> OpenApiResponse:
    return OpenApiResponse(OpenApiTypes.STR, description=description)


class AuditCsvView(AuditExportView):
    """The audit log as CSV."""

    @in_api(
        "export_audit_csv",
        data=_in_lines("CSV with a line of names; no cell is taken for a formula."),
        query=AuditFilterSerializer,
        errors=[403, 422],
        tag="audit",
        media="text/csv",
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Every entry that is asked for as CSV, the newest first."""
        return self.file("csv")


class AuditJsonLinesView(AuditExportView):
    """The audit log as lines of JSON."""

    @in_api(
        "export_audit_jsonl",
        data=_in_lines("A JSON object on each line, as in the list."),
        query=AuditFilterSerializer,
        errors=[403, 422],
        tag="audit",
        media="text/plain",
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Every entry that is asked for, a JSON object on each line, the newest first."""
        return self.file("jsonl")


class AuditUndoView(ApiView):
    """One change of who may call, to be taken back."""

    @in_api("undo_audit_entry", status=204, errors=[403, 404, 409, 422], tag="audit")
    def post(self, request: Request, entry_id: str) -> Response:
        """Make it as it was before a change of members, visibility or publication, if nothing came in between."""
        self.actor.must_manage(self.user.tenant_id)
        number = int(entry_id) if entry_id.isascii() and entry_id.isdecimal() and len(entry_id) <= LONGEST_NUMBER else 0
        entry = AuditEntry.objects.filter(tenant=self.user.tenant_id, pk=number).first()
        if entry is None:
            raise NotFound("The entry does not exist.")
        actions.undo(entry, actor=self.actor, at=timezone.now())
        return Response(status=204)
