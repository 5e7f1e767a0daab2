"""Sentences of the runtime, shown to people."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def with_code(sentence: str) -> SafeString:
    """The sentence with the text between backticks set as code; everything in it is escaped."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:
        return format_html("{}", sentence)  # a lone backtick belongs to a name that somebody chose
    marked = [("<code>{}</code>" if index % 2 else "{}", part) for index, part in enumerate(parts)]
    return format_html_join("", "{}", [(format_html(pattern, part),) for pattern, part in marked])


@register.filter
def pretty_json(value: Any) -> str:
    """The value as JSON on several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2)


@register.filter
def duration(milliseconds: float) -> str:
    """A time in the unit in which people would say it."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms".replace(".0", "")
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
