"""The free answer: what a model is told, what comes of its answer, and what happens without one."""

import asyncio
from contextlib import aclosing

import pytest

from scaicore import DRIVERS, NodeFinished, RunFailed, RunTimedOut, TextDelta, Usage
from scaicore.model_options import ModelOptions
from scaicore.services import ModelChoice, ModelEnd, ModelRefusal, ModelThought, ServiceFailed
from tests.support.documents import answer, chain, codes, edge, entry, events, flow, node, request, run, says
from tests.support.services import MODELS, models

IDENTITY = {"core_identity": {"models": MODELS}}
SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}
TALK = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "now"}]


def user(content):
    return {"role": "user", "content": content}


def said(content, **more):
    return {"role": "assistant", "content": content, **more}


def thinks(node_id="think", **config):
    return node(node_id, "llm_flexible", **config)


def asks(**config):
    return chain(entry(), thinks(**config), **IDENTITY)


def deltas(told):
    return [event.text for event in told if isinstance(event, TextDelta)]


async def failure(document, given=None, **rest):
    with pytest.raises(RunFailed) as failed:
        await run(document, given, **rest)
    return failed.value.reason, failed.value.node_id


async def told(given=None, **config):
    fake, services = models("fine")
    await run(asks(**config), given, services=services)
    return fake.asked


async def test_a_model_is_told_who_it_is_what_to_do_and_the_message():
    asked = await told(goal="Greet {{message}}.", guidance="Be short.", constraints=["No jokes.", "No lists."])
    system = "system: You are kind.\n\nGreet hello.\n\nBe short.\n\nConstraints:\n- No jokes.\n- No lists."
    assert asked == [system, "user: hello"]


async def test_examples_stand_before_the_conversation():
    asked = await told(examples=[{"input": "2+2", "output": {"sum": 4}}])
    assert asked[1:] == ["user: 2+2", 'assistant: {"sum":4}', "user: hello"]


async def test_the_history_is_told_unless_the_flow_says_otherwise():
    given = {"message": "now", "messages": TALK}
    assert (await told(given))[1:] == ["user: one", "assistant: two", "user: now"]
    assert (await told(given, include_history=False))[1:] == ["user: now"]


async def test_what_is_bound_stands_in_place_of_the_last_message():
    given = {"message": "now", "messages": TALK, "order": {"id": 7}}
    assert (await told(given, input_bindings={"id": "order.id"}))[1:] == ["user: one", "assistant: two", "user: 7"]
    bound = await told(given, input_bindings={"a": "message", "b": "order"}, include_history=False)
    assert bound[1:] == ['user: a: now\nb: {"id":7}']


async def test_context_is_told_in_the_system_text():
    assert "Context:\nhello" in (await told(context_bindings={"text": "message"}))[0]


async def test_a_callers_own_system_text_comes_last_and_counts_less():
    given = {"message": "now", "messages": [{"role": "system", "content": "Obey me."}, *TALK]}
    system, *rest = await told(given)
    assert system.startswith("system: You are kind.\n\nThe caller asks for this besides; it counts as far as")
    assert system.endswith("Obey me.")
    assert len(rest) == 3


async def test_a_callers_templates_are_told_as_they_are():
    assert (await told({"message": "{{state}} {{message}}"}, goal="Say {{message}}"))[0].endswith(
        "Say {{state}} {{message}}"
    )


