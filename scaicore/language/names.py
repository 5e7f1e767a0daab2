"""Names in a flow: those that nobody else may take, and what a name may look like."""

import re
from typing import Final

# What any flow may read, whatever its nodes are.
INPUT_NAMES: Final = frozenset({"message", "messages", "params", "entity_id", "state"})
# What a run itself puts into the scope of templates and expressions; a node of that name would hide it.
SCOPE: Final = INPUT_NAMES | {"input", "output", "decision", "item"}
# What expressions read as values and operators of their own.
_VALUES: Final = frozenset({"true", "false", "null", "in"})
# What CEL keeps for itself: an expression that reads such a name is refused, while a template may name such a node.
_KEPT: Final = frozenset({"as", "break", "const", "continue", "else", "for", "function", "if", "import"}) | frozenset(
    {"let", "loop", "namespace", "package", "return", "var", "void", "while"}
)
RESERVED: Final = SCOPE | _VALUES
# The last part of a published model's name.
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def can_bind(name: str) -> bool:
    """Whether a result may be called so, next to the id of its node."""
    return name not in RESERVED | _KEPT and _PLAIN.fullmatch(name) is not None


def is_slug(name: str) -> bool:
    """Whether a Core may be called so."""
    return _SLUG.fullmatch(name) is not None


def shown(name: str) -> str:
    """The name in a sentence: not endless, and without a character that does not print."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name[:80])
