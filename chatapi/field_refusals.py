"""What is wrong with the shape of a field, in the words of the protocol."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from chatapi.errors import FieldInvalid, refused_field

JSON_WORDS: Final = (("str", "string"), ("int", "integer"), ("float", "number"), ("bool", "boolean"))


def explain(error: msgspec.ValidationError, *, at: str = "") -> FieldInvalid:
    """msgspec's sentence, such as ``Expected `str`, got `int` - at `$.messages[2].role` ``, as a refusal.

    `at`: the path of what was read.
    """
    reason, _, location = str(error).partition(" - at ")
    inner = location.strip("`").rpartition("$")[2].strip(".`").removesuffix("[...]")
    path = ".".join(part for part in (at, inner) if part)
    for ours, theirs in JSON_WORDS:
        reason = re.sub(rf"\b{ours}\b", theirs, reason)
    missing = re.fullmatch(r"Object missing required field `(\w+)`", reason)
    if missing:
        path = f"{path}.{missing[1]}" if path else missing[1]
        return refused_field(path, f"`{path}` is required.", "missing_required_parameter")
    code = "invalid_type" if ", got " in reason else "invalid_value"
    return refused_field(path, f"`{path}` is not usable: {reason[:1].lower()}{reason[1:]}.", code)
