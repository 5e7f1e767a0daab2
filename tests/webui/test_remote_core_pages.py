"""Remote Cores on their pages: added, changed, published, removed, by the tenant's admins alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.actions import RemoteProgram
from publishing.models import Core
from tests.support.browsing import page_of

SECRET = "a-signing-secret-of-some-length"
TYPED = {
    "name": "Support agent",
    "url": "https://agents.example.com/support",
    "secret": SECRET,
    "timeout_s": "30",
    "instance_mode": "entity",
    "entity_scope": "user",
    "capabilities": ["images"],
}


@pytest.fixture
def agent(root: User) -> Core:
    remote = RemoteProgram(url="https://agents.example.com/support", secret=SECRET)
    made: dict[str, Any] = {"actor": actor_of(root), "at": timezone.now()}
    return actions.create_core(tenant=root.tenant, name="Agent", slug="agent", remote=remote, **made)


def test_a_remote_core_is_added_and_its_secret_never_shown(client: Client, root: User) -> None:
    client.force_login(root)
    page = page_of(client.post("/remote-cores/", TYPED, follow=True))
    core = Core.objects.select_related("live").get()
    assert (core.slug, core.driver, core.sealed_secret is not None) == ("support-agent", "remote", True)
    assert core.live is not None
    assert (core.live.instance_mode, core.live.capabilities) == ("entity", ["images"])
    assert SECRET not in page
    assert "Added Support agent" in page


BAD = [
    ({"name": ""}, "id_name_error"),
    ({"url": "nowhere"}, "id_url_error"),
    ({"url": "https://127.0.0.1/x"}, "id_url_error"),
    ({"secret": "short"}, "id_secret_error"),
    ({"timeout_s": "9999"}, "id_timeout_s_error"),
    ({"slug": "agent"}, "id_name_error"),
]


@pytest.mark.parametrize("wrong, where", BAD)
def test_what_is_wrong_stands_beside_its_field(
    client: Client, root: User, agent: Core, wrong: dict[str, str], where: str
) -> None:
    client.force_login(root)
    assert f'id="{where}"' in page_of(client.post("/remote-cores/", TYPED | wrong))
    assert Core.objects.count() == 1


def test_a_change_is_a_new_version_and_another_server_wants_the_secret_again(
    client: Client, root: User, agent: Core
) -> None:
    client.force_login(root)
    url, kept = f"/remote-cores/{agent.pk}/", TYPED | {"secret": ""}
    client.post(url, kept | {"timeout_s": "5"})
    assert agent.versions.count() == 2
    page = page_of(client.post(url, kept | {"url": "https://elsewhere.example.com/x"}))
    assert 'id="id_secret_error"' in page
    assert agent.versions.count() == 2


def test_it_is_published_to_groups_and_removed_once_that_was_asked(
    client: Client, root: User, agent: Core, engineering: Any
) -> None:
    client.force_login(root)
    url = f"/remote-cores/{agent.pk}/"
    assert 'id="id_groups_error"' in page_of(client.post(f"{url}publish/", {"groups": "group_nope"}))
    client.post(f"{url}publish/", {"groups": "group_acme_eng"})
    assert Core.objects.get().publication.group_ids == ["group_acme_eng"]
    assert "scaicore/acme/agent" in page_of(client.get(f"{url}delete/"))
    client.post(f"{url}delete/")
    assert not Core.objects.exists()


@pytest.mark.parametrize("path", ["", "{core}/", "{core}/publish/", "{core}/delete/"])
@pytest.mark.parametrize("who", ["ann", "cy"])
def test_only_the_tenants_admins_reach_it(
    client: Client, request: pytest.FixtureRequest, agent: Core, path: str, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    answer = client.post(f"/remote-cores/{path.format(core=agent.pk)}", TYPED | {"name": "Other", "groups": ""})
    assert answer.status_code == (403 if who == "ann" else 404) or (who, path) == ("cy", "")
    assert Core.objects.filter(tenant="acme").count() == 1
    assert not hasattr(Core.objects.get(tenant="acme"), "publication")
