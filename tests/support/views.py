"""Views of the database, spelled as PostgreSQL spells them, so that two texts of one view can be compared."""

from __future__ import annotations

from django.db import connection


def migrated(name: str) -> str:
    """The view that the migrations made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_viewdef(%s::regclass)", [name])
        [(text,)] = cursor.fetchall()
    return str(text)


def written(select: str) -> str:
    """The view that `select` would make."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY VIEW written AS {select}")
        text = migrated("written")
        cursor.execute("DROP VIEW written")
    return text
