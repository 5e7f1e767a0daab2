"""Rows that go into the database: what the model or a constraint says against them becomes a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction

from identity.errors import Conflict, Invalid, Problem


def store(row: models.Model, *, exclude: Sequence[str] = (), update_fields: Iterable[str] | None = None) -> None:
    """Validate `row` and save it: insert a new one, or write the named fields of one that exists."""
    try:
        row.full_clean(exclude=exclude)
        # A savepoint: a name that somebody else took meanwhile must not spoil the caller's transaction.
        with transaction.atomic():
            row.save(force_insert=update_fields is None, update_fields=update_fields)
    except ValidationError as error:
        raise refusal(error) from None
    except IntegrityError:
        raise Conflict(f"Somebody else saved {row} at the same time. Look at it and try again.") from None


def refusal(error: ValidationError) -> Invalid:
    """What Django's validation found, as a refusal with one problem for each message."""
    found = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    problems = [
        Problem("" if field == NON_FIELD_ERRORS else field, message)
        for field, messages in found.items()
        for message in messages
    ]
    return Invalid(problems[0].message, problems)
