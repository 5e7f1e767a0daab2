"""Secrets taken out of what came back from outside, in every form in which a server may give them back."""

import base64
import html
import re
from collections.abc import Iterable, Iterator
from typing import Final

from scaicore.jsondata import Json

HIDDEN: Final = "[secret]"
# A shorter text stands in too many others: of it only the text itself is hidden.
ENCODED_FROM: Final = 4
# A pattern is made for so many characters at most; of a longer secret it hides the rest of the word behind them.
ESCAPED_TO: Final = 200
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_MARKS: Final = ("\\", "%", "&", "+")  # without one of these nothing is escaped
# Text in text in text doubles them. Bounded and possessive, or a long row of them would be read again and again.
_SLASHES: Final = r"\\\\{0,15}+"
_BACKSLASH: Final = r"(?:\\\\{0,15}(?:u005[cC]|x5[cC])?|%(?:25){0,4}5[cC]|&#(?:0{0,6}92|[xX]0{0,6}5[cC]);)"
_NAMED: Final = {'"': '"', "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


class Mask:
    """Hides some secrets: as they are, as JSON, URLs and HTML write them, and in base64 and hexadecimal digits."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: a secret that begins another must not leave the other's rest.
        texts = sorted({form for secret in secrets for form in _sent(secret) if form}, key=len, reverse=True)
        long = [text for text in texts if len(text) >= ENCODED_FROM]
        self._literals = [*texts, *(form for text in long for form in _encoded(text.encode(errors="replace")))]
        self._long = long
        self._digits = tuple(text for text in long if text.isdecimal())

    def text(self, text: str) -> str:
        """The text without the secrets."""
        for literal in self._literals:
            text = text.replace(literal, HIDDEN)
        if self._long and any(mark in text for mark in _MARKS):
            return re.sub("|".join(map(_escaped, self._long)), HIDDEN, text)  # compiled once: `re` keeps patterns
        return text

    def value(self, value: Json) -> Json:
        """The JSON value without them, in names, texts and numbers."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.value(item) for name, item in value.items()}
        is_number = self._digits and isinstance(value, int | float) and not isinstance(value, bool)
        return HIDDEN if is_number and any(digits in repr(value) for digits in self._digits) else value


def _sent(secret: str) -> tuple[str, ...]:
    """The secret, as a header carries it, and as one reads whose bytes were taken for Latin-1."""
    sent = _UNPRINTED.sub(" ", secret).strip()
    return secret, sent, sent.encode(errors="replace").decode("latin-1")


def _encoded(raw: bytes) -> Iterator[str]:
    """The bytes in hexadecimal digits, and in both alphabets of base64 at each of the three places at which they may
    begin in a longer text, such as `user:secret`."""
    yield from (raw.hex(), raw.hex().upper())
    for before in range(3):
        standard = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # What depends on the neighbours is left out; three bytes make four characters.
        inner = standard[(before * 8 + 5) // 6 : -1 if (before + len(raw)) % 3 else None]
        yield from dict.fromkeys((inner, inner.replace("+", "-").replace("/", "_")))


def _escaped(text: str) -> str:
    """The pattern of `text` with any of its characters escaped."""
    rest = rf"\S{{0,{6 * len(text)}}}" if len(text) > ESCAPED_TO else ""
    return "".join(map(_any_form, text[:ESCAPED_TO])) + rest


def _any_form(char: str) -> str:
    """One character: itself, escaped as in JSON (text in text doubles the backslashes), in a URL or in HTML."""
    if char == "\\":
        return _BACKSLASH
    code, octets = ord(char), char.encode(errors="replace")
    unicode = _SLASHES.join(f"u{_hex(f'{unit:04x}')}" for unit in _utf16(char))
    escapes = [unicode, f"x{_hex(f'{code:02x}')}", *filter(None, [_NAMED.get(char)])]
    forms = [
        re.escape(char),
        f"{_SLASHES}(?:{'|'.join(escapes)})",
        "".join(f"%(?:25){{0,4}}{_hex(f'{octet:02x}')}" for octet in octets),
        f"&#(?:0{{0,6}}{code}|[xX]0{{0,6}}{_hex(f'{code:x}')});",
        re.escape(html.escape(char)),
        *([r"\+"] if char == " " else []),
    ]
    return f"(?:{'|'.join(dict.fromkeys(forms))})"


def _utf16(char: str) -> list[int]:
    raw = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[index : index + 2]) for index in range(0, len(raw), 2)]


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
