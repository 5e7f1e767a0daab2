"""Entries other than the API: accepted where they stand, and honest about what they need."""

import pytest

from scaicore import compile, webhooks
from tests.support.documents import answer, chain, codes, edge, entry, flow, node, says

SIGNED = {"header": "X-Signature", "secret_ref": "hooks/key"}


async def test_a_webhook_runs_like_a_call():
    document = chain(node("hook", "entry_webhook", auth=SIGNED), says("reply", "{{message}}"))
    assert await answer(document) == "hello"


async def test_a_schedule_beside_an_api_changes_nothing_for_callers():
    timer = node("timer", "entry_schedule", cron="*/5 9-17 * * 1-5", timezone="Europe/Amsterdam")
    document = flow(timer, entry(), says("reply", "{{message}}"), edge("timer", "reply"), edge("entry", "reply"))
    assert await answer(document) == "hello"
    assert codes(document, publishable=True) == []


@pytest.mark.parametrize("kind", ["entry_schedule", "entry_webhook"])
def test_without_an_api_entry_nothing_is_published(kind):
    assert "publish_without_entry_api" in codes(chain(node("start", kind)), publishable=True)
    assert compile(chain(node("start", kind))).program


@pytest.mark.parametrize("cron", ["* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "a * * * *", "*/0 * * * *", ""])
def test_a_schedule_that_is_none_is_told(cron):
    assert codes(flow(entry(), node("timer", "entry_schedule", cron=cron))) == ["bad_value"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"auth": {"header": "bad name", "secret_ref": "x"}}, "bad_value"),
        ({"auth": {"header": "X_Signature", "secret_ref": "x"}}, "bad_value"),
        ({"auth": {"header": "X-Signature", "secret_ref": " "}}, "bad_value"),
        ({"auth": {"header": "X-Signature"}}, "invalid_shape"),
    ],
)
def test_a_signature_that_cannot_be_checked_is_told(config, code):
    assert codes(flow(entry(), node("hook", "entry_webhook", **config))) == [code]


async def test_a_run_begins_at_the_entry_that_is_named_and_waits_for_no_other():
    document = flow(
        entry(),
        node("hook", "entry_webhook", auth=SIGNED),
        says("asked", "asked"),
        says("told", "told"),
        says("reply", "{{asked}}{{told}}"),
        edge("entry", "asked"),
        edge("hook", "told"),
        edge("asked", "reply"),
        edge("told", "reply"),
    )
    assert codes(document, publishable=True) == []
    assert [await answer(document), await answer(document, entry="hook")] == ["asked", "told"]


def test_one_webhook_is_enough():
    hooks = [node(name, "entry_webhook", auth=SIGNED) for name in ("one", "two")]
    assert codes(flow(entry(), *hooks)) == ["multiple_entries"]


def test_a_webhook_names_an_entity_too():
    document = chain(node("hook", "entry_webhook", auth=SIGNED), says("reply", "x"))
    document["config"] = {"scaiflow_meta": {"instance_mode": "entity"}}
    assert codes(document) == ["memory_without_variables"]


def test_a_webhook_that_nobody_reaches_is_told():
    document = flow(entry(), node("hook", "entry_webhook"))
    assert codes(document) == ["webhook_without_auth"]
    assert webhooks.find_webhook(compile(document).program) is None


def test_the_webhook_of_a_program_says_how_it_is_signed():
    document = flow(entry(), node("hook", "entry_webhook", auth=SIGNED))
    assert webhooks.find_webhook(compile(document).program) == ("hook", "X-Signature", "hooks/key")
    assert webhooks.find_webhook(compile(flow(entry())).program) is None


def test_a_signature_is_the_hmac_of_the_body_with_the_secret():
    published = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert webhooks.is_signed(b"Hello, World!", f"sha256={published}", "It's a Secret to Everybody")
    assert webhooks.is_signed(b"Hello, World!", published.upper(), "It's a Secret to Everybody")
    assert not webhooks.is_signed(b"Hello, World!", published, "another")


def test_a_time_zone_exists():
    assert codes(flow(entry(), node("timer", "entry_schedule", timezone="Mars/North"))) == ["bad_value"]
