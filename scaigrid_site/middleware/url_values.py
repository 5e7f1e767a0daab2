"""A value in a URL that the database cannot take is the caller's mistake, not a defect of ours."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import walk_tb
from typing import Final
from urllib.parse import unquote

from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from scaigrid_site import error_handlers

READING: Final = ("GET", "HEAD")


class UrlValues(MiddlewareMixin):
    """Answers 400 where a NUL, a year of eight digits or a number without end in the URL reached the database.

    The admin builds its queries from the query string; what it takes for a filter is not known before it has tried.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to a request whose view failed with `exception`; None leaves it to Django."""
        is_from_url = request.method in READING or "\0" in unquote(request.get_full_path())
        if is_from_url and _is_unusable_value(exception):
            return error_handlers.bad_request(request, SuspiciousOperation())
        return None


def _is_unusable_value(error: Exception) -> bool:
    if isinstance(error, (DataError, OverflowError)):
        return True
    # What Python's own dates and numbers refuse while Django turns a value into SQL.
    return isinstance(error, ValueError) and any(name.startswith("django.db.") for name in _modules(error))


def _modules(error: Exception) -> Iterator[str]:
    return (str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__))
