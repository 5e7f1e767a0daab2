"""What may be refused when a flow is saved, deployed or published, and how REST answers it.

identity.errors.ActionRefused
├── NotFound
│   ├── CoreNotFound         the tenant has no such Core
│   ├── FlowNotFound         the tenant has no such flow
│   ├── NotPublished         the Core has no publication
│   ├── LimitNotFound        the tenant has no such limit
│   ├── McpServerNotFound    the tenant has no such MCP server
│   ├── ProviderNotFound     the tenant has no such model provider
│   └── SecretNotFound       the tenant has no such secret
├── Conflict
│   ├── StaleSave            somebody saved a newer version meanwhile
│   ├── SlugTaken            another Core of the tenant has this slug
│   ├── MemoryAtStake        the version would not read all that the live one remembers
│   ├── StaleForm            somebody changed what a form shows after the page was opened
│   ├── NotAgreed            what is asked for needs a yes that nobody has given
│   │   ├── WideningNotAgreed     somebody new could call
│   │   └── ForgettingNotAgreed   memories would go unread
│   ├── FlowTestsFailed      the flow is deployed only when its tests pass, and some do not
│   ├── StillPublished       the flow's Core is published
│   ├── PublicationHeld      staff hold the Core: it stays un-published, and is not deleted either
│   ├── McpServerExists      another MCP server of the tenant has this ref
│   ├── McpServerInUse       live Cores call the MCP server's tools
│   ├── McpToolsMoved        the list of tools is another than the one that was looked at
│   ├── ProviderExists       another model provider of the tenant has this ref
│   ├── ProviderInUse        live Cores call the model provider
│   ├── SecretExists         another secret of the tenant has this name
│   └── SecretInUse          live Cores use the secret
├── Invalid
│   ├── DoesNotCompile       the saved document has errors; carries the diagnostics
│   │   └── DraftDoesNotCompile   the document that is to be tried has errors
│   └── InvalidJson          the body is not a JSON object that can be kept (in strict_json.py)
└── BaseVersionMissing       a save does not say which version it is based on
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

import scaicore
from identity.errors import ActionRefused, Conflict, Invalid, NotFound, Problem


class CoreNotFound(NotFound):
    """The tenant has no such Core."""

    code = "CORE_NOT_FOUND"
    message = "The Core does not exist."
    fix = "List the Cores of your tenant for their ids."


class FlowNotFound(NotFound):
    """The tenant has no such flow."""

    code = "FLOW_NOT_FOUND"
    message = "The flow does not exist."
    fix = "List the flows of your tenant for their ids."


class NotPublished(NotFound):
    """The Core has no publication."""

    code = "NOT_PUBLISHED"
    message = "The Core is not published."
    fix = "Publish the Core first."


class LimitNotFound(NotFound):
    """The tenant has no such limit."""

    message = "The limit does not exist."


class McpServerNotFound(NotFound):
    """The tenant has no such MCP server."""

    message = "The MCP server does not exist."


class ProviderNotFound(NotFound):
    """The tenant has no such model provider."""

    message = "The provider does not exist."


class SecretNotFound(NotFound):
    """The tenant has no such secret."""

    message = "The secret does not exist."


class StaleSave(Conflict):
    """Somebody saved a newer version meanwhile; theirs is kept, and so is what was sent."""

    code = "STALE_SAVE"
    fix = "Load the current version, apply your change to it, and save again."

    def __init__(self, *, current: str, based_on: str) -> None:
        super().__init__(f"This save is based on version {based_on}, but version {current} was saved since.")
        self.current = current

    def extras(self) -> dict[str, Any]:
        """The version to load."""
        return {"current_version": self.current}


class StaleForm(Conflict):
    """Somebody changed what a form shows after the page was opened; each of `changes` says what, in words."""

    def __init__(self, changes: Sequence[str]) -> None:
        changed = f"Somebody changed this after you opened the page: {'; '.join(changes)}."
        advice = (
            "Nothing was saved. What you did not touch shows the new values; save again to put your changes over them."
        )
        super().__init__(f"{changed} {advice}")


class NotAgreed(Conflict):
    """What is asked for needs a yes that nobody has given.

    `question` tells what it would do, with numbers; `yes` stands on the button that agrees to it.
    """

    def __init__(self, question: str, *, yes: str) -> None:
        super().__init__(f"{question} Nothing was saved yet.")
        self.question, self.yes = question, yes


class WideningNotAgreed(NotAgreed):
    """Somebody new could call; the question tells how many could before and after."""

    def __init__(self, question: str) -> None:
        super().__init__(question, yes="Save and widen access")


class ForgettingNotAgreed(NotAgreed):
    """Another version would leave memories unread; the question tells how many."""

    def __init__(self, question: str) -> None:
        super().__init__(question, yes="Save and leave them unread")


class SlugTaken(Conflict):
    """Another Core of the tenant has this slug."""

    code = "SLUG_CONFLICT"
    fix = "Choose another slug, or leave it out to have one made."

    def __init__(self, slug: str) -> None:
        super().__init__(f"Another Core has the slug {slug}.")


class FlowTestsFailed(Conflict):
    """The flow is deployed only when its tests pass, and some do not. `tests` are the failing ones as data: `name`,
    `message`, `expect`, `answer`, and `live_answer`, what the live version says to the same."""

    code = "TESTS_FAILED"
    fix = "Correct the flow or its tests, save, and deploy again."

    def __init__(self, tests: Sequence[dict[str, Any]], *, count: int) -> None:
        names = _shortened([str(test["name"]) for test in tests])
        super().__init__(f"{len(tests)} of {count} tests failed, so nothing was deployed: {names}.")
        self.tests = list(tests)

    def extras(self) -> dict[str, Any]:
        """The failing tests."""
        return {"tests": self.tests}


class StillPublished(Conflict):
    """The flow's Core is published, so deleting the flow would take a model from its callers."""

    code = "STILL_PUBLISHED"
    fix = "Un-publish its Core first."

    def __init__(self, name: str) -> None:
        super().__init__(f"The flow is published as {name}.")


