"""Bytes that say in which characters they are written, as texts."""

import codecs
from email.message import Message
from typing import Final

# The longest first: a mark of UTF-32 begins with one of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Codecs of Python's that no document is written in; some of them are slow on purpose of others.
_NO_CHARSETS: Final = frozenset(("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"))


def decoded(body: bytes, content_type: str) -> str:
    """The text of `body` by its mark, else by the charset of `content_type`, else as UTF-8; never raises.

    What is no character there becomes U+FFFD.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    try:
        return body.decode(_charset(content_type), "replace")
    except (LookupError, ValueError):
        return body.decode(errors="replace")


def _charset(content_type: str) -> str:
    """The charset that a `Content-Type` names, if it is one."""
    header = Message()
    header["content-type"] = content_type
    found = codecs.lookup(header.get_content_charset() or "utf-8").name
    return "utf-8" if found in _NO_CHARSETS else found