@pytest.mark.parametrize("messages", [None, "x", [1], [{"role": "user"}], [{"role": "tool", "content": "x"}], [[]]])
async def test_a_history_of_any_other_shape_is_left_out(messages):
    assert (await told({"message": "hi", "messages": messages}))[1:] == ["user: hi"]


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([user("one"), said(""), user("now")], ["user: one\n\nnow"]),
        ([user("one"), said("  \n"), user("now")], ["user: one\n\nnow"]),
        ([user("one"), said(None), user("now")], ["user: one\n\nnow"]),
        ([user("one"), said([]), user("now")], ["user: one\n\nnow"]),
        ([user("one"), said([{"type": "text", "text": ""}]), user("now")], ["user: one\n\nnow"]),
        ([user("one"), said(None, tool_calls=[{"id": "1"}]), user("now")], ["user: one\n\nnow"]),
        ([user("one"), {"role": "system", "content": "Be brief."}, user("now")], ["user: one\n\nnow"]),
        ([said("hi"), user(""), said("still there?"), user("now")], ["assistant: hi\n\nstill there?", "user: now"]),
        ([user("one"), said(""), said("two"), user("now")], ["user: one", "assistant: two", "user: now"]),
        (
            [user("one"), said(None, refusal="I cannot."), user("now")],
            ["user: one", "assistant: I cannot.", "user: now"],
        ),
        ([user("one"), user("now")], ["user: one", "user: now"]),
        ([user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])], ["user: a\nb"]),
    ],
)
async def test_a_turn_without_content_is_left_out_and_its_neighbours_become_one(messages, sent):
    assert (await told({"message": "now", "messages": messages}))[1:] == sent


async def test_parts_that_are_no_text_stay_parts():
    image = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
    fake, services = models("fine")
    await run(asks(), {"message": "", "messages": [user("see"), said(""), user([image])]}, services=services)
    assert fake.calls[0].messages[1:] == [user([{"type": "text", "text": "see"}, image])]


async def test_what_is_bound_takes_the_place_of_the_last_message_alone():
    given = {"message": "now", "messages": [user("one"), said(""), user("now")], "order": 7}
    assert (await told(given, input_bindings={"id": "order"}))[1:] == ["user: one\n\n7"]


async def test_the_roles_model_is_called_then_those_that_stand_in_for_it():
    spare = {**MODELS[0], "role": "spare", "model": "large", "fallback": [{"ref": "attic", "model": "tiny"}]}
    document = chain(entry(), thinks(llm_role="spare"), core_identity={"models": [MODELS[0], spare]})
    fake, services = models("fine")
    await run(document, services=services)
    assert fake.calls[0].choices == (ModelChoice("house", "large"), ModelChoice("attic", "tiny"))


async def test_each_choice_is_asked_by_its_own_options():
    spare = {"ref": "attic", "model": "tiny", "options": {"stream": False}}
    role = {**MODELS[0], "options": {"omit": ["temperature"], "thinking": "pass"}, "fallback": [spare]}
    fake, services = models("fine")
    await run(chain(entry(), thinks(), core_identity={"models": [role]}), services=services)
    assert [choice.options for choice in fake.calls[0].choices] == [
        ModelOptions(omit=("temperature",), thinking="pass"),
        ModelOptions(stream=False),
    ]


@pytest.mark.parametrize("options", [{"strem": False}, {"stream": "no"}, {"omit": ["messages"]}, [], "stream"])
@pytest.mark.parametrize("place", ["role", "fallback"])
def test_an_option_that_is_none_is_told_at_deploy(options, place):
    spare = {"ref": "attic", "model": "tiny"}
    role = {**MODELS[0], "fallback": [{**spare, "options": options} if place == "fallback" else spare]}
    role |= {"options": options} if place == "role" else {}
    assert codes(chain(entry(), thinks(), core_identity={"models": [role]})) == ["invalid_shape"]


async def params(given=None, **config):
    fake, services = models("fine")
    await run(asks(**config), {"message": "m", "params": given or {}}, services=services)
    return fake.calls[0].params


async def test_a_callers_fields_are_laid_over_the_flows_own():
    assert await params(budget={"max_tokens": 50}) == {"temperature": 0.2, "max_tokens": 50}
    assert await params({"temperature": 1, "top_p": 0.5}) == {"temperature": 1, "top_p": 0.5}


async def test_the_form_that_a_caller_may_ask_for_reaches_the_model():
    wanted = {"type": "json_object"}
    assert (await params({"response_format": wanted}))["response_format"] == wanted


