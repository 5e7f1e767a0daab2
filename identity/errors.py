"""What may be refused when somebody changes something here.

ActionRefused
├── NotAllowed        the actor does not manage this tenant
│   └── KeyLimited    the key is limited to chosen models, and this is not the chat
├── NotFound          the thing does not exist in the actor's tenant
├── Conflict          somebody else's change or name is in the way
└── Invalid           a value is unusable; carries one problem for each field
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One unusable field and a sentence that says what to do."""

    field: str
    message: str


class ActionRefused(Exception):
    """A change was refused and nothing was changed; the text is fit for the person who asked."""


class NotAllowed(ActionRefused):
    """The actor does not manage this tenant."""

    def __init__(self, message: str = "Only an admin of this tenant may do that.") -> None:
        super().__init__(message)


class KeyLimited(NotAllowed):
    """The key is limited to chosen models, and this is not the chat."""

    def __init__(self) -> None:
        super().__init__("This key is limited to chosen models: it opens the chat alone.")


class NotFound(ActionRefused):
    """The thing does not exist, or exists in another tenant: the two read the same."""


class Conflict(ActionRefused):
    """Somebody else's change or name is in the way."""


class Invalid(ActionRefused):
    """A value is unusable."""

    def __init__(self, message: str, problems: list[Problem]) -> None:
        super().__init__(message)
        self.problems = problems
