"""`/v1` and `/oai/v1`: one list, two prefixes."""

from __future__ import annotations

from django.urls import path, re_path

from chatapi import views

urlpatterns = [
    re_path(r"^chat/completions/?$", views.CompletionsView.as_view()),
    re_path(r"^models/?$", views.ModelListView.as_view()),
    re_path(r"^models/(?P<name>.+?)/?$", views.ModelView.as_view()),
    path("", views.unknown_url),
    re_path(r"^.+$", views.unknown_url),
]