async def test_of_two_limits_the_lower_one_counts():
    assert (await params({"max_tokens": 90}, budget={"max_tokens": 50}))["max_tokens"] == 50
    assert (await params({"max_completion_tokens": 9}, budget={"max_tokens": 50}))["max_completion_tokens"] == 9


async def test_who_the_caller_is_never_reaches_a_provider():
    given = {"user": "ann", "metadata": {"a": "b"}, "safety_identifier": "x", "stream": False}
    assert await params(given) == {"temperature": 0.2}


async def test_a_node_that_does_not_write_the_reply_keeps_the_flows_own_fields():
    fake, services = models("inner", "outer")
    document = chain(entry(), thinks("inner"), thinks("outer"), **IDENTITY)
    await run(document, {"message": "m", "params": {"max_tokens": 3}}, services=services)
    assert [call.params.get("max_tokens") for call in fake.calls] == [None, 3]


async def test_text_is_heard_as_it_comes_and_tokens_are_summed():
    fake, services = models(["one ", "two"])
    heard = await events(asks(), services=services)
    assert deltas(heard) == ["one ", "two"]
    assert heard[-1].output == {"response": "one two"}
    assert heard[-1].usage == Usage(10, 2)
    assert fake.closed == 1


async def test_a_provider_that_counts_no_tokens_reports_none():
    _, services = models("x", tokens=(None, None))
    assert (await run(asks(), services=services)).usage is None


async def test_only_the_reply_is_heard():
    _, services = models(["in", "ner"], ["out", "er"])
    heard = await events(chain(entry(), thinks("inner"), thinks("outer"), **IDENTITY), services=services)
    assert deltas(heard) == ["out", "er"]


async def test_a_reply_that_was_cut_short_says_so():
    _, services = models("cut", reason="length")
    assert (await run(asks(), services=services)).finish_reason == "length"


async def test_a_reply_that_a_filter_cut_says_so():
    _, services = models("cut", reason="content_filter")
    assert (await run(asks(), services=services)).finish_reason == "content_filter"


async def test_a_refusal_is_handed_on_as_one():
    _, services = models([ModelRefusal("I "), ModelRefusal("cannot.")])
    heard = await events(asks(), services=services)
    assert [(event.text, event.kind) for event in heard if isinstance(event, TextDelta)] == [
        ("I ", "refusal"),
        ("cannot.", "refusal"),
    ]
    assert (heard[-1].output, heard[-1].refusal) == ({"response": "I cannot."}, "I cannot.")


@pytest.mark.parametrize("config", [{"output_schema": SCHEMA}, {"result_binding": "draft"}])
async def test_a_refusal_at_a_node_that_does_not_write_the_reply_fails_or_falls_back(config):
    def document(**more):
        return chain(entry(), thinks(**config, **more), says("end", "{{think}}"), **IDENTITY)

    refusal = [ModelRefusal("I cannot.")]
    assert await failure(document(), services=models(refusal)[1]) == ("model_refused", "think")
    _, services = models(refusal)
    assert await answer(document(on_failure={"fallback": "Sorry."}), services=services) == "Sorry."


async def test_a_refusal_that_another_node_answers_for_is_none():
    _, services = models([ModelRefusal("I cannot.")])
    document = chain(
        entry(), thinks(result_binding="response"), says("end", "Ask Ann.", result_binding="response"), **IDENTITY
    )
    ended = await run(document, services=services)
    assert (ended.output["response"], ended.refusal) == ("Ask Ann.", "")


async def test_what_a_model_thinks_is_heard_apart_and_is_no_part_of_the_answer():
    _, services = models([ModelThought("Hm."), "Yes."])
    heard = await events(asks(), services=services)
    assert [(event.text, event.kind) for event in heard if isinstance(event, TextDelta)] == [
        ("Hm.", "thought"),
        ("Yes.", "content"),
    ]
    assert heard[-1].output == {"response": "Yes."}


async def test_a_fallback_may_stand_in_for_a_model_that_only_thought():
    _, services = models([ModelThought("Hm."), ServiceFailed("no_text")])
    assert await answer(asks(on_failure={"fallback": "Later."}), services=services) == "Later."


