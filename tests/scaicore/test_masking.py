"""Secrets that a server gives back: hidden in every form in which they can be read again."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from scaicore.masking import HIDDEN, Mask

SECRETS = ["tok-3f9a", 's3cret/"é+x y', "a\\b\nc", "pass😀word", "\\\\n\\x", "k" * 400 + '"/' + "z" * 100]
WRITTEN = {
    "as it is": lambda s: s,
    "JSON": json.dumps,
    "JSON in JSON": lambda s: json.dumps(json.dumps(s)),
    "JSON in JSON in JSON": lambda s: json.dumps(json.dumps(json.dumps(s))),
    "JSON of another library": lambda s: json.dumps(s).replace("/", "\\/"),
    "JSON, every character escaped": lambda s: "".join(f"\\u{unit:04X}" for unit in units(s)),
    "a URL": lambda s: quote(s, safe=""),
    "a URL in lower case": lambda s: "".join(f"%{octet:02x}" for octet in s.encode()),
    "a URL in a URL": lambda s: quote(quote(s, safe=""), safe=""),
    "a form": quote_plus,
    "HTML": html.escape,
    "HTML by numbers": lambda s: "".join(f"&#x{ord(char):x};" for char in s),
    "hexadecimal digits": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode().rstrip("="),
    "base64 behind a name": lambda s: base64.b64encode(b"ann:" + s.encode()).decode(),
    "base64 of a URL": lambda s: base64.urlsafe_b64encode(b"u:" + s.encode() + b";more").decode(),
    "bytes taken for Latin-1": lambda s: s.encode().decode("latin-1"),
}


def units(text):
    raw = text.encode("utf-16-be")
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize("form", WRITTEN)
def test_a_secret_is_hidden_however_it_is_written(form, secret):
    told = Mask([secret]).text(f"<{WRITTEN[form](secret)}>")
    assert HIDDEN in told
    assert len(told) < len(HIDDEN) + 24
    assert secret not in told


def test_names_texts_and_numbers_of_a_value_are_masked():
    mask = Mask(["12345678", "tok-3f9a"])
    given = {"tok-3f9a": ["a tok-3f9a b", 12345678, 1.5, True, None, {"n": -12345678.5}], "plain": 1234567}
    kept = {HIDDEN: [f"a {HIDDEN} b", HIDDEN, 1.5, True, None, {"n": HIDDEN}], "plain": 1234567}
    assert mask.value(given) == kept


def test_what_a_header_carries_of_a_secret_is_hidden_too():
    assert Mask(["tok-3f9a\n"]).text("Bearer tok-3f9a") == f"Bearer {HIDDEN}"


def test_a_secret_that_begins_another_leaves_nothing_of_it():
    assert Mask(["tok-3f9a", "tok-3f9a-long"]).text("tok-3f9a-long") == HIDDEN


@pytest.mark.parametrize("secrets", [[], [""], ["ab"]])
def test_other_text_stays_as_it_is(secrets):
    text = 'plain \\u0061 %41 &amp; + "quoted"'
    assert Mask(secrets).text(text) == text


def test_a_short_secret_is_hidden_as_it_is():
    assert Mask(["ab"]).text("cab") == f"c{HIDDEN}"
