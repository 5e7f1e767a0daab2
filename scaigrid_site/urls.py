"""The table of contents."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from publishing import urls as control

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include(control.documentation)),
    path("api/v1/", include(control.api)),
    path("api/", include(control.unknown_api)),
    path("v1/modules/scaicore/", include(control.modules)),
    path("v1/modules/", include(control.unknown_module)),
    re_path(r"^(?:oai/)?v1(?:/|$)", include("chatapi.urls")),
    path("", include("publishing.pages")),
]
