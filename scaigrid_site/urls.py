"""The table of contents."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from chatapi import urls as chat
from chatapi.views import unknown_url
from publishing.api import urls as control

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include(control.documentation)),
    path("api/v1/", include(chat.api)),
    path("api/v1/", include(control.api)),
    path("api/", include(control.unknown_api)),
    path("v1/modules/scaicore/", include(chat.modules)),
    path("v1/modules/scaicore/", include(control.modules)),
    path("v1/modules/", include(control.unknown_module)),
    path("v1/", include("chatapi.urls")),
    path("hooks/", include(chat.hooks)),
    path("oai/v1/", include("chatapi.urls")),
    path("", include(chat.tools)),
    re_path(r"^(?:oai/)?v1\s*$", unknown_url),
    path("", include("webui.urls")),
]

handler400 = "scaigrid_site.error_handlers.bad_request"
handler500 = "scaigrid_site.error_handlers.server_error"
