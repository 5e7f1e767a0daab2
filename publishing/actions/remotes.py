"""What an admin says about a Core whose program lives elsewhere, and what is stored of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import scaicore
from identity.errors import Invalid, Problem
from publishing import vault
from publishing.actions import addresses
from publishing.actions.base import UNCHANGED, Unchanged
from publishing.clients import remote_cores
from publishing.models import Core
from scaicore import EntityScope, InstanceMode
from scaicore.capabilities import CAPABILITIES, canonical

DRIVER = "remote"
TIMEOUT_S = 60.0
_SECRET = re.compile(r"[\x21-\x7e]{16,1000}")


@dataclass(frozen=True)
class RemoteProgram:
    """Where the program lives and how its Core remembers. A secret that is left out stays, an empty one is removed."""

    url: str
    secret: str | Unchanged = field(default=UNCHANGED, repr=False)
    timeout_s: float = TIMEOUT_S
    instance_mode: InstanceMode = "stateless"
    entity_scope: EntityScope = "user"
    capabilities: Sequence[str] = ()


def program(remote: RemoteProgram, *, name: str) -> scaicore.Program:
    """The program of the next Core version; `Invalid` when its URL is one that is not called from here."""
    url = addresses.clean_url(remote.url, field="remote.url", title="The URL is unusable.")
    capabilities = _clean_capabilities(remote.capabilities)
    return scaicore.Program.elsewhere(
        name,
        scaicore.Remote(url, remote.timeout_s),
        instance_mode=remote.instance_mode,
        entity_scope=remote.entity_scope,
        capabilities=capabilities,
    )


def sealed_secret(core: Core, remote: RemoteProgram) -> bytes | None:
    """What the Core's calls are signed with from now on. A secret that was given for another server is not kept."""
    if isinstance(remote.secret, Unchanged):
        if core.sealed_secret is not None and _moves(core, remote):
            raise Invalid(
                "The secret was given for another server.",
                [Problem("remote.secret", "Send the secret again, or an empty one to call this server unsigned.")],
            )
        return None if core.sealed_secret is None else bytes(core.sealed_secret)
    if not remote.secret:
        return None
    if not _SECRET.fullmatch(remote.secret):
        raise Invalid(
            "The secret is unusable.",
            [Problem("remote.secret", "Send a secret of 16 to 1000 visible ASCII characters, without spaces.")],
        )
    return vault.seal(remote.secret, context=remote_cores.secret_context(core.tenant_id, core.pk))


def audit_view(core: Core) -> dict[str, Any] | None:
    """What anybody may see of the program elsewhere: whether there is a secret, never the secret."""
    stored = core.live.program.get("remote") if core.live else None
    if stored is None:
        return None
    return {"url": stored["url"], "timeout_s": stored["timeout_s"], "has_secret": core.sealed_secret is not None}


def _clean_capabilities(words: Sequence[str]) -> tuple[str, ...]:
    """What the program says that it can do; it answers with a text, so it calls no tools."""
    known = [name for name in CAPABILITIES if name != "tools"]
    given = canonical(words)
    if unknown := [name for name in given if name not in known]:
        message = f"`{unknown[0][:80]}` is none that a program elsewhere can have. Those that there are: "
        problem = Problem("remote.capabilities", message + ", ".join(f"`{name}`" for name in known) + ".")
        raise Invalid("A capability is unusable.", [problem])
    return tuple(name for name in known if name in given)


def _moves(core: Core, remote: RemoteProgram) -> bool:
    known = audit_view(core)
    return known is not None and addresses.destination(known["url"]) != addresses.destination(remote.url.strip())
