"""Entries other than the API: accepted where they stand, and honest about what they need."""

import pytest

from scaicore import compile
from tests.scaicore.drawing import answer, chain, codes, edge, entry, flow, node, says

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
    assert codes(chain(node("start", kind)), publishable=True) == ["publish_without_entry_api"]
    assert compile(chain(node("start", kind))).program


@pytest.mark.parametrize("cron", ["* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "a * * * *", "*/0 * * * *", ""])
def test_a_schedule_that_is_none_is_told(cron):
    assert codes(flow(entry(), node("timer", "entry_schedule", cron=cron))) == ["bad_value"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"auth": {"header": "bad name", "secret_ref": "x"}}, "bad_value"),
        ({"auth": {"header": "X-Signature", "secret_ref": " "}}, "bad_value"),
        ({"auth": {"header": "X-Signature"}}, "invalid_shape"),
    ],
)
def test_a_signature_that_cannot_be_checked_is_told(config, code):
    assert codes(flow(entry(), node("hook", "entry_webhook", **config))) == [code]


def test_a_time_zone_exists():
    assert codes(flow(entry(), node("timer", "entry_schedule", timezone="Mars/North"))) == ["bad_value"]
