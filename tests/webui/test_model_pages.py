"""The pages of the published models: what each of the cast sees and may do there."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chatapi.models import UsageRecord
from identity import actors, groups
from identity.models import Group, User
from publishing import actions
from publishing.models import Core, Publication
from scaicore import with_properties
from tests.support.browsing import page_of, toasts


def ran(core: Core, user: User, *, at: datetime | None = None, outcome: str = "ok", purpose: str = "chat") -> None:
    UsageRecord.objects.create(
        at=at or timezone.now(),
        request_id=f"req_{UsageRecord.objects.count()}",
        tenant_id=core.tenant_id,
        user_id=user.pk,
        key_id="apikey_x",
        core_id=core.pk,
        core_version=1,
        model=core.model_name,
        purpose=purpose,
        is_streamed=False,
        outcome=outcome,
        prompt_tokens=3,
        completion_tokens=4,
        duration_ms=20,
    )


def test_the_admin_sees_figures_of_seven_days(client: Client, root: User, ann: User, echo: Core) -> None:
    ran(echo, ann)
    ran(echo, ann, outcome="failed")
    ran(echo, ann, outcome="cancelled", purpose="subflow")
    ran(echo, ann, at=timezone.now() - timedelta(days=8), outcome="failed")
    client.force_login(root)
    page = page_of(client.get("/models/"))
    assert '>3<span class="unseen"> runs of scaicore/acme/echo-agent</span>' in page
    assert '>1<span class="unseen"> errors of scaicore/acme/echo-agent</span>' in page


def test_models_are_found_by_right_word_and_tag(client: Client, root: User, bo: User, narrow_echo: Core) -> None:
    flow = narrow_echo.flow
    assert flow is not None
    content = with_properties(flow.saved.content, tags=["parrots"])
    actor, at = actors.actor_of(root), timezone.now()
    actions.save_flow(flow, base_version="1.0.0", content=content, actor=actor, at=at)
    client.force_login(bo)
    shown = {query: "Echo Agent" in page_of(client.get(f"/models/?{query}")) for query in QUERIES}
    assert shown == QUERIES
    assert "you can ask for access" in page_of(client.get("/models/?mine"))


QUERIES = {"": True, "q=hears": True, "tag=parrots": True, "q=nothing": False, "tag=cats": False, "mine": False}


def test_members_see_what_they_may_call_and_where_they_may_ask(
    client: Client, ann: User, bo: User, narrow_echo: Core
) -> None:
    client.force_login(ann)
    page = page_of(client.get("/models/"))
    assert "/playground/?model=scaicore/acme/echo-agent" in page
    assert "Calls, 7 days" not in page
    client.force_login(bo)
    page = page_of(client.get("/models/"))
    assert "Request access" in page
    assert "/playground/?model=" not in page
    assert "group_acme_eng" not in page


def test_a_model_without_a_surviving_group_stands_out(
    client: Client, root: User, narrow_echo: Core, engineering: Group
) -> None:
    groups.delete_group(engineering, actor=actors.operator("test"), at=timezone.now())
    client.force_login(root)
    assert '<span class="badge bad">Nobody can call this</span>' in page_of(client.get("/models/"))


def test_an_empty_list_says_what_to_do(client: Client, root: User, ann: User, cy: User, echo: Core) -> None:
    client.force_login(cy)
    page = page_of(client.get("/models/"))
    assert "Nothing is published yet" in page
    assert "echo-agent" not in page


def test_unpublishing_is_asked_and_then_done(client: Client, root: User, echo: Core) -> None:
    client.force_login(root)
    assert "Un-publish this model?" in page_of(client.get(f"/models/{echo.pk}/unpublish/"))
    assert Publication.objects.exists()
    assert toasts(client, client.post(f"/models/{echo.pk}/unpublish/")) == ["Unpublished scaicore/acme/echo-agent"]
    assert client.get(f"/models/{echo.pk}/").status_code == 404


def test_rolling_back_is_asked_and_then_done(client: Client, root: User, echo: Core) -> None:
    actions.deploy(echo.flow, actor=actors.actor_of(root), at=timezone.now())
    client.force_login(root)
    assert "Make version 1 live?" in page_of(client.get(f"/models/{echo.pk}/rollback/1/"))
    said = toasts(client, client.post(f"/models/{echo.pk}/rollback/1/"))
    assert said == ["Version 1 of scaicore/acme/echo-agent is live"]
    echo.refresh_from_db()
    assert echo.live
    assert echo.live.number == 1
    assert client.get(f"/models/{echo.pk}/rollback/9/").status_code == 404


@pytest.mark.parametrize("url", ["/models/{core}/unpublish/", "/models/{core}/rollback/1/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_others_change_nothing(client: Client, ann: User, cy: User, echo: Core, url: str, method: str) -> None:
    for user, status in ((ann, 403), (cy, 404)):
        client.force_login(user)
        assert getattr(client, method)(url.format(core=echo.pk)).status_code == status
    assert Publication.objects.exists()


def test_a_models_page_shows_the_request_in_three_languages(client: Client, ann: User, echo: Core) -> None:
    client.force_login(ann)
    page = page_of(client.get(f"/models/{echo.pk}/"))
    for language in ("curl", "Python", "TypeScript"):
        assert f"Request in {language}" in page


def test_a_foreign_model_reads_like_one_that_never_existed(client: Client, cy: User, echo: Core) -> None:
    client.force_login(cy)
    assert client.get(f"/models/{echo.pk}/").status_code == client.get("/models/core_unknown/").status_code == 404
