"""What stands before a deploy where the flow says so (`config.scaiflow_meta.test_before_deploy`): all tests pass."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync

import scaicore
from chatapi.draft_runs import drafts
from chatapi.flow_tests import runner
from chatapi.flow_tests.runner import Bench
from publishing import documents
from publishing.errors import DraftDoesNotCompile, FlowTestsFailed
from publishing.models import Flow


def must_pass(flow: Flow, *, user_id: str, key_id: str) -> str | None:
    """Run the tests of the saved version if they stand before its deploy; the version then, None if they do not.

    To be called in a thread, and not in a transaction: models are asked. Raises `FlowTestsFailed`.
    """
    saved = flow.saved
    if not scaicore.properties(saved.content).test_before_deploy:
        return None
    try:
        program = drafts.compile_draft(flow, documents.complete(flow, saved), user_id=user_id, key_id=key_id)
    except DraftDoesNotCompile:
        return saved.version  # the deploy itself will say so, in its own words
    live = drafts.load_live(flow, user_id=user_id, key_id=key_id)
    tried = async_to_sync(runner.run)(Bench(program, tests_in(saved.content), live))
    failed = [test for test in tried if not test.passed]
    if failed:
        raise FlowTestsFailed(runner.as_data(failed), count=len(tried))
    return saved.version


def tests_in(content: dict[str, Any]) -> list[Any]:
    """The entries under `tests`."""
    entries = content.get("tests")
    return entries if isinstance(entries, list) else []
