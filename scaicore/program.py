"""The compiled program of a Core version: plain data that never changes, stored with the version."""

from typing import Any, Final, Self

import msgspec

from scaicore.errors import ProgramUnreadable
from scaicore.flow import EntityScope, InstanceMode, ModelRole
from scaicore.jsondata import Json

FORMAT: Final = 1  # a program of another format is refused, not guessed at: its flow must be deployed again
RESPONSE: Final = "response"  # the name under which a result is the Core's answer
TOOL_CALLS: Final = "tool_calls"  # the name in an output of what the model asks of the caller


class ProgramNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node that the entry can reach, with the part of its config that its kind knows."""

    id: str
    kind: str
    label: str = ""
    config: dict[str, Any] = {}


class ProgramEdge(msgspec.Struct, frozen=True, omit_defaults=True):
    """An edge between two nodes; `condition` is a CEL text, `else`, or None on edges that are always taken."""

    id: str
    type: str
    source: str
    target: str
    source_port: str | None = None
    target_port: str | None = None
    condition: str | None = None


class ProgramVariable(msgspec.Struct, frozen=True):
    """A variable of the flow's memory with its first value."""

    name: str
    type: str
    default: Any


class PublishSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether and to whom the document wants to be published."""

    as_model: bool = False
    group_ids: tuple[str, ...] = ()


class Remote(msgspec.Struct, frozen=True):
    """Where the program of a Core that runs elsewhere is called. `timeout_s` bounds a whole call, in seconds."""

    url: str
    timeout_s: float = 60.0


class Program(msgspec.Struct, frozen=True):
    """A flow that compiled without an error, or, with `remote`, where to call a program that runs elsewhere."""

    name: str
    entry: str
    nodes: tuple[ProgramNode, ...]
    edges: tuple[ProgramEdge, ...]
    version: str = ""
    description: str = ""
    variables: tuple[ProgramVariable, ...] = ()
    models: tuple[ModelRole, ...] = ()
    instance_mode: InstanceMode = "stateless"
    entity_scope: EntityScope = "user"
    # Whether a chat front end's own prompts, for a title or tags, are kept out of the memory.
    recognises_hidden_prompts: bool = True
    publish: PublishSettings = PublishSettings()
    responders: tuple[str, ...] = ()  # the nodes whose text may be sent while they still write it
    writers: tuple[str, ...] = ()  # the nodes whose result may be the response
    tracing: bool = False  # whether the results of nodes are kept in the runs' traces
    capabilities: tuple[str, ...] = ()  # keys of `capabilities.CAPABILITIES`
    remote: Remote | None = None
    format: int = FORMAT

    @classmethod
    def elsewhere(
        cls,
        name: str,
        remote: Remote,
        *,
        instance_mode: InstanceMode = "stateless",
        entity_scope: EntityScope = "user",
        capabilities: tuple[str, ...] = (),
    ) -> Self:
        """The program of a Core that runs elsewhere: chat calls enter it as they enter a flow, and nothing follows."""
        entry = ProgramNode("entry", "entry_api")
        return cls(
            name,
            entry.id,
            (entry,),
            (),
            instance_mode=instance_mode,
            entity_scope=entity_scope,
            capabilities=capabilities,
            remote=remote,
        )

    def to_dict(self) -> dict[str, Json]:
        """Plain JSON data for storing; `from_dict` reads it back."""
        built: dict[str, Json] = msgspec.to_builtins(self)
        return built

    @classmethod
    def from_dict(cls, stored: object) -> Self:
        """The program from what `to_dict` gave; ProgramUnreadable for anything else or another format."""
        try:
            program = msgspec.convert(stored, cls)
        except (msgspec.ValidationError, RecursionError):
            raise ProgramUnreadable from None
        if program.format != FORMAT:
            raise ProgramUnreadable
        return program
