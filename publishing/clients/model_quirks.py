"""What a model server turned out not to take: learned from its refusals, and remembered by this process.

options = quirks.recall(key, asked)
…                                          # ProviderRefused
changed = quirks.adapt(options, refused, body)
…                                          # the answer came
quirks.learn(key, asked, changed)
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from publishing.clients.model_refusals import ProviderRefused
from publishing.clients.model_requests import LIMITS
from scaicore.model_options import ModelOptions, OptionalField

MOST_REMEMBERED: Final = 2_000
# Servers say these of a field; of anything else, no field is at fault. llama.cpp says 500 where its template refuses.
STATUSES: Final = frozenset((None, 400, 415, 422, 500, 501))

# Without these an answer is still one to the question; `response_format` and the like are for people to leave out.
_LEFT_OUT: Final[tuple[OptionalField, ...]] = (
    "top_p",
    "temperature",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "seed",
    "reasoning_effort",
    "verbosity",
    "stop",
)
_COMMON_WORDS: Final = frozenset(("stop", "seed", "stream"))  # names that sentences hold without meaning the field
_REFUSED: Final = re.compile(
    r"unsupported|not (currently |yet )?support|n't support|not (be )?(permitted|allowed|available|recogni|implemented)"
    r"|n't (allowed|permitted|available)|unrecogni|unknown|unexpected|extra (input|field|propert)|additional propert"
    r"|only (the )?default|only supports?|may only|only \S+ (is|are) (allowed|supported)|deprecated|no longer|verified"
    r"|cannot both|not a valid|incompatible|forbidden|must be (set to )?(1|false)\b(?!\.)"
    r"|invalid (argument|field|parameter|key)"
)
_TURNS: Final = re.compile(
    r"must alternate|should (be )?alternat|alternate between|alternating|roles? in a row"
    r"|consecutive (user|assistant|message)|(start|begin)s? with a? ?'?user|first message must (be|use)"
)
_ROLE: Final = re.compile(
    r"'?(system|developer)'?.{0,40}(role|message|prompt|instruction)|role.{0,60}'?(system|developer)'?"
    r"|support '(system|developer)'|'(system|developer)' is not one of|messages?[\[.]\d+\]?\.role"
    r"|only user(,)? (and|or|,) ?assistant"
)
_ROLE_REFUSED: Final = re.compile(
    rf"{_REFUSED.pattern}|not one of|should be|must be (one of|either|')|invalid|are supported|cannot (be|have)"
)
_TEMPLATE: Final = re.compile(r"jinja|template|raise_exception")


class Remembered(NamedTuple):
    """What is learned is learned of: a tenant's provider at this address, a model of it, and how it was to be asked."""

    tenant: str
    ref: str
    base_url: str
    model: str


_known: OrderedDict[tuple[Remembered, ModelOptions], ModelOptions] = OrderedDict()


def recall(key: Remembered, asked: ModelOptions) -> ModelOptions:
    """The options under which the model answered the last time; `asked` itself when nothing else is known."""
    return _known.get((key, asked), asked)


def learn(key: Remembered, asked: ModelOptions, found: ModelOptions) -> None:
    """Remember that the model answered when it was asked by `found` in place of `asked`."""
    if found == asked:
        return
    _known[key, asked] = found
    _known.move_to_end((key, asked))
    if len(_known) > MOST_REMEMBERED:
        _known.popitem(last=False)


def forget(tenant: str, ref: str) -> None:
    """Forget what was learned of a provider."""
    for known in [known for known in list(_known) if known[0][:2] == (tenant, ref)]:
        _known.pop(known, None)


def adapt(options: ModelOptions, refused: ProviderRefused, sent: Mapping[str, Any]) -> ModelOptions | None:
    """The options without what was refused; None when that is nothing that can be left out of `sent`."""
    if refused.status not in STATUSES or refused.reason in ("too_long", "filtered", "quota_exhausted"):
        return None
    if refused.status == 500 and not _TEMPLATE.search(refused.words) and not _TURNS.search(refused.words):
        return None  # a failure, whatever words stand in it
    for rule in _RULES:
        changed = rule(options, refused, sent)
        if changed is not None and changed != options:
            return changed
    return None


