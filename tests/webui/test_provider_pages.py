"""The pages of providers: listed with who uses each, added, changed, tried, removed; a key never comes back."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from identity.actors import actor_of
from identity.models import AuditEntry, Tenant, User
from publishing import actions, providers
from publishing.models import Core, ModelProvider
from tests.support.browsing import page_of, toasts
from tests.support.outside_users import deploy_fetching
from tests.support.upstream import Upstream
from tests.support.upstream_answers import TEXT, completion, giving, refusing

URL = "https://llm.example.com/v1"
KEY = "sk-live-51f0"
NEW = {"ref": "house", "base_url": URL, "api_key": KEY, "timeout_s": "30"}
HOUSE = "/providers/house/"


@pytest.fixture
def admin(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


@pytest.fixture
def fetching(acme: Tenant, root: User, settings: LazySettings) -> Core:
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1:9",)
    return deploy_fetching(acme, actor_of(root))


def house() -> ModelProvider:
    return ModelProvider.objects.get(ref="house")


def key_of_house() -> str | None:
    ready = providers.ready(house())
    return ready.api_key if ready else None


def saved(client: Client, **changes: str) -> Any:
    return client.post(HOUSE, {"base_url": URL, "timeout_s": "30", **changes})


def test_an_empty_list_says_what_to_do(client: Client, root: User, ann: User) -> None:
    client.force_login(root)
    assert "No provider of your own yet. Add one above" in page_of(client.get("/providers/"))
    client.force_login(ann)
    assert "A tenant admin of Acme can add the first one." in page_of(client.get("/providers/"))


def test_a_provider_is_added_with_its_options_and_the_key_never_shown(admin: Client) -> None:
    options = {"option_stream": "false", "option_thinking": "pass", "option_omit": ["seed", "stop"]}
    answer = admin.post("/providers/", NEW | options)
    assert answer.headers["location"] == HOUSE
    assert house().options == {"stream": False, "thinking": "pass", "omit": ["seed", "stop"]}
    assert (house().timeout_s, key_of_house()) == (30.0, KEY)
    page = page_of(admin.get(HOUSE)) + page_of(admin.get("/providers/"))
    assert KEY not in page
    assert "Added house. Test it now" in page
    assert '<option value="false" selected>' in page
    assert AuditEntry.objects.get(action="provider.created").actor == "root@acme.test"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ref": " "}, "Give the provider a name"),
        ({"ref": "a/b"}, "Use 1 to 100 letters"),
        ({"base_url": "ftp://x"}, "http"),
        ({"api_key": "a key"}, "visible ASCII characters"),
        ({"timeout_s": "9000"}, "600"),
        ({"option_system_role": "boss"}, "Select a valid choice"),
    ],
)
def test_what_is_unusable_is_refused_beside_its_field(admin: Client, changes: dict[str, str], said: str) -> None:
    answer = admin.post("/providers/", NEW | changes)
    [errors] = [found for name, found in answer.context["form"].errors.items() if name in changes]
    assert said in str(errors)
    assert not ModelProvider.objects.exists()


def test_what_is_secret_is_asked_for_again_beside_another_error(admin: Client) -> None:
    assert "Type the API key again" not in page_of(admin.get("/providers/"))
    assert "Type the API key again" in page_of(admin.post("/providers/", NEW | {"base_url": "ftp://x"}))


def test_a_name_that_is_taken_is_said_so(admin: Client) -> None:
    admin.post("/providers/", NEW)
    assert "exists already; change that one" in str(admin.post("/providers/", NEW).context["form"].errors["ref"])


def test_a_change_keeps_the_key_unless_another_is_typed_or_it_is_removed(admin: Client) -> None:
    admin.post("/providers/", NEW)
    assert "Saved house" in toasts(admin, saved(admin, timeout_s="5"))[-1]
    assert (house().timeout_s, key_of_house()) == (5.0, KEY)
    saved(admin, api_key="sk-other")
    assert key_of_house() == "sk-other"
    assert "not both" in page_of(saved(admin, api_key="x", remove_key="on"))
    saved(admin, remove_key="on")
    assert not house().has_key


def test_a_key_goes_to_no_other_server_than_it_was_given_for(admin: Client) -> None:
    admin.post("/providers/", NEW)
    assert "Send the key again" in page_of(saved(admin, base_url="https://evil.example.com/v1"))
    assert house().base_url == URL


def test_members_read_names_and_change_nothing(client: Client, root: User, ann: User) -> None:
    client.force_login(root)
    client.post("/providers/", NEW)
    client.force_login(ann)
    for url in ("/providers/", HOUSE):
        page = page_of(client.get(url))
        assert "house" in page
        assert '<form class="card' not in page
        assert "/delete/" not in page
    assert client.get(f"{HOUSE}delete/").status_code == 403
    for url in ("/providers/", HOUSE, f"{HOUSE}test/", f"{HOUSE}delete/"):
        assert client.post(url, NEW).status_code == 403
    assert (house().base_url, house().timeout_s) == (URL, 30.0)
    assert "/providers/" not in page_of(client.get("/flows/"))
    client.force_login(root)
    assert "/providers/" in page_of(client.get("/flows/"))


def test_another_tenants_provider_reads_like_none(client: Client, root: User, cy: User) -> None:
    client.force_login(root)
    client.post("/providers/", NEW)
    client.force_login(cy)
    assert "house" not in page_of(client.get("/providers/")).replace("llm.example", "")
    for url in (HOUSE, f"{HOUSE}test/", f"{HOUSE}delete/"):
        assert client.post(url, NEW).status_code == 404
    assert client.get(HOUSE).status_code == 404


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    assert client.get("/providers/").headers["location"] == "/login/?next=/providers/"


def test_a_provider_in_use_says_by_whom_and_stays(admin: Client, fetching: Core) -> None:
    link = f'<a href="/models/{fetching.pk}/">fetch</a>'
    for url in ("/providers/", HOUSE, f"{HOUSE}delete/"):
        assert link in page_of(admin.get(url))
    assert "Remove provider" not in page_of(admin.get(f"{HOUSE}delete/"))
    [said] = toasts(admin, admin.post(f"{HOUSE}delete/"))
    assert said == "These Cores call the provider: fetch. Deploy them without it first. Nothing was removed."
    assert house()


def test_a_user_that_is_not_published_is_looked_after_in_its_flow(admin: Client, fetching: Core, root: User) -> None:
    actions.unpublish(fetching, actor=actor_of(root), at=timezone.now())
    assert f'<a href="/flows/{fetching.flow_id}/">fetch</a>' in page_of(admin.get("/providers/"))


def test_a_provider_that_nobody_uses_is_removed(admin: Client) -> None:
    admin.post("/providers/", NEW)
    assert "Remove provider" in page_of(admin.get(f"{HOUSE}delete/"))
    assert ModelProvider.objects.exists()
    answer = admin.post(f"{HOUSE}delete/")
    assert answer.headers["location"] == "/providers/"
    assert not ModelProvider.objects.exists()


def test_the_operators_are_listed_and_take_over_from_the_own_one(
    admin: Client, fetching: Core, settings: LazySettings
) -> None:
    settings.MODEL_PROVIDERS = {"house": {"base_url": URL}, "public": {"base_url": URL}}
    assert "<code>public</code>" in page_of(admin.get("/providers/"))
    assert "answered by the operator’s provider" in page_of(admin.get(f"{HOUSE}delete/"))
    admin.post(f"{HOUSE}delete/")
    assert not ModelProvider.objects.exists()


@pytest.fixture
def served(admin: Client, upstream: Upstream, settings: LazySettings) -> Upstream:
    """The provider `house` is the scripted server, which lists the models `odd` and `well`."""
    settings.OUTBOUND_ALLOWED_HOSTS = (f"127.0.0.1:{upstream.port}",)
    admin.post("/providers/", NEW | {"base_url": upstream.base_url})
    upstream.plays("/v1/models", giving({"data": [{"id": "odd"}, {"id": "well"}]}))
    upstream.plays("odd", giving(completion()))
    return upstream


def test_a_test_shows_the_models_and_the_answer(admin: Client, served: Upstream) -> None:
    page = page_of(admin.post(f"{HOUSE}test/"))
    assert "It works." in page
    assert f"<blockquote>{TEXT}</blockquote>" in page
    assert "2 models listed:" in page
    assert "<code>well</code>" in page


def test_a_test_shows_what_was_refused_without_the_key(admin: Client, served: Upstream) -> None:
    refusal = {"error": {"message": f"Unsupported parameter: 'temperature' with {KEY}", "param": "temperature"}}
    served.plays("odd", refusing(lambda sent: "temperature" in sent, refusal))
    page = page_of(admin.post(f"{HOUSE}test/"))
    assert "<code>temperature</code>" in page
    assert "with [secret]</q>" in page
    assert KEY not in page


def test_a_test_that_fails_says_why_and_what_to_do(admin: Client, served: Upstream) -> None:
    served.plays("/v1/models", giving({"error": {"message": "no such key"}}, status=401))
    page = page_of(admin.post(f"{HOUSE}test/", {"model": "sealed"}))
    assert "No list of models." in page
    assert "Check the key, and what its account may do." in page
    assert "no such key" in page


def test_the_model_that_is_named_is_asked(admin: Client, served: Upstream) -> None:
    served.plays("well", giving(completion()))
    assert "<code>well</code> answered in" in page_of(admin.post(f"{HOUSE}test/", {"model": " well "}))
    assert admin.get(f"{HOUSE}test/").headers["location"] == HOUSE


def test_a_key_that_cannot_be_read_is_asked_for_again(admin: Client) -> None:
    admin.post("/providers/", NEW)
    ModelProvider.objects.update(sealed_key=b"x" * 64)
    assert "Send the key again" in toasts(admin, admin.post(f"{HOUSE}test/"))[-1]
