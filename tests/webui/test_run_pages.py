"""The pages of runs: what each of the cast finds there, and where a request id leads."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from chatapi.models import RunTrace, UsageRecord
from identity.models import User
from publishing.models import Core
from tests.support.browsing import page_of


def ran(core: Core, user_id: str, request_id: str, **fields: Any) -> UsageRecord:
    known = {
        "at": timezone.now(),
        "key_id": "",
        "core_version": 1,
        "purpose": "chat",
        "is_streamed": False,
        "outcome": "ok",
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "duration_ms": 1234,
    }
    ids = {"request_id": request_id, "tenant_id": core.tenant_id, "user_id": user_id, "core_id": core.pk}
    return UsageRecord.objects.create(model=core.model_name, **{**known, **ids, **fields})


def traced(run: UsageRecord, nodes: list[dict[str, Any]], **more: Any) -> None:
    shared = ("at", "request_id", "tenant_id", "user_id", "core_id", "core_version", "outcome", "duration_ms")
    RunTrace.objects.create(nodes=nodes, **{name: getattr(run, name) for name in shared}, **more)


def test_an_admin_finds_every_run_and_a_user_their_own(
    client: Client, root: User, ann: User, bo: User, cy: User, echo: Core
) -> None:
    ran(echo, ann.pk, "req_ann")
    ran(echo, "", "req_hook", purpose="webhook")
    found = {}
    for user in (root, ann, bo, cy):
        client.force_login(user)
        page = page_of(client.get("/runs/"))
        found[user] = [name for name in ("req_ann", "req_hook") if f"/runs/{name}/" in page]
    assert found == {root: ["req_ann", "req_hook"], ann: ["req_ann"], bo: [], cy: []}


def test_a_row_says_who_called_how_it_ended_and_why(client: Client, root: User, ann: User, echo: Core) -> None:
    ran(echo, ann.pk, "req_1", outcome="failed", reason="no_branch", node_id="reply")
    client.force_login(root)
    page = page_of(client.get("/runs/"))
    for said in ("ann@acme.test", "Failed", "None of the conditions held", "3 + 4", "1.2 s"):
        assert said in page


def test_the_filters_leave_what_they_ask_for(client: Client, root: User, ann: User, bo: User, echo: Core) -> None:
    ran(echo, ann.pk, "req_ok")
    ran(echo, bo.pk, "req_bad", outcome="timed_out")
    ran(echo, bo.pk, "req_left", outcome="cancelled")
    ran(echo, ann.pk, "req_old", at=timezone.now() - timedelta(days=20))
    client.force_login(root)
    found = {}
    for query in ("", "outcome=errors", "caller=bo@acme.test", "days=30", "core=echo-agent&outcome=ok", "core=other"):
        page = page_of(client.get(f"/runs/?{query}"))
        found[query] = [name for name in ("ok", "bad", "left", "old") if f"/runs/req_{name}/" in page]
    assert found == {
        "": ["ok", "bad", "left"],
        "outcome=errors": ["bad"],
        "caller=bo@acme.test": ["bad", "left"],
        "days=30": ["ok", "bad", "left", "old"],
        "core=echo-agent&outcome=ok": ["ok"],
        "core=other": [],
    }


def test_older_runs_stand_on_the_next_page(client: Client, root: User, ann: User, echo: Core) -> None:
    at = timezone.now()
    for number in range(51):
        ran(echo, ann.pk, f"req_{number}", at=at - timedelta(seconds=number // 2))
    client.force_login(root)
    response = client.get("/runs/")
    assert "/runs/req_49/" in page_of(response)
    page = page_of(client.get(f"/runs/?before={response.context['following']}"))
    assert page.count("/runs/req_") == 1
    assert "/runs/req_50/" in page
    assert client.get("/runs/?before=nonsense&days=9&outcome=x").status_code == 200


def test_a_request_id_leads_to_its_run_however_old(client: Client, root: User, ann: User, cy: User, echo: Core) -> None:
    ran(echo, ann.pk, "req_1", at=timezone.now() - timedelta(days=99))
    client.force_login(root)
    assert client.get("/runs/?request_id=req_1&days=1").headers["location"] == "/runs/req_1/"
    assert "refused before it ran" in page_of(client.get("/runs/?request_id=req_2"))
    client.force_login(cy)
    assert client.get("/runs/?request_id=req_1").status_code == 200
    assert client.get("/runs/req_1/").status_code == 404


def test_the_page_of_a_run_names_nodes_by_their_labels(client: Client, root: User, ann: User, echo: Core) -> None:
    run = ran(echo, ann.pk, "req_1", outcome="failed", reason="expression_failed", node_id="reply")
    nodes: list[dict[str, Any]] = [
        {"id": "entry", "kind": "entry_api", "started_ms": 0, "duration_ms": 0.2, "result": {"message": "<b>hello"}},
        {
            "id": "reply",
            "kind": "llm_rigid",
            "started_ms": 0.3,
            "duration_ms": 7,
            "error": "expression_failed",
            "provider_errors": ["the key is wrong"],
        },
    ]
    traced(run, nodes, input={"message": "<b>hello"})
    client.force_login(root)
    page = page_of(client.get("/runs/req_1/"))
    assert "It came to its end at <strong>Reply</strong>" in page
    assert "canvas-node llm has-error" in page
    assert "the key is wrong" in page
    assert "&lt;b&gt;hello" in page
    client.force_login(ann)
    page = page_of(client.get("/runs/req_1/"))
    assert "Reply <code>llm_rigid</code>" in page
    assert "the key is wrong" not in page
    assert "canvas-node" not in page


def test_a_node_that_did_not_run_is_drawn_pale(client: Client, root: User, ann: User, echo: Core) -> None:
    run = ran(echo, ann.pk, "req_1")
    traced(run, [{"id": "entry", "kind": "entry_api", "started_ms": 0, "duration_ms": 1}])
    client.force_login(root)
    assert page_of(client.get("/runs/req_1/")).count("is-idle") == 1


def test_a_run_without_a_trace_says_how_to_keep_the_next_one(client: Client, root: User, ann: User, echo: Core) -> None:
    ran(echo, ann.pk, "req_1")
    client.force_login(root)
    assert "Keep what nodes did" in page_of(client.get("/runs/req_1/"))
    ran(echo, ann.pk, "req_2", core_id="core_gone", core_version=7)
    assert client.get("/runs/req_2/").status_code == 200


def test_the_errors_of_a_model_lead_to_its_runs(client: Client, root: User, ann: User, echo: Core) -> None:
    ran(echo, ann.pk, "req_1", outcome="failed")
    client.force_login(root)
    link = f"/runs/?core={echo.pk}&amp;outcome=errors&amp;days=7"
    assert link in page_of(client.get("/models/"))
    assert link in page_of(client.get(f"/models/{echo.pk}/"))
    assert "/runs/req_1/" in page_of(client.get(link.replace("&amp;", "&")))


def test_what_a_run_was_asked_leads_to_where_it_is_tried(client: Client, root: User, ann: User, echo: Core) -> None:
    said = [{"role": "user", "content": "hi"}]
    chat = {"message": "hi", "messages": said, "params": {}}
    for number, given in enumerate((chat, {"order": 7}, chat | {"messages": [{"role": "user", "content": [{}]}]})):
        traced(ran(echo, ann.pk, f"req_{number}"), [], input=given)
    client.force_login(root)
    assert f"/flows/{echo.flow_id}/?again=req_0" in page_of(client.get("/runs/req_0/"))
    again = [asked_again(client, echo, f"req_{number}") for number in (0, 1, 2, 3)]
    assert again == [{"message": "hi"}, {"input": {"order": 7}}, {"input": again[2]["input"]}, None]
    client.force_login(ann)
    assert "again=" not in page_of(client.get("/runs/req_0/"))


def asked_again(client: Client, core: Core, request_id: str) -> Any:
    return json.loads(client.get(f"/flows/{core.flow_id}/?again={request_id}").context["editor_data"])["again"]
