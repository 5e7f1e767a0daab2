"""One event is one line of the log, whoever wrote the text in it."""

import logging.config
import sys
from typing import Any

import pytest

from scaigrid_site import logs

TEXTS = ["a\nforged", "a\r\nb", "a\x1b[2Jb", "a\u202eb", "a\u2028b", "a\x85b"]


def written(style: str, text: str, **more: Any) -> str:
    """The record as the log has it."""
    given = logs.config(level="INFO", style=style)["formatters"]["line"]
    formatter = logging.config.DictConfigurator({"version": 1}).configure_formatter(dict(given))
    return formatter.format(logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "said %s", (text,), **more))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("style", ["console", "json"])
def test_a_text_in_an_event_stays_on_its_line(style: str, text: str) -> None:
    line = written(style, text, exc_info=None)
    assert line.isprintable()
    assert line.count("said a") == 1


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("style", ["console", "json"])
def test_the_text_of_an_error_begins_no_line(style: str, text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        lines = written(style, "x", exc_info=sys.exc_info()).split("\n")
    assert all(line.isprintable() for line in lines)
    assert "said x" in lines[0]
    assert all(line.startswith("    ") for line in lines[1:])
    assert ("ValueError: a" in "".join(lines)) and (style == "console" or len(lines) == 1)
