"""JSON values in what a model wrote: alone, in a code fence, behind its thinking, or with prose around them."""

import json
import re
from collections.abc import Iterator
from typing import Final

MAX_TRIES: Final = 100  # a text of opening brackets alone would cost the square of its length

_ENDS: Final = ("</think>", "</thinking>", "</thought>", "</reasoning>")
_BEGIN: Final = re.compile(r"[\[{]")
_decoder: Final = json.JSONDecoder()


def find(text: str) -> list[str]:
    """The JSON values of `text`: all of it if it is one, else each object and list that stands in it.

    What a model thought before its answer counts only when nothing is found behind it.
    """
    answer = _unfenced(_behind_thinking(text))
    whole = next((each for each in (text.strip(), answer) if _is_json(each)), None)
    return [whole] if whole is not None else list(_inside(answer)) or list(_inside(text))


def _behind_thinking(text: str) -> str:
    lower = text.lower()
    end = max((found + len(tag) for tag in _ENDS if (found := lower.rfind(tag)) >= 0), default=0)
    return text[end:].strip()


def _inside(text: str) -> Iterator[str]:
    end = 0
    for _ in range(MAX_TRIES):
        begin = _BEGIN.search(text, end)
        if begin is None:
            return
        end = begin.end()
        try:
            _, end = _decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            continue
        yield text[begin.start() : end]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _unfenced(text: str) -> str:
    """The text without the code fence that many models put around JSON."""
    if text.startswith("```") and text.endswith("```"):
        return text[3:-3].removeprefix("json").strip()
    return text
