"""Messages of a conversation as language models take them: `{role, content}`, the content a text or a list of parts."""

from typing import Any

from scaicore.jsondata import Json

Message = dict[str, Any]


def message(role: str, content: Json) -> Message:
    """One message."""
    return {"role": role, "content": content}


def plain_text(content: Json) -> str:
    """The text of a content: its text parts, joined by newlines."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text")
    return "\n".join(text for text in texts if isinstance(text, str))


def simplest(content: Json) -> Json:
    """The content as text wherever it is nothing else: not every server takes parts."""
    if not isinstance(content, list):
        return content
    is_text = all(isinstance(part, dict) and part.get("type") == "text" for part in content)
    return plain_text(content) if is_text else content


def is_empty(content: Json) -> bool:
    """Whether there is nothing in it that a model could read."""
    content = simplest(content)
    return not content.strip() if isinstance(content, str) else not content


def joined(first: Json, second: Json) -> Json:
    """Both contents as one."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Json) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
