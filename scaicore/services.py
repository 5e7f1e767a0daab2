"""What nodes may use of the world outside, as Protocols. Whoever starts a run passes the clients in; a run without one
of them fails at the node that needs it."""

from collections.abc import AsyncGenerator, Collection
from typing import Any, ClassVar, Final, Literal, Protocol

import msgspec

from scaicore.model_options import NO_OPTIONS, ModelOptions

Reason = Literal[
    "unreachable",  # no connection, or it broke before an answer
    "refused_address",  # the address is one that this installation does not call
    "timed_out",
    "rate_limited",  # 429
    "quota_exhausted",  # 429 until somebody pays
    "overloaded",  # 503
    "upstream_failed",  # another 5xx, or an answer that cannot be read: HTML, half a stream
    "denied",  # 401, 402, 403: the key or the account is not good for this
    "missing",  # 404, 405, 410: no such model, or not at this URL
    "rejected",  # another 4xx: what is asked is at fault, and asking again would not help
    "too_long",  # the conversation is longer than the model takes
    "filtered",  # a content filter held back the question or the answer
    "no_text",  # an answer without a word in it
    "too_large",
    "unconfigured",  # no such provider, Core or secret
]
# What every provider would refuse: the question itself is at fault.
_FINAL: Final[frozenset[Reason]] = frozenset(("rejected", "too_long"))
# What may be otherwise at the next try.
MAY_PASS: Final[frozenset[Reason]] = frozenset(
    ("unreachable", "timed_out", "rate_limited", "overloaded", "upstream_failed", "no_text")
)


class ServiceFailed(Exception):
    """A service could not do what it was asked to. The text is a fixed sentence without any address, key or answer.

    `said` is what the service said of it, cut and cleaned of secrets, for admins and the log alone. `retry_after_s` is
    how many seconds it asks to wait. `is_final`: whether any other provider would refuse the same.
    """

    def __init__(
        self, reason: Reason, *, said: str = "", retry_after_s: float | None = None, is_final: bool | None = None
    ) -> None:
        super().__init__(f"A service that the flow calls did not answer as it should ({reason}).")
        self.reason = reason
        self.said = said
        self.retry_after_s = retry_after_s
        self.is_final = reason in _FINAL if is_final is None else is_final


class ModelChoice(msgspec.Struct, frozen=True):
    """A model of a provider; `ref` names the provider, `options` stand over the provider's own."""

    ref: str
    model: str
    options: ModelOptions = NO_OPTIONS

    def __str__(self) -> str:
        return f"{self.ref}/{self.model}"


class ModelCall(msgspec.Struct, frozen=True):
    """A chat with a language model. `choices` are tried in order until the first token; `params` are the sampling
    fields of OpenAI's chat completions (`temperature`, `max_tokens`, `stop`, `response_format`, …). Only where `tools`
    are among them may the answer hold calls."""

    choices: tuple[ModelChoice, ...]
    messages: list[dict[str, Any]]
    params: dict[str, Any] = {}
    timeout_s: float | None = None


# Text of a response, the words in which a model declines, or what it thinks before, which is no part of the response.
FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]
TextKind = Literal["content", "refusal", "thought"]


class ModelText(msgspec.Struct, frozen=True, tag=True):
    """More text of the answer."""

    text: str


class ModelThought(msgspec.Struct, frozen=True, tag=True):
    """More of what the model thinks before it answers; comes only where the options pass it on."""

    text: str


class ModelRefusal(msgspec.Struct, frozen=True, tag=True):
    """More of the words in which the model declines to answer."""

    text: str


class ToolCallPart(msgspec.Struct, frozen=True, tag=True):
    """More of a call of one of the caller's tools. `id` and `name` come with its first part, the arguments' JSON text
    in pieces; `index` tells the calls of one answer apart."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""

    kind: ClassVar[Literal["tool_call"]] = "tool_call"  # beside those of text


class ToolCall(msgspec.Struct, frozen=True):
    """A whole call of one of the caller's tools; `arguments` is the text that the model wrote, JSON or not."""

    id: str
    name: str
    arguments: str

    def as_message_part(self) -> dict[str, Any]:
        """As it stands in an assistant's message."""
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


class ModelEnd(msgspec.Struct, frozen=True, tag=True):
    """The end of the answer. Tokens are the provider's own figures; None when it gave none. `failures` are what the
    choices before this one said, for admins alone."""

    finish_reason: FinishReason
    prompt_tokens: int | None
    completion_tokens: int | None
    failures: tuple[str, ...] = ()


ModelPart = ModelText | ModelThought | ModelRefusal | ToolCallPart | ModelEnd


class ModelClient(Protocol):
    """Talks to language models."""

    def stream(self, call: ModelCall) -> AsyncGenerator[ModelPart]:
        """The answer as it comes, ended by exactly one `ModelEnd`. Raises `ServiceFailed` when there is none, which is
        also when it holds neither text nor refusal nor calls; closing it hangs up."""
        ...


class HttpCall(msgspec.Struct, frozen=True):
    """A request to somebody else's server, with its secrets filled in."""

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


class PluginTool(msgspec.Struct, frozen=True):
    """A tool of a plugin server, as an admin has accepted it."""

    name: str
    description: str
    input_schema: dict[str, Any]


class PluginCall(msgspec.Struct, frozen=True):
    """A call of a tool; `args` fit its schema."""

    plugin: str
    method: str
    args: dict[str, Any]
    timeout_s: float


class PluginAnswer(msgspec.Struct, frozen=True):
    """What the tool gave: its text, and its structured content, if any. `is_error`: it says that it failed."""

    text: str
    data: Any = None
    is_error: bool = False


class PluginClient(Protocol):
    """Calls tools of the plugin servers that the flow's tenant has registered. None of what comes back is trusted."""

    async def find(self, plugin: str, methods: Collection[str]) -> dict[str, PluginTool]:
        """Those of the tools that may be used now. Raises `ServiceFailed("unconfigured")` without such a server."""
        ...

    async def call(self, call: PluginCall) -> PluginAnswer:
        """What the tool gives. Raises `ServiceFailed`."""
        ...


class RemoteCall(msgspec.Struct, frozen=True):
    """A call of a Core that runs elsewhere. `core_id` tells whose secret signs it, `at` when (seconds since 1970)."""

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
    """Calls programs that run elsewhere."""

    def stream(self, call: RemoteCall) -> AsyncGenerator[RemoteText | RemoteEnd]:
        """The answer as it comes, ended by exactly one `RemoteEnd`. Raises `ServiceFailed`; closing it hangs up."""
        ...


class Services(msgspec.Struct, frozen=True):
    """Everything that nodes may use, passed in by whoever starts the run."""

    models: Any = None  # a `ModelClient`; msgspec does not check Protocols
    http: Any = None  # an `HttpClient`
    cores: Any = None  # a `CoreClient`
    plugins: Any = None  # a `PluginClient`
    remotes: Any = None  # a `RemoteClient`
    depth: int = 0  # how many Cores called each other before this run
    budget: Any = None  # the `RequestBudget` of the request that this run belongs to; a run without one gets its own