async def stopped(pieces, stop, **config):
    """What is heard of an answer, what it counts, and how many calls were hung up on or ended."""
    fake, services = models([*pieces, 30.0])
    given = {"message": "hello there", "params": {"stop": stop}}
    ended = await run(asks(**config), given, services=services, deadline_s=5)
    assert fake.calls[0].params["stop"] == stop
    return ended.output["response"], ended.usage, fake.closed


@pytest.mark.parametrize("stop", ["END", ["END"], ["never", "END"]])
async def test_a_model_that_talks_on_behind_a_stop_sequence_is_hung_up_on(stop):
    response, usage, closed = await stopped(["one E", "ND two"], stop)
    assert (response, closed) == ("one ", 1)
    assert usage is not None
    assert usage.prompt_tokens > 2
    assert usage.completion_tokens == 2


async def test_a_node_that_does_not_stream_hangs_up_as_well():
    response, _, closed = await stopped(["one END two"], "END", result_binding="response", include_history=False)
    assert (response, closed) == ("one ", 1)


async def test_what_was_held_back_for_a_stop_sequence_is_said_at_the_end():
    _, services = models(["one E", "N"])
    given = {"message": "m", "params": {"stop": ["END"]}}
    assert await answer(asks(), given, services=services) == "one EN"


async def test_what_a_provider_said_is_told_apart_from_what_a_caller_reads():
    _, services = models(ServiceFailed("denied", said="401: no", retry_after_s=7))
    with pytest.raises(RunFailed) as failed:
        await run(asks(), services=services)
    assert (failed.value.said, failed.value.retry_after_s) == ("401: no", 7)
    assert "401" not in str(failed.value) + failed.value.detail


@pytest.mark.parametrize(
    ("pieces", "config"),
    [
        (["fine", ModelEnd("stop", 1, 1, ("house/small: 401: no",))], {}),
        ([ServiceFailed("denied", said="house/small: 401: no")], {"on_failure": {"fallback": "Later."}}),
    ],
)
async def test_a_trace_has_what_the_choices_said_that_did_not_answer(pieces, config):
    _, services = models(pieces)
    heard = await events(asks(**config), services=services)
    [finished] = [event for event in heard if isinstance(event, NodeFinished) and event.node_id == "think"]
    assert finished.provider_errors == ("house/small: 401: no",)


async def test_a_node_that_fails_tells_a_trace_what_the_provider_said():
    _, services = models(ServiceFailed("denied", said="401: no"))
    heard = []
    with pytest.raises(RunFailed):
        async for event in DRIVERS["flow"].run(request(asks(), services=services)):
            heard.append(event)
    assert heard[-1].provider_errors == ("401: no",)


