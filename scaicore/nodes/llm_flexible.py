"""The free answer: one chat with a language model, whose text or JSON is the node's result."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunFailed, SourceUnreadable
from scaicore.flow import ModelRole
from scaicore.jsondata import Json
from scaicore.language.json_schemas import AnswerSchema
from scaicore.language.templates import Template
from scaicore.messages import Message
from scaicore.nodes import llm_call
from scaicore.nodes.agents import checks, loop, tools
from scaicore.nodes.agents.tools import MOST_TOOLS, AgentTool, OwnTool, Turns
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.nodes.prompt import Prompt
from scaicore.program import RESPONSE, Program
from scaicore.services import ModelCall, ServiceFailed

_SHARE: Final = 0.95


class Fallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text, a template, that is used when there is no answer."""

    fallback: Annotated[
        str, field("Fallback", "The text that is used instead; a template.", "I cannot answer this now.", "template")
    ]


class Example(msgspec.Struct, frozen=True):
    """What was asked and what a good answer is; what is not text is shown as JSON."""

    input: Annotated[Any, field("Input", "What is asked.", "Where is my parcel?")]
    output: Annotated[Any, field("Output", "A good answer to it.", "shipping")]


class Budget(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer may cost at most."""

    max_tokens: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        field("Max tokens", "The longest answer, in tokens of the model.", 500),
    ] = None


class LlmFlexible(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`goal`, `guidance` and `constraints` are templates; bindings are paths into the scope. `input_bindings` replace
    the caller's last message, `context_bindings` go into the system text. `output_schema` makes the result JSON. With
    `client_tools` the model may call the caller's tools: a call ends the turn, and its results go on here. `tools` are
    the flow's own: they run here, and the model is asked again, at most `max_turns` times in all."""

    goal: Annotated[
        str, field("Goal", "What the model is to do; a template.", "Answer as {{state.company}}.", "template")
    ] = ""
    llm_role: Annotated[
        str | None, field("LLM role", "Which of the flow's models answers; left out, the first.", "main")
    ] = None
    guidance: Annotated[
        str | None, field("Guidance", "How to do it: tone, steps, what to mind; a template.", "Be brief.", "template")
    ] = None
    constraints: Annotated[
        list[str],
        field("Constraints", "What it must keep to, one rule each; templates.", ["Name no prices."], "template"),
    ] = []
    examples: Annotated[
        list[Example],
        field("Examples", "Questions with good answers.", [{"input": "Where is my parcel?", "output": "shipping"}]),
    ] = []
    input_bindings: Annotated[
        dict[str, str],
        field(
            "Input bindings", "Paths of what is asked in place of the caller's message.", {"text": "fetch.text"}, "path"
        ),
    ] = {}
    context_bindings: Annotated[
        dict[str, str],
        field(
            "Context bindings", "Paths of what the model is to know beside its goal.", {"notes": "state.notes"}, "path"
        ),
    ] = {}
    output_schema: Annotated[
        dict[str, Any] | None,
        field(
            "Output schema",
            "The JSON Schema that the answer must fit; the result is then JSON.",
            {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]},
        ),
    ] = None
    include_history: Annotated[
        bool, field("Include history", "The model reads the conversation, not its last message alone.", example=True)
    ] = True
    client_tools: Annotated[
        bool, field("Client tools", "The model may call the tools that callers bring.", example=True)
    ] = False
    tools: Annotated[
        list[AgentTool],
        msgspec.Meta(max_length=MOST_TOOLS),
        field(
            "Tools",
            "Nodes of the flow, and tools of MCP servers, that the model may call.",
            [{"node": "weather", "name": "weather", "description": "The weather of a town."}],
        ),
    ] = []
    max_turns: Annotated[
        Turns, field("Max turns", "How often the model is asked at most while it calls tools of the flow.", 8)
    ] = loop.MAX_TURNS
    on_failure: Annotated[
        Literal["fail"] | Fallback,
        field("On failure", "What happens without an answer: the run fails, or a text stands in.", "fail"),
    ] = "fail"
    budget: Annotated[Budget, field("Budget", "What an answer may cost at most.", {"max_tokens": 500})] = Budget()


