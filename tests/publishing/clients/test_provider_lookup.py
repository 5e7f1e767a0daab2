"""Which provider a call meets, as the database and the operator's settings have it at that moment."""

from __future__ import annotations

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.utils import timezone

from identity import actors
from identity.models import User
from publishing import actions, providers
from publishing.clients.language_models import TenantModelClient
from publishing.db import pool
from publishing.models import ModelProvider
from scaicore.services import ServiceFailed
from tests.support.model_calls import call, failure, said, stream
from tests.support.serving import free_port
from tests.support.upstream import Upstream
from tests.support.upstream_answers import TEXT

KEY = "sk-house-4d1e"


@pytest_asyncio.fixture
async def house(transactional_db: None, outside: None, root: User, upstream: Upstream) -> ModelProvider:
    """Acme's provider: the scripted server, with little patience."""

    def create() -> ModelProvider:
        return actions.create_provider(
            tenant=root.tenant,
            ref="house",
            base_url=upstream.base_url,
            api_key=KEY,
            timeout_s=0.5,
            actor=actors.actor_of(root),
            at=timezone.now(),
        )

    return await sync_to_async(create)()


async def test_a_provider_without_a_key_sends_none(house: ModelProvider, upstream: Upstream, root: User) -> None:
    actor, at = actors.actor_of(root), timezone.now()
    await sync_to_async(actions.save_provider)(house, api_key="", actor=actor, at=at)
    await said("well")
    assert "authorization" not in upstream.requests[0].headers


async def test_another_tenants_provider_does_not_exist(house: ModelProvider) -> None:
    with pytest.raises(ServiceFailed, match="unconfigured"):
        await anext(TenantModelClient("globex").stream(call("well")))


async def test_providers_are_found_by_one_statement_and_no_connection_is_kept(
    house: ModelProvider, statements: list[str]
) -> None:
    async for _ in stream("gone/x", "well"):
        assert pool.current().in_use == 0
    assert statements == [providers.FIND]


async def test_a_changed_provider_counts_from_the_next_call(house: ModelProvider, root: User) -> None:
    await said("well")
    await sync_to_async(actions.delete_provider)(house, actor=actors.actor_of(root), at=timezone.now())
    assert await failure("well") == ([], "unconfigured")


async def test_a_key_sealed_under_a_lost_secret_key_reads_like_no_provider(
    house: ModelProvider, settings: LazySettings
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
    assert await failure("well") == ([], "unconfigured")


async def test_the_tenants_own_provider_wins_over_the_operators(
    house: ModelProvider, upstream: Upstream, settings: LazySettings
) -> None:
    settings.MODEL_PROVIDERS = {"house": {"base_url": f"http://127.0.0.1:{free_port()}/v1", "api_key": "operators"}}
    await said("well")
    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_an_operators_provider_may_stand_where_tenants_may_not_call(
    house: ModelProvider, upstream: Upstream, settings: LazySettings
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ()
    settings.MODEL_PROVIDERS = {"shared": {"base_url": upstream.base_url, "api_key": "operators"}}
    assert "".join((await said("shared/well"))[0]) == TEXT
    assert upstream.requests[0].headers["authorization"] == "Bearer operators"
    assert await failure("house/well") == ([], "refused_address")


async def test_a_provider_does_not_show_its_key(house: ModelProvider) -> None:
    assert KEY not in repr(await providers.find("acme", ["house"]))
