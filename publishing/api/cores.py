"""`/v1/modules/scaicore`: Cores, their versions, and the publication that makes one a chat model."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from identity.errors import Invalid, Problem
from publishing import actions, deploy_state
from publishing.actions import UNCHANGED, RemoteProgram, Unchanged
from publishing.api import core_serializers
from publishing.api.base import ModuleView
from publishing.api.core_serializers import (
    CoreChangeSerializer,
    CoreSerializer,
    CoreVersionSerializer,
    NewCoreSerializer,
    PublicationSerializer,
    PublishBodySerializer,
    RollbackSerializer,
)
from publishing.api.fields import CursorPageSerializer, read_number
from publishing.api.openapi import cursor_list, in_module
from publishing.errors import CoreNotFound, NotPublished
from publishing.models import Core, Publication


class CoreView(ModuleView):
    """A URL of one Core."""

    def core(self, core_id: str) -> Core:
        """The Core of the caller's tenant with this id; another tenant's reads like none."""
        cores = Core.objects.select_related("live", "publication", "hold", "tenant")
        core = cores.filter(tenant=self.user.tenant_id, pk=core_id).first()
        if core is None:
            raise CoreNotFound
        return core


class CoreListView(ModuleView):
    """The tenant's Cores."""

    @in_module("list_cores", data=cursor_list("Cores", CoreSerializer), query=CursorPageSerializer, errors=[422])
    def get(self, request: Request) -> Response:
        """List the Cores of the tenant by slug."""
        page = self.query(CursorPageSerializer)
        cores = Core.objects.filter(tenant=self.user.tenant_id, slug__gt=page.get("cursor", ""))
        rows = cores.select_related("live", "publication", "hold").order_by("slug")
        return self.paged(
            rows, page["limit"], show=lambda core: core_serializers.core(core, self.actor), key=lambda core: core.slug
        )

    @in_module("create_core", data=CoreSerializer, body=NewCoreSerializer, status=201, errors=[403, 409, 422])
    def post(self, request: Request) -> Response:
        """Make a Core straight from a flow document, or of a program that lives elsewhere. It is not published."""
        given = self.fields(NewCoreSerializer)
        core = actions.create_core(
            tenant=self.user.tenant,
            name=given["name"],
            slug=given.get("slug", ""),
            content=given.get("content", UNCHANGED),
            remote=_remote(given),
            description=given.get("description", UNCHANGED),
            actor=self.actor,
            at=timezone.now(),
        )
        return self.ok(core_serializers.core(core, self.actor), 201)


class CoreDetailView(CoreView):
    """One Core."""

    @in_module("read_core", data=CoreSerializer, errors=[404])
    def get(self, request: Request, core_id: str) -> Response:
        """Read a Core."""
        return self.ok(core_serializers.core(self.core(core_id), self.actor))

    @in_module("update_core", data=CoreSerializer, body=CoreChangeSerializer, errors=[403, 404, 422])
    def put(self, request: Request, core_id: str) -> Response:
        """Rename a Core, describe it, or make a new version of one that has no flow."""
        given = self.fields(CoreChangeSerializer)
        core = self.core(core_id)
        if given.get("slug", core.slug) != core.slug:
            raise Invalid("The slug never changes.", [Problem("slug", f"Leave it out, or send {core.slug}.")])
        actions.update_core(
            core,
            name=given.get("name", UNCHANGED),
            description=given.get("description", UNCHANGED),
            content=given.get("content", UNCHANGED),
            remote=_remote(given),
            actor=self.actor,
            at=timezone.now(),
        )
        return self.ok(core_serializers.core(self.core(core.pk), self.actor))

    @in_module("delete_core", status=204, errors=[403, 404, 409])
    def delete(self, request: Request, core_id: str) -> Response:
        """Delete a Core with its versions and its publication, unless staff hold it. Its flow stays."""
        actions.delete_core(self.core(core_id), actor=self.actor, at=timezone.now())
        return Response(status=204)


class PublicationView(CoreView):
    """The publication of one Core."""

    @in_module("read_publication", data=PublicationSerializer, errors=[404])
    def get(self, request: Request, core_id: str) -> Response:
        """Read the publication; 404 when the Core is not published."""
        publication = Publication.objects.select_related("core__live").filter(core=self.core(core_id)).first()
        if publication is None:
            raise NotPublished
        return self.ok(core_serializers.publication(publication, self.actor))

    @in_module(
        "publish_core",
        data=PublicationSerializer,
        body=PublishBodySerializer,
        status=[200, 201],
        errors=[403, 404, 409, 422],
    )
    def post(self, request: Request, core_id: str) -> Response:
        """Make the Core a chat model, or change who may call it: 201 the first time, 200 after.

        409 while staff hold the Core.
        """
        group_ids = self.body().get("group_ids", UNCHANGED)
        publication, is_new = actions.publish(
            self.core(core_id), group_ids=group_ids, actor=self.actor, at=timezone.now()
        )
        return self.ok(core_serializers.publication(publication, self.actor), 201 if is_new else 200)

    @in_module("unpublish_core", status=204, errors=[403, 404])
    def delete(self, request: Request, core_id: str) -> Response:
        """End the publication; 204 also when there was none."""
        actions.unpublish(self.core(core_id), actor=self.actor, at=timezone.now())
        return Response(status=204)


class CoreVersionListView(CoreView):
    """The versions of one Core."""

    @in_module(
        "list_core_versions",
        data=cursor_list("CoreVersions", CoreVersionSerializer),
        query=CursorPageSerializer,
        errors=[404, 422],
    )
    def get(self, request: Request, core_id: str) -> Response:
        """List the versions, the newest first."""
        page = self.query(CursorPageSerializer)
        versions = self.core(core_id).versions.select_related("core").order_by("-number")
        if "cursor" in page:
            versions = versions.filter(number__lt=read_number(page["cursor"]))
        return self.paged(
            versions, page["limit"], show=lambda row: CoreVersionSerializer(row).data, key=lambda row: row.number
        )


class CoreRollbackView(CoreView):
    """Rolling back one Core."""

    @in_module("rollback_core", data=CoreSerializer, body=RollbackSerializer, errors=[403, 404, 409, 422])
    def post(self, request: Request, core_id: str) -> Response:
        """Make an earlier version live; the publication stays."""
        given, core = self.fields(RollbackSerializer), self.core(core_id)
        if not given["accept_memory_change"] and self.actor.manages(core.tenant_id):
            deploy_state.must_keep_memory(core, given["version"])
        actions.rollback(core, version=given["version"], actor=self.actor, at=timezone.now())
        return self.ok(core_serializers.core(self.core(core_id), self.actor))


def _remote(given: dict[str, Any]) -> RemoteProgram | Unchanged:
    return RemoteProgram(**given["remote"]) if "remote" in given else UNCHANGED