@dataclass(frozen=True, slots=True)
class ModelChat:
    """A node's chat with its language model, prepared once per program."""

    config: LlmFlexible
    model: ModelRole
    prompt: Prompt
    schema: AnswerSchema | None
    streams: bool
    tools: tuple[OwnTool, ...]

    async def answer(self, node_run: NodeRun) -> Json:
        """The answer, as text or checked JSON; ServiceFailed or RunFailed when there is none."""
        if node_run.services.models is None:
            raise RunFailed("no_models")
        text, messages = await self._ask(node_run, self.prompt.messages(node_run))
        if self.schema is None or node_run.tool_calls:
            return text
        value, wrong = self.schema.read(text)
        if wrong:
            # Models often get a schema right once they read what was wrong; a third try rarely helps and costs as much.
            text, _ = await self._ask(node_run, [*messages, *_repair(text, wrong)])
            value, wrong = (text, "") if node_run.tool_calls else self.schema.read(text)
        if wrong:
            raise RunFailed("output_unfit")
        return value

    async def _ask(self, node_run: NodeRun, messages: list[Message]) -> tuple[str, list[Message]]:
        """The text, and the messages that led to it: calls of the flow's own tools and their results come to them."""
        is_reply = self.schema is None and (node_run.emit_text is not None or self.config.result_binding == RESPONSE)
        # What a caller asks of the reply, such as its temperature, is not meant for the nodes that prepare it.
        caller = node_run.scope.get("params") if is_reply else None
        params = llm_call.params(self.model, self.config.budget.max_tokens, caller)
        if self.config.client_tools:
            params |= llm_call.offers(node_run.scope.get("params"))
        if self.schema is not None:
            wanted = {"name": "output", "schema": self.schema.source}
            params["response_format"] = {"type": "json_schema", "json_schema": wanted}
        # The fallback must still fit into the node's own time, so the model gets a little less than all of it.
        share = _SHARE if isinstance(self.config.on_failure, Fallback) else 1
        call = ModelCall(llm_call.choices(self.model), messages, params, node_run.remaining() * share)
        own = await self._own_tools(node_run, params)
        if not own:
            return await llm_call.ask(node_run, call, streams=self.streams, is_reply=is_reply), messages
        turns = self.config.max_turns
        return await loop.ask(node_run, call, own, max_turns=turns, streams=self.streams, is_reply=is_reply)

    async def _own_tools(self, node_run: NodeRun, params: dict[str, Any]) -> dict[str, OwnTool]:
        """The flow's own tools by name. A caller who wants a tool of his called now gets no other."""
        if not self.config.tools or params.get("tool_choice", "auto") not in ("auto", "none"):
            return {}
        plugins = await tools.find_plugins(self.config.tools, node_run)
        return {tool.name: tool for tool in (*self.tools, *plugins)}


def prepare_chat(config: LlmFlexible, program: Program, *, streams: bool) -> ModelChat:
    """The chat that a config describes; it streams only where its first word is final."""
    model = llm_call.role(program, config.llm_role)
    constraints = "Constraints:\n" + "\n".join(f"- {text}" for text in config.constraints)
    prompt = Prompt(
        model,
        texts=(config.goal, config.guidance or "", constraints if config.constraints else ""),
        examples=[(example.input, example.output) for example in config.examples],
        inputs=config.input_bindings,
        context=config.context_bindings,
        has_history=config.include_history,
        has_calls=config.client_tools,
        schema=config.output_schema,
    )
    schema = None if config.output_schema is None else AnswerSchema(config.output_schema)
    own = tuple(tools.prepare(config.tools, program))
    return ModelChat(config, model, prompt, schema, streams and schema is None, own)


def with_fallback(config: LlmFlexible, work: Work) -> Work:
    """The work, or the fallback of its `on_failure`; what was already streamed cannot be taken back."""
    if not isinstance(config.on_failure, Fallback):
        return work
    fallback = Template(config.on_failure.fallback)

    async def answer(node_run: NodeRun) -> Json:
        try:
            return await work(node_run)
        except (ServiceFailed, RunFailed) as problem:
            # Without any model the flow is set up wrongly, which a fallback would hide from its owner.
            if node_run.has_streamed or getattr(problem, "reason", "") == "no_models":
                raise
            node_run.warnings.append("The model gave no usable answer; the fallback was used.")
            node_run.provider_errors.extend(filter(None, [problem.said]))
            node_run.finish_reason, node_run.refusal, node_run.tool_calls = "stop", "", ()
            return node_run.fill(fallback)

    return answer


def _repair(text: str, wrong: str) -> list[Message]:
    correction = f"That does not fit the JSON Schema: {wrong}. Answer again, with the JSON alone."
    return [{"role": "assistant", "content": text}, {"role": "user", "content": correction}]


def _prepare(config: LlmFlexible, program: Program) -> Work:
    return with_fallback(config, prepare_chat(config, program, streams=True).answer)


def check_chat(config: LlmFlexible, check: NodeCheck) -> Iterator[Diagnostic]:
    """What every chat with a model needs: a model, and texts, paths and a schema that can be read."""
    if config.llm_role is None and not check.flow.models:
        message = "it asks a language model, but the flow has none. Add one under Language models."
        yield check.error("undeclared_model_role", message, "llm_role")
    if config.llm_role is not None and config.llm_role not in {model.role for model in check.flow.models}:
        message = f"it uses the model role `{config.llm_role[:80]}`, which no model of the flow has."
        yield check.error("undeclared_model_role", f"{message} Add one under Language models.", "llm_role")
    yield from check.template(config.goal, "goal")
    yield from check.template(config.guidance or "", "guidance")
    for index, text in enumerate(config.constraints):
        yield from check.template(text, f"constraints[{index}]")
    for key in ("input_bindings", "context_bindings"):
        for name, path in getattr(config, key).items():
            yield from check.path(path, f"{key}.{name}")
    if isinstance(config.on_failure, Fallback):
        yield from check.template(config.on_failure.fallback, "on_failure.fallback")
    if config.client_tools and not config.include_history:
        message = "it calls the caller's tools, whose results come with the conversation; switch `include_history` on."
        yield check.error("client_tools_unheard", message, "client_tools")
    yield from checks.check(config.tools, check)
    if config.output_schema is not None:
        yield from _check_schema(config.output_schema, check)


def _check_schema(source: dict[str, Any], check: NodeCheck) -> Iterator[Diagnostic]:
    try:
        AnswerSchema(source)
    except SourceUnreadable as problem:
        yield check.error("bad_schema", f"the `output_schema` cannot be used. {problem}", "output_schema")


LLM_FLEXIBLE = NodeKind(
    kind="llm_flexible",
    label="Model reply",
    category="llm",
    summary="Asks a language model; its text, or JSON by a schema, is the result.",
    config=LlmFlexible,
    prepare=_prepare,
    check=check_chat,
    waits=True,
    replies=True,
)
