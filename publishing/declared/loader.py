"""From a file to a declaration: every way in which a file can be wrong is one sentence with its location."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from publishing.declared.base import DeclarationRefused, refusal_at
from publishing.declared.schema import Declaration

_AT = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$\.?(?P<location>.*)`)?", re.DOTALL)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, without aliases, and with an error where it would keep the last of two equal keys."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The node; raises for anchors and aliases, by which a few lines stand for millions."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        if (anchor := getattr(event, "anchor", None)) is not None:
            found = yaml.ScalarNode("", "", event.start_mark)
            raise _unreadable(f"the anchor or alias {anchor[:80]} is not taken; write the value out", found)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; raises for a key that is in it twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _unreadable(f"the key {key.value} is there twice", key)
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """The value; raises for characters that no text in the database may hold."""
        if isinstance(node, yaml.ScalarNode) and _UNSTORABLE.search(node.value):
            raise _unreadable("a character that cannot be stored", node)
        return super().construct_scalar(node)


def _unreadable(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def read(path: Path) -> Declaration:
    """The file's declaration."""
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise DeclarationRefused(f"{path} cannot be read: {error.strerror}.") from None


def parse(text: bytes, title: str) -> Declaration:
    """The declaration in `text`; refusals call it `title`."""
    found = _yaml(text, title)
    if not isinstance(found, dict):
        raise DeclarationRefused(f"{title} must be a mapping with the key tenants.")
    try:
        return msgspec.convert(found, Declaration)
    except msgspec.ValidationError as error:
        raise _translate(str(error)) from None
    except RecursionError:
        raise DeclarationRefused(f"{title} is nested too deeply.") from None


def _yaml(text: bytes, title: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader that is stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DeclarationRefused(f"{title} is not valid YAML{where}: {error.problem}.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise DeclarationRefused(f"{title} is not valid YAML: {error}.") from None
    except RecursionError:
        raise DeclarationRefused(f"{title} is nested too deeply.") from None


def _translate(sentence: str) -> DeclarationRefused:
    """msgspec's message in the words of the file."""
    found = _AT.fullmatch(sentence)
    what, location = (found["what"], found["location"] or "") if found else (sentence, "")
    for pattern, message in ((_MISSING, "This key is required."), (_UNKNOWN, "This key is not known here.")):
        named = pattern.fullmatch(what)
        if named:
            return refusal_at(f"{location}.{named[1]}".lstrip("."), message)
    return refusal_at(location, f"{what}.")
