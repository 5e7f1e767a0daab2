"""The playground's page and its key: of the signed-in user, for minutes, one at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, keys
from identity.errors import NotAllowed
from identity.models import ApiKey, AuditEntry, User
from publishing.models import Core
from tests.support.browsing import page_of


def test_the_page_offers_exactly_what_the_user_may_call(client: Client, ann: User, bo: User, narrow_echo: Core) -> None:
    client.force_login(ann)
    assert f'<option value="scaicore/acme/echo-agent" data-core="{narrow_echo.pk}"' in page_of(
        client.get("/playground/")
    )
    client.force_login(bo)
    assert "No model to try yet" in page_of(client.get("/playground/"))


def test_a_named_model_is_chosen(client: Client, ann: User, echo: Core) -> None:
    client.force_login(ann)
    page = page_of(client.get("/playground/?model=scaicore/acme/echo-agent"))
    assert '<option value="scaicore/acme/echo-agent" selected' in page


def test_a_refused_model_leads_to_the_request_for_access(client: Client, bo: User, narrow_echo: Core) -> None:
    client.force_login(bo)
    page = page_of(client.get("/playground/?model=scaicore/acme/echo-agent"))
    assert f'href="/models/{narrow_echo.pk}/#access"' in page
    assert "that you could call" in page_of(client.get("/playground/?model=nothing%00"))


def test_the_key_lives_a_quarter_of_an_hour_and_ends_the_one_before(client: Client, ann: User, echo: Core) -> None:
    client.force_login(ann)
    first, second = (client.post("/playground/key/").json()["key"] for _ in range(2))
    assert keys.find(first) is None
    live = keys.find(second)
    assert live
    assert (live.user, live.key.name) == (ann, "Playground")
    assert live.key.expires_at
    assert live.key.expires_at - live.key.created_at == timedelta(minutes=15)
    acts = AuditEntry.objects.filter(actor="ann@acme.test").order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["key.minted", "key.revoked", "key.minted"]


def test_a_lasting_key_of_that_name_stays(client: Client, ann: User) -> None:
    lasting = keys.mint(user=ann, name="Playground", actor=actors.actor_of(ann), at=timezone.now())[1]
    client.force_login(ann)
    client.post("/playground/key/")
    assert keys.find(lasting)


def test_nobody_mints_for_somebody_else(ann: User, root: User) -> None:
    with pytest.raises(NotAllowed):
        keys.mint_for_playground(user=ann, actor=actors.actor_of(root), at=timezone.now())


def test_the_key_needs_a_session_a_post_and_the_token_of_a_form(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get("/playground/key/").status_code in (302, 405)
    client.force_login(ann)
    assert client.get("/playground/key/").status_code == 405
    assert client.post("/playground/key/").status_code == 403
    assert not ApiKey.objects.exists()
