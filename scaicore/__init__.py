"""The flow runtime: a library that compiles flow documents and runs them. It knows no web framework and no database.

compile(document) → Compilation(program, diagnostics)      at deploy
load(stored program) → Runnable                            once per Core version
DRIVERS["flow"].run(RunRequest(...)) → events              at each call
"""

from scaicore.compiler import Compilation, compile
from scaicore.diagnostics import CODES, Diagnostic
from scaicore.document import (
    Properties,
    is_semver,
    new_document,
    next_version,
    outline,
    properties,
    with_properties,
)
from scaicore.drivers import DRIVERS
from scaicore.errors import ProgramUnreadable, RunFailed, RunTimedOut, ScaicoreError
from scaicore.flow import EntityScope, InstanceMode
from scaicore.nodes import KINDS, UNAVAILABLE, describe, entered_by
from scaicore.program import Program, Remote
from scaicore.runtime.linker import Runnable, link, load
from scaicore.runtime.protocol import (
    Driver,
    Event,
    Finished,
    NodeFailed,
    NodeFinished,
    NodeStarted,
    Origin,
    RunRequest,
    TextDelta,
    Usage,
    collect,
    response_text,
)
from scaicore.services import Services, ToolCall, ToolCallPart
from scaicore.traces import traced

__all__ = [
    "CODES",
    "DRIVERS",
    "KINDS",
    "UNAVAILABLE",
    "Compilation",
    "Diagnostic",
    "Driver",
    "EntityScope",
    "Event",
    "Finished",
    "InstanceMode",
    "NodeFailed",
    "NodeFinished",
    "NodeStarted",
    "Origin",
    "Program",
    "ProgramUnreadable",
    "Properties",
    "Remote",
    "RunFailed",
    "RunRequest",
    "RunTimedOut",
    "Runnable",
    "ScaicoreError",
    "Services",
    "TextDelta",
    "ToolCall",
    "ToolCallPart",
    "Usage",
    "collect",
    "compile",
    "describe",
    "entered_by",
    "is_semver",
    "link",
    "load",
    "new_document",
    "next_version",
    "outline",
    "properties",
    "response_text",
    "traced",
    "with_properties",
]
