"""The addresses of the web pages that tell of calls."""

from __future__ import annotations

from django.urls import path

from chatapi import model_page, playground, usage_page

urlpatterns = [
    path("models/", model_page.models, name="models"),
    path("models/<slug:core_id>/", model_page.model, name="model"),
    path("playground/", playground.playground, name="playground"),
    path("playground/key/", playground.key, name="playground-key"),
    path("usage/", usage_page.usage, name="usage"),
    path("usage/export.csv", usage_page.export, name="usage-export"),
]
