"""What may be refused when a flow is saved, deployed or published.

identity.errors.ActionRefused
├── NotFound
│   ├── CoreNotFound         the tenant has no such Core
│   ├── FlowNotFound         the tenant has no such flow
│   ├── NotPublished         the Core has no publication
│   ├── ProviderNotFound     the tenant has no such model provider
│   └── SecretNotFound       the tenant has no such secret
├── Conflict
│   ├── StaleSave            somebody saved a newer version meanwhile
│   ├── SlugTaken            another Core of the tenant has this slug
│   ├── MemoryAtStake        the saved version would not read what the live one remembers
│   ├── StillPublished       the flow's Core is published
│   ├── ProviderExists       another model provider of the tenant has this ref
│   ├── ProviderInUse        live Cores call the model provider
│   └── SecretExists         another secret of the tenant has this name
└── Invalid
    └── DoesNotCompile       the saved document has errors; carries the diagnostics
"""

from __future__ import annotations

from collections.abc import Sequence

import scaicore
from identity.errors import Conflict, Invalid, NotFound, Problem


class CoreNotFound(NotFound):
    """The tenant has no such Core."""

    def __init__(self) -> None:
        super().__init__("The Core does not exist.")


class FlowNotFound(NotFound):
    """The tenant has no such flow."""

    def __init__(self) -> None:
        super().__init__("The flow does not exist.")


class NotPublished(NotFound):
    """The Core has no publication."""

    def __init__(self) -> None:
        super().__init__("The Core is not published.")


class ProviderNotFound(NotFound):
    """The tenant has no such model provider."""

    def __init__(self) -> None:
        super().__init__("The provider does not exist.")


class SecretNotFound(NotFound):
    """The tenant has no such secret."""

    def __init__(self) -> None:
        super().__init__("The secret does not exist.")


class StaleSave(Conflict):
    """Somebody saved a newer version meanwhile; theirs is kept, and so is what was sent."""

    def __init__(self, *, current: str, based_on: str) -> None:
        super().__init__(f"This save is based on version {based_on}, but version {current} was saved since.")
        self.current = current


class SlugTaken(Conflict):
    """Another Core of the tenant has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"Another Core has the slug {slug}.")


class StillPublished(Conflict):
    """The flow's Core is published, so deleting the flow would take a model from its callers."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The flow is published as {name}.")


class ProviderExists(Conflict):
    """Another model provider of the tenant has this ref."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"A provider with the ref {ref} exists already; change that one, or take another ref.")


class ProviderInUse(Conflict):
    """Live Cores call the model provider, so removing it would make their calls fail."""

    def __init__(self, cores: Sequence[str]) -> None:
        shown = ", ".join([*cores[:5], "…"] if len(cores) > 5 else cores)
        super().__init__(f"These Cores call the provider: {shown}. Deploy them without it first.")


class SecretExists(Conflict):
    """Another secret of the tenant has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A secret with the name {name} exists already; change that one, or take another name.")


class MemoryAtStake(Conflict):
    """The saved version would not read what the live one remembers; nothing is erased by it."""

    def __init__(self, memories: int) -> None:
        kept = "1 memory" if memories == 1 else f"{memories} memories"
        super().__init__(f"The live version keeps {kept} that the saved one would not read: its instance mode differs.")


class DoesNotCompile(Invalid):
    """The saved document has errors; the live version, if any, goes on answering."""

    def __init__(self, diagnostics: Sequence[scaicore.Diagnostic]) -> None:
        errors = [found for found in diagnostics if found.severity == "error"]
        super().__init__(errors[0].message, [Problem(found.path or "content", found.message) for found in errors])
        self.diagnostics = list(diagnostics)
