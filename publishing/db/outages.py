"""Why the database could not be asked: one table from PostgreSQL's SQLSTATE to a clause for the log.

An outage is what a later try may get past, whatever was asked. Any other error is about the one statement that met it.
"""

from __future__ import annotations

from typing import Final

import psycopg
from django.db import utils as django_errors
from psycopg import errors

from publishing.db.time_limits import DatabaseSilent

# By the whole SQLSTATE, else by its class, which is its first two characters.
CAUSES: Final = {
    "08": "the connection broke",
    "25006": "the database is read-only: it is a replica, or has become one",
    "28": "the database does not let this role or this address in",
    "28P01": "the password in DATABASE_URL is wrong",
    "3D000": "the database that DATABASE_URL names does not exist",
    "40": "two changes stood in each other's way",
    "53": "the database server is short of resources",
    "53100": "the disk of the database server is full",
    "53200": "the database server is out of memory",
    "53300": "the database server takes no more connections",
    "55": "the database cannot do that now",
    "57": "the database server ended the statement",
    "57014": "the statement took longer than DATABASE_TIMEOUT_S",
    "57P01": "the database server is being stopped",
    "57P02": "the database server crashed",
    "57P03": "the database server is starting up or being stopped",
    "57P04": "the database was deleted",
    "58": "the database server cannot use its files",
}

# libpq gives no SQLSTATE for a connection that was not made, only the server's words, in English if it speaks English.
REFUSALS: Final = (
    ("password authentication failed", "28P01"),
    ("no pg_hba.conf entry", "28"),
    ("too many", "53300"),
    ("remaining connection slots", "53300"),
    ('role "', "28"),
    ('database "', "3D000"),
    ("No space left on device", "53100"),
    ("out of memory", "53200"),
    ("the database system is", "57P03"),
)
UNREACHED: Final = (
    ("Connection refused", "nothing listens at the address of the database"),
    ("No such file or directory", "nothing listens at the address of the database"),
    ("could not translate host name", "the host name of the database is not known"),
    ("resolve host", "the host name of the database is not known"),
    ("Name or service not known", "the host name of the database is not known"),
    ("SSL", "the database and this server do not agree on TLS"),
)
SILENT: Final = "the database did not answer in time"


def is_outage(error: BaseException) -> bool:
    """Whether `error`, psycopg's or Django's, says that the database cannot serve now, whatever it is asked."""
    origin = _origin(error)
    if isinstance(origin, errors.ReadOnlySqlTransaction):
        return True
    kinds = (psycopg.OperationalError, psycopg.InterfaceError, django_errors.OperationalError)
    return isinstance(origin, (*kinds, django_errors.InterfaceError)) and _state(origin)[:2] != "54"


def explain(error: BaseException) -> str:
    """The cause in words of ours, with its SQLSTATE: what the database itself says quotes values and addresses."""
    origin = _origin(error)
    if isinstance(origin, (DatabaseSilent, errors.ConnectionTimeout)):
        return SILENT
    if state := _state(origin):
        return f"{CAUSES.get(state) or CAUSES.get(state[:2]) or 'the database gave up'} ({state})"
    said = str(origin)
    for phrase, state in REFUSALS:
        if phrase in said:
            return CAUSES[state]
    return next((clause for phrase, clause in UNREACHED if phrase in said), CAUSES["08"])


def _origin(error: BaseException) -> BaseException:
    """What psycopg raised, where Django raised its own error from that."""
    return error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error


def _state(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""
