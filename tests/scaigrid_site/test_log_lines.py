"""One event is one line of the log, whoever wrote the text in it."""

import logging.config

import pytest

from scaigrid_site import logs


@pytest.mark.parametrize("text", ["a\nforged", "a\r\nb", "a\x1b[2Jb", "a\u202eb", "a\u2028b", "a\x85b"])
@pytest.mark.parametrize("style", ["console", "json"])
def test_a_text_in_an_event_stays_on_its_line(style, text):
    given = logs.config(level="INFO", style=style)["formatters"]["line"]
    formatter = logging.config.DictConfigurator({"version": 1}).configure_formatter(dict(given))
    line = formatter.format(logging.LogRecord("x", logging.INFO, "", 0, "said %s", (text,), None))
    assert line.isprintable()
    assert line.count("said a") == 1
