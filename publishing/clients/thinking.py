"""A model's thinking, told apart from its answer where a server leaves both in one text."""

from __future__ import annotations

from typing import Final, NamedTuple

Tags = tuple[tuple[str, str], ...]
# The tags by which models mark it, as they come out of servers that do not take it out: DeepSeek, Qwen and most others;
# Gemma; Magistral; Kimi; Seed; gpt-oss.
TAGS: Final[Tags] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<seed:think>", "</seed:think>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
COMMON_END: Final = "</think>"


class Split(NamedTuple):
    """What of a text is thinking, and what is answer."""

    thought: str = ""
    answer: str = ""


class ThinkingFilter:
    """Takes a text in pieces of any size. Only what stands before the first word of the answer is thinking.

    White space before that word is held back until the word comes, so that an answer of white space alone is none.
    `is_open`: the text begins inside the thinking. `tags`: those that mark it; without any, all of it is the answer.
    """

    def __init__(self, tags: Tags = TAGS, *, is_open: bool = False) -> None:
        self._tags = tags
        self._held = ""
        self._searched = 0  # how much of it holds no end tag
        self._end = COMMON_END if is_open else ""  # the tag that ends the thinking under way
        self._is_certain = not is_open  # whether a tag said that this is thinking
        self._has_thought = is_open
        self._is_answering = False

    def feed(self, text: str) -> Split:
        """What `text` adds to either."""
        if self._is_answering:
            return Split(answer=text)
        self._held += text
        thought = ""
        while True:
            thought += self._take_thought() if self._end else ""
            if self._end or not self._has_begun_anew():
                break
        return Split(thought, self._take_answer())

    def rest(self) -> Split:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        if self._end and self._is_certain:
            return Split(thought=held)
        return Split(answer=held if held.strip() else "")

    def _take_thought(self) -> str:
        """The thinking as far as it is known; the end tag ends it."""
        found = self._held.find(self._end, self._searched)
        if found >= 0:
            return self._cut(found, len(self._end), ended=True)
        kept = _overlap(self._held, self._end)
        if self._is_certain:
            return self._cut(len(self._held) - kept)
        self._searched = len(self._held) - kept  # all of it may be the answer
        return ""

    def _cut(self, size: int, tag_size: int = 0, *, ended: bool = False) -> str:
        thought, self._held, self._searched = self._held[:size], self._held[size + tag_size :], 0
        if ended:
            self._end, self._is_certain = "", True
        return thought

    def _has_begun_anew(self) -> bool:
        """Whether the text goes on with a tag that begins thinking."""
        text = self._held.lstrip()
        for begin, end in self._tags:
            if text[: len(begin)].lower() == begin.lower():
                self._held, self._end, self._has_thought = text[len(begin) :], end, True
                return True
        if self._tags and not self._has_thought and COMMON_END in text:
            # A template had said the opening tag, and this is more than its end.
            self._end, self._has_thought = COMMON_END, True
            return True
        return False

    def _take_answer(self) -> str:
        """The answer's beginning, once it is clear that no tag begins there."""
        text = self._held.lstrip()
        if self._end or not text or any(_is_begun(begin, text) for begin, _ in self._tags):
            return ""
        answer, self._held, self._is_answering = text if self._has_thought else self._held, "", True
        return answer


def _is_begun(tag: str, text: str) -> bool:
    return len(text) < len(tag) and tag.lower().startswith(text.lower())


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