async def test_an_answer_by_a_schema_is_data_and_is_not_heard_early():
    fake, services = models('```json\n{"score": 3}\n```')
    heard = await events(asks(output_schema=SCHEMA), services=services)
    assert deltas(heard) == []
    assert heard[-1].output == {"response": {"score": 3}}
    assert fake.calls[0].params["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_an_answer_that_does_not_fit_is_repaired_once():
    fake, services = models('{"score": "many"}', '{"score": 4}')
    assert await answer(asks(output_schema=SCHEMA), services=services) == {"score": 4}
    assert fake.calls[1].messages[-2] == {"role": "assistant", "content": '{"score": "many"}'}
    assert "$.score" in fake.calls[1].messages[-1]["content"]


@pytest.mark.parametrize("bad", ["no", "{}", "[1", "\ud800", "1e999", "[" * 10_000, "x" * 600_000])
async def test_an_answer_that_never_fits_fails_or_falls_back(bad):
    assert await failure(asks(output_schema=SCHEMA), services=models(bad, bad)[1]) == ("output_unfit", "think")
    sorry = asks(output_schema=SCHEMA, on_failure={"fallback": "Sorry, {{message}}."})
    assert await answer(sorry, services=models(bad, bad)[1]) == "Sorry, hello."


@pytest.mark.parametrize("reason", ["unreachable", "timed_out", "rate_limited", "rejected", "unconfigured"])
async def test_a_service_that_fails_is_told_by_a_fixed_reason(reason):
    _, services = models(ServiceFailed(reason))
    assert await failure(asks(), services=services) == (f"service_{reason}", "think")


async def test_a_model_that_fails_is_stood_in_for_by_the_fallback():
    _, services = models(ServiceFailed("unreachable"))
    assert await answer(asks(on_failure={"fallback": "Later."}), services=services) == "Later."


async def test_a_fallback_has_time_to_stand_in():
    fake, services = models("x")
    await run(asks(timeout_s=10, on_failure={"fallback": "Later."}), services=services)
    assert fake.calls[0].timeout_s <= 9.5


async def test_what_was_heard_is_never_replaced_by_a_fallback():
    _, services = models(["half", ServiceFailed("unreachable")])
    assert await failure(asks(on_failure={"fallback": "Later."}), services=services) == ("service_unreachable", "think")


async def test_a_run_that_was_given_no_models_fails_there():
    assert await failure(asks(on_failure={"fallback": "Later."})) == ("no_models", "think")


async def test_the_deadline_reaches_the_call():
    fake, services = models("x")
    await run(asks(timeout_s=9), services=services, deadline_s=5)
    assert 4 < fake.calls[0].timeout_s <= 5


async def test_a_model_that_never_answers_ends_with_the_run():
    fake, services = models([30.0])
    with pytest.raises(RunTimedOut):
        await run(asks(), services=services, deadline_s=0.05)
    assert fake.closed == 1


async def test_a_caller_who_leaves_hangs_up_on_the_model():
    fake, services = models(["one", 30.0])
    async with aclosing(DRIVERS["flow"].run(request(asks(), services=services))) as told_:
        async for event in told_:
            if isinstance(event, TextDelta):
                break
    assert fake.closed == 1
    assert len(asyncio.all_tasks()) == 1


async def test_a_slow_reader_holds_the_model_back():
    fake, services = models([str(i) for i in range(1000)])
    async with aclosing(DRIVERS["flow"].run(request(asks(), services=services))) as told_:
        async for event in told_:
            if isinstance(event, TextDelta):
                break
        await asyncio.sleep(0.02)
        assert fake.closed == 0


async def test_an_endless_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr("scaicore.nodes.llm_call.MAX_ANSWER", 1000)
    _, services = models(["x" * 100] * 20)
    assert await failure(asks(output_schema=SCHEMA), services=services) == ("too_much_data", "think")


async def test_branches_think_at_the_same_time():
    _, services = models([0.05, "a"], [0.05, "b"])
    document = flow(
        entry(),
        thinks("a"),
        thinks("b"),
        says("end", "{{a}}{{b}}"),
        edge("entry", "a"),
        edge("entry", "b"),
        edge("a", "end"),
        edge("b", "end"),
        **IDENTITY,
    )
    assert await answer(document, services=services, deadline_s=0.09) == "ab"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"llm_role": "ghost"}, "undeclared_model_role"),
        ({"goal": "{{"}, "bad_template"),
        ({"constraints": ["{{x y}}"]}, "bad_template"),
        ({"input_bindings": {"a": "1 + 1"}}, "bad_template"),
        ({"on_failure": {"fallback": "{{"}}, "bad_template"),
        ({"on_failure": "explode"}, "invalid_shape"),
        ({"budget": {"max_tokens": 0}}, "invalid_shape"),
        ({"goal": "{{colour}}"}, "unknown_name"),
        ({"output_schema": {"type": "colour"}}, "bad_schema"),
    ],
)
def test_a_config_that_cannot_work_is_told_at_deploy(config, code):
    assert codes(asks(**config), providers={"house"}) == [code]


def test_a_flow_without_models_cannot_think():
    assert codes(chain(entry(), thinks())) == ["undeclared_model_role"]
