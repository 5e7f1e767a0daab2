"""How a model server wants to be asked: in what servers differ that all speak OpenAI's chat protocol."""

from typing import Final, Literal, get_args

import msgspec

# Fields of a call without which an answer is still one to the question.
OptionalField = Literal[
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "seed",
    "reasoning_effort",
    "verbosity",
    "stop",
    "response_format",
    "web_search_options",
]
OPTIONAL_FIELDS: Final = get_args(OptionalField)
Thinking = Literal["hide", "pass", "keep"]


class ModelOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a provider, or a model of a flow, sets; None leaves it open.

    `stream`: whether streams are asked for. `stream_usage`: whether `stream_options` is sent. `max_tokens_field`: the
    name under which a token limit is sent; left open, the one by which it came. `system_role`: the role of the flow's
    own text. `alternate_roles`: whether user and assistant must take turns, the user first. `omit`: fields never sent.
    `thinking`: what becomes of a model's thinking: hidden, passed on as `reasoning_content`, or kept in the text as it
    stands there. `starts_thinking`: whether answers begin inside the thinking, whose opening tag the server keeps.
    """

    stream: bool | None = None
    stream_usage: bool | None = None
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    system_role: Literal["system", "developer", "user"] | None = None
    alternate_roles: bool | None = None
    omit: tuple[OptionalField, ...] = ()
    thinking: Thinking | None = None
    starts_thinking: bool | None = None

    def over(self, others: "ModelOptions") -> "ModelOptions":
        """These options, and what they leave open from `others`; what either omits is omitted."""
        mine, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(others)
        left = {name: theirs[name] for name, value in mine.items() if value is None}
        return ModelOptions(**{**mine, **left, "omit": tuple(sorted({*self.omit, *others.omit}))})


NO_OPTIONS: Final = ModelOptions()