class PublicationHeld(Conflict):
    """Staff hold the Core, so nobody publishes it, and only staff delete it, since it could be made again."""

    code = "PUBLICATION_HELD"
    fix = "Ask staff to lift the hold, then try again."

    def __init__(self, reason: str) -> None:
        super().__init__(f"Held by staff: {reason}")
        self.problems = [Problem("core_id", self.message)]


class McpServerExists(Conflict):
    """Another MCP server of the tenant has this ref."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"An MCP server with the ref {ref} exists already; change that one, or take another ref.")


class McpServerInUse(Conflict):
    """Live Cores call the MCP server's tools, so removing it would make their calls fail."""

    def __init__(self, cores: Sequence[str]) -> None:
        super().__init__(f"These Cores call its tools: {_shortened(cores)}. Deploy them without it first.")


class McpToolsMoved(Conflict):
    """The list of tools is another than the one that was looked at."""

    def __init__(self) -> None:
        super().__init__("The server or its list of tools has changed since you looked at it. Look at it again.")


class ProviderExists(Conflict):
    """Another model provider of the tenant has this ref."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"A provider with the ref {ref} exists already; change that one, or take another ref.")


class ProviderInUse(Conflict):
    """Live Cores call the model provider, so removing it would make their calls fail."""

    def __init__(self, cores: Sequence[str]) -> None:
        super().__init__(f"These Cores call the provider: {_shortened(cores)}. Deploy them without it first.")


class SecretExists(Conflict):
    """Another secret of the tenant has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A secret with the name {name} exists already; change that one, or take another name.")


class SecretInUse(Conflict):
    """Live Cores use the secret, so removing it would make their calls fail."""

    def __init__(self, cores: Sequence[str]) -> None:
        super().__init__(f"These Cores use the secret: {_shortened(cores)}. Deploy them without it first.")


class MemoryAtStake(Conflict):
    """The version would not read all that the live one remembers."""

    code = "MEMORY_AT_STAKE"
    fix = (
        "Send `accept_memory_change`: true to make it live all the same. Memories stay stored; a variable that is gone "
        "or of another type begins anew with the next call."
    )

    def __init__(self, memories: int) -> None:
        kept = "1 memory" if memories == 1 else f"{memories} memories"
        super().__init__(
            f"The live version keeps {kept} that the other would not read whole: its instance mode, entity scope or "
            "variables differ."
        )


class DoesNotCompile(Invalid):
    """The saved document has errors; the live version, if any, goes on answering."""

    api = (400, "compile_error")
    fix = "Correct what `diagnostics` names."

    def __init__(self, diagnostics: Sequence[scaicore.Diagnostic]) -> None:
        errors = [found for found in diagnostics if found.severity == "error"]
        super().__init__(errors[0].message, [Problem(found.path or "content", found.message) for found in errors])
        self.diagnostics = list(diagnostics)

    def extras(self) -> dict[str, Any]:
        """Every diagnostic, warnings included, with the node or edge at fault."""
        return {"diagnostics": msgspec.to_builtins(self.diagnostics)}


class DraftDoesNotCompile(DoesNotCompile):
    """The document that is to be tried has errors; nothing ran."""

    api = (422, "compile_error")


class BaseVersionMissing(ActionRefused):
    """A save does not say which version it is based on."""

    status = 428
    code = "BASE_VERSION_REQUIRED"
    message = "The save does not say which version it is based on."
    fix = "Send that version as `base_version`, or as the `If-Match` header."


def _shortened(slugs: Sequence[str]) -> str:
    return ", ".join([*slugs[:5], "…"] if len(slugs) > 5 else slugs)
