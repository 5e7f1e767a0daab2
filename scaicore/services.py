"""What nodes may use of the world outside. The floors above bring the real things; a run without one of them fails
at the node that needs it."""

from collections.abc import AsyncGenerator
from typing import Any, Literal, Protocol

import msgspec

Reason = Literal[
    "unreachable",  # no connection, or it broke before an answer
    "refused_address",  # the address is one that this installation does not call
    "timed_out",
    "rate_limited",  # 429
    "upstream_failed",  # 5xx, or an answer that is none: HTML, garbage, half a stream
    "rejected",  # another 4xx: asking again would not help
    "too_large",
    "unconfigured",  # no such provider, Core or secret
]


class ServiceFailed(Exception):
    """A service did not do what it was asked to. The text is a fixed sentence: no address, key or answer in it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"A service that the flow calls did not answer as it should ({reason}).")
        self.reason = reason


class ModelChoice(msgspec.Struct, frozen=True):
    """A model of a provider; `ref` names the provider."""

    ref: str
    model: str


class ModelCall(msgspec.Struct, frozen=True):
    """A chat with a language model. `choices` are tried in order until the first token; `params` are the sampling
    fields of OpenAI's chat completions (`temperature`, `max_tokens`, `stop`, `response_format`, …)."""

    choices: tuple[ModelChoice, ...]
    messages: list[dict[str, Any]]
    params: dict[str, Any] = {}
    timeout_s: float | None = None


class ModelText(msgspec.Struct, frozen=True, tag=True):
    """More text of the answer."""

    text: str


class ModelEnd(msgspec.Struct, frozen=True, tag=True):
    """The end of the answer. Tokens are the provider's own figures; None when it gave none."""

    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None


class ModelClient(Protocol):
    """Talks to language models."""

    def stream(self, call: ModelCall) -> AsyncGenerator[ModelText | ModelEnd]:
        """The answer as it comes, ended by exactly one `ModelEnd`. Raises `ServiceFailed`; closing it hangs up."""
        ...


class HttpCall(msgspec.Struct, frozen=True):
    """A request to somebody else's server. `secrets` are header values named by reference, never their text."""

    method: str
    url: str
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    body: bytes | None = None
    timeout_s: float = 30.0


class HttpAnswer(msgspec.Struct, frozen=True):
    """What the server answered; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient(Protocol):
    """Makes requests that are checked: address, redirects, size, time."""

    async def send(self, call: HttpCall) -> HttpAnswer:
        """The answer, whatever its status. Raises `ServiceFailed` when there is none."""
        ...

    async def secret(self, ref: str) -> str:
        """The secret of the flow's tenant that `ref` names. Raises `ServiceFailed` when there is none."""
        ...


class CoreCall(msgspec.Struct, frozen=True):
    """A call of another Core. `instance_key` is its entity id, if it keeps memory; `depth` counts from 1."""

    tenant: str
    slug: str
    input: dict[str, Any]
    instance_key: str | None = None
    version: int | None = None
    timeout_s: float | None = None
    depth: int = 1


class CoreAnswer(msgspec.Struct, frozen=True):
    """What the other Core gave."""

    output: dict[str, Any]
    prompt_tokens: int | None
    completion_tokens: int | None


class CoreClient(Protocol):
    """Runs other Cores, with the rights of the one who called the first."""

    async def call(self, call: CoreCall) -> CoreAnswer:
        """The other Core's output. Raises `ServiceFailed("unconfigured")` when the caller may not call it."""
        ...


class RemoteCall(msgspec.Struct, frozen=True):
    """A call of a Core that lives elsewhere. `core_id` tells whose secret signs it, `at` when (seconds since 1970)."""

    core_id: str
    url: str
    body: dict[str, Any]
    at: float
    timeout_s: float


class RemoteText(msgspec.Struct, frozen=True, tag=True):
    """More text of the response."""

    text: str


class RemoteEnd(msgspec.Struct, frozen=True, tag=True):
    """The end of the answer. `output` lacks `response` when the texts before it were the response; `state` is None when
    the memory stays as it was; tokens are None when the other side counted none."""

    output: dict[str, Any]
    state: dict[str, Any] | None
    prompt_tokens: int | None
    completion_tokens: int | None


class RemoteClient(Protocol):
    """Calls programs that live elsewhere."""

    def stream(self, call: RemoteCall) -> AsyncGenerator[RemoteText | RemoteEnd]:
        """The answer as it comes, ended by exactly one `RemoteEnd`. Raises `ServiceFailed`; closing it hangs up."""
        ...


class Services(msgspec.Struct, frozen=True):
    """Everything that nodes may use, brought along by whoever starts the run."""

    models: Any = None  # a `ModelClient`; msgspec does not check Protocols
    http: Any = None  # an `HttpClient`
    cores: Any = None  # a `CoreClient`
    remotes: Any = None  # a `RemoteClient`
    depth: int = 0  # how many Cores called each other before this run
