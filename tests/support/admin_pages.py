"""The addresses of the admin's pages: every list with its filters, and the page of one row of each noun."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.test import Client

from identity.models import AuditEntry, Group, Tenant, User
from publishing.models import Core, Flow, Publication, Refusal


def models() -> list[type[Model]]:
    return list(admin.site._registry)


def of(model: type[Model], page: str, *args: str) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/" + "".join(
        f"{arg}/" for arg in (*args, page) if arg
    )


def lists() -> list[str]:
    """Every list, by itself, searched, and by each choice of its filters."""
    urls = [of(model, "") for model in models()]
    urls += [f"{of(model, '')}?q=user" for model in models()]
    choices = ["nobody", "lost", "open", "widened-7", "widened-30", "new-7", "unused-90"]
    urls += [f"{of(Publication, '')}?review={choice}" for choice in choices]
    urls += [f"{of(AuditEntry, '')}?widened=any", f"{of(Core, '')}?publication=held", f"{of(Refusal, '')}?since=7"]
    return urls


def pages(client: Client, *, is_whole: bool = True) -> list[str]:
    """The page of one row of each noun, and what else there is of it. `is_whole`: there is a row of each."""
    listed = {model: client.get(of(model, "")).context["cl"].result_list for model in models()}
    assert not is_whole or [model for model, rows in listed.items() if not rows] == []
    rows = {model: quote(found[0].pk) for model, found in listed.items() if found}
    urls = [of(model, "change", row) for model, row in rows.items()]
    urls += [of(model, "add") for model in (Publication, User, Group, Tenant)]
    urls += [of(model, "delete", rows[model]) for model in (Core, Flow, User, Group)]
    return [*urls, of(Publication, "audience", rows[Publication]), "/admin/"]
