"""What may be refused when somebody changes something here, and how REST answers it.

ActionRefused
├── NotAllowed        the actor does not manage this tenant
│   └── KeyLimited    the key is limited to chosen models, and this is not the chat
├── NotFound          the thing does not exist in the actor's tenant
├── Conflict          somebody else's change or name is in the way
└── Invalid           a value is unusable; carries one problem for each field
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """One unusable field and a sentence that says what to do."""

    field: str
    message: str


class ActionRefused(Exception):
    """A request was refused and nothing was changed; the message is fit for the person who asked.

    `status`, `code`: what `/v1/modules` answers. `api`: what `/api/v1` answers where that is not the same status and
    the code in lower case. `fix`: what the caller can do. `message`: used when the refusal is raised without one.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    fix: ClassVar[str]
    api: ClassVar[tuple[int, str] | None] = None
    headers: ClassVar[Mapping[str, str]] = MappingProxyType({})
    message: str = ""
    problems: Sequence[Problem] = ()

    def __init__(self, message: str = "") -> None:
        self.message = message or self.message
        super().__init__(self.message)

    def extras(self) -> dict[str, Any]:
        """What `/api/v1` adds to the answer in place of `details`, as plain JSON data."""
        return {}


class NotAllowed(ActionRefused):
    """The actor does not manage this tenant."""

    status = 403
    code = "AUTHZ_PERMISSION_DENIED"
    message = "Only an admin of this tenant may do that."
    fix = "Ask an admin of your tenant to do it."


class KeyLimited(NotAllowed):
    """The key is limited to chosen models, and this is not the chat."""

    message = "This key is limited to chosen models: it opens the chat alone."
    fix = "Send a key without a limit."


class NotFound(ActionRefused):
    """The thing does not exist, or exists in another tenant: the two read the same."""

    status = 404
    code = "NOT_FOUND"
    fix = "List what exists for its ids."


class Conflict(ActionRefused):
    """Somebody else's change or name is in the way."""

    status = 409
    code = "CONFLICT"
    fix = "Look at the current state and try again."


class Invalid(ActionRefused):
    """A value is unusable."""

    status = 422
    code = "VALIDATION_ERROR"
    fix = "Correct the fields that `details` names."

    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        super().__init__(message)
        self.problems = problems