def difference(before: ModelOptions, after: ModelOptions) -> str:
    """The field of a request in which two sets of options differ, in the protocol's own word."""
    words = {"stream_usage": "stream_options", "system_role": "messages[].role", "alternate_roles": "messages"}
    if left_out := set(after.omit) - set(before.omit):
        return min(left_out)
    if after.max_tokens_field != before.max_tokens_field:
        return next(name for name in LIMITS if name != after.max_tokens_field)
    option = next(name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name))
    return words.get(option, option)


Rule = Callable[[ModelOptions, ProviderRefused, Mapping[str, Any]], ModelOptions | None]


def _turns(options: ModelOptions, refused: ProviderRefused, _sent: Mapping[str, Any]) -> ModelOptions | None:
    return msgspec.structs.replace(options, alternate_roles=True) if _TURNS.search(refused.words) else None


def _usage(options: ModelOptions, refused: ProviderRefused, sent: Mapping[str, Any]) -> ModelOptions | None:
    is_named = "stream_options" in refused.words or "include_usage" in refused.words
    return msgspec.structs.replace(options, stream_usage=False) if is_named and "stream_options" in sent else None


def _stream(options: ModelOptions, refused: ProviderRefused, sent: Mapping[str, Any]) -> ModelOptions | None:
    is_meant = _is_named("stream", refused) or re.search(r"\bstream(ing|ed)?\b", refused.words)
    is_refused = sent.get("stream") and is_meant and _REFUSED.search(refused.words)
    return msgspec.structs.replace(options, stream=False) if is_refused else None


def _limit(options: ModelOptions, refused: ProviderRefused, sent: Mapping[str, Any]) -> ModelOptions | None:
    one, other = LIMITS if LIMITS[0] in sent else LIMITS[::-1]
    if one not in sent or not _is_named(one, refused) or not _REFUSED.search(refused.words):
        return None
    return msgspec.structs.replace(options, max_tokens_field=cast(Any, other))


def _role(options: ModelOptions, refused: ProviderRefused, sent: Mapping[str, Any]) -> ModelOptions | None:
    """From `developer` to `system`, from there to `user`; to `developer` where the server itself says so."""
    role = next((said["role"] for said in sent["messages"] if said["role"] in ("system", "developer")), None)
    if role is None or not _ROLE.search(refused.words) or not _ROLE_REFUSED.search(refused.words):
        return None
    is_hinted = role == "system" and re.search(r"use '?developer", refused.words)
    following = "system" if role == "developer" else "developer" if is_hinted else "user"
    return msgspec.structs.replace(options, system_role=cast(Any, following))


def _field(options: ModelOptions, refused: ProviderRefused, sent: Mapping[str, Any]) -> ModelOptions | None:
    if not _REFUSED.search(refused.words):
        return None
    found = next((name for name in _LEFT_OUT if name in sent and _is_named(name, refused)), None)
    return None if found is None else msgspec.structs.replace(options, omit=tuple(sorted({*options.omit, found})))


_RULES: Final[tuple[Rule, ...]] = (_turns, _usage, _limit, _field, _stream, _role)


def _is_named(field: str, refused: ProviderRefused) -> bool:
    """Whether the refusal is about the field; a word that sentences also hold counts in quotes or in a path alone."""
    if refused.field in (field, f"body.{field}"):
        return True
    marked = rf"(?:'|body\.|\bparameter:? |\bfield:? |\bargument:? ){field}\b"
    bare = rf"(?<![\w.-]){field}(?![\w-])"
    return re.search(marked if field in _COMMON_WORDS else f"{marked}|{bare}", refused.words) is not None
