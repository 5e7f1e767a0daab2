"""Who may call: one decision, the same on every surface, fresh on every request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
import requests
from django.utils import timezone

from identity import actors, groups, keys
from identity.models import Group, Tenant, User
from publishing import actions, registry
from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.chat_calls import call, error, hello
from tests.support.serving import Server

ECHO = "scaicore/acme/echo-agent"
KeyOf = Callable[[User], str]


def listed(server: Server, key: str) -> list[str]:
    answer = requests.get(f"{server.v1}/models", headers={"authorization": f"Bearer {key}"}, timeout=30)
    assert answer.status_code == 200
    return [model["id"] for model in answer.json()["data"]]


def retrieved(server: Server, key: str, name: str) -> int:
    url = f"{server.v1}/models/{quote(name, safe='')}"
    return requests.get(url, headers={"authorization": f"Bearer {key}"}, timeout=30).status_code


def limited(user: User, names: list[str]) -> str:
    return keys.mint(user=user, name="k", models=names, actor=actors.actor_of(user), at=timezone.now())[1]


def published(owner: User, name: str, group_ids: list[str]) -> Core:
    actor, at = actors.actor_of(owner), timezone.now()
    content = echo_document(model_visibility_group_ids=group_ids)
    flow = actions.create_flow(tenant=owner.tenant, name=name, content=content, actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core


def test_listing_retrieving_calling_and_the_audience_agree_for_every_caller_and_model(
    server: Server, ann: User, bo: User, cy: User, root: User, engineering: Group, key_of: KeyOf
) -> None:
    cores = [published(root, "Open", []), published(root, "Narrow", ["group_acme_eng"]), published(cy, "Theirs", [])]
    outcomes = {}
    for user in (ann, bo, cy, root):
        key = key_of(user)
        for core in cores:
            name = core.model_name
            status = call(server, key, hello(model=name)).status_code
            assert retrieved(server, key, name) == status
            assert (name in listed(server, key)) == (status == 200)
            assert registry.audience(core.publication).filter(pk=user.pk).exists() == (status == 200)
            outcomes[user.email.split("@")[0], core.slug] = status
    assert outcomes == {
        ("ann", "open"): 200,
        ("ann", "narrow"): 200,
        ("ann", "theirs"): 404,
        ("bo", "open"): 200,
        ("bo", "narrow"): 403,
        ("bo", "theirs"): 404,
        ("cy", "open"): 404,
        ("cy", "narrow"): 404,
        ("cy", "theirs"): 200,
        ("root", "open"): 200,
        ("root", "narrow"): 403,
        ("root", "theirs"): 404,
    }


def test_listing_retrieving_and_calling_agree_for_a_limited_key(
    server: Server, ann: User, root: User, cy: User, engineering: Group
) -> None:
    cores = [
        published(root, "Open", []),
        published(root, "Other", []),
        published(cy, "Theirs", []),
        published(root, "Closed", [Group.objects.create(tenant_id="acme", scaikey_id="group_none").scaikey_id]),
    ]
    names = [core.model_name for core in cores if core.slug != "other"]
    key = limited(ann, names)
    outcomes = {}
    for core in cores:
        status = call(server, key, hello(model=core.model_name)).status_code
        assert retrieved(server, key, core.model_name) == status
        assert (core.model_name in listed(server, key)) == (status == 200)
        outcomes[core.slug] = status
    assert outcomes == {"open": 200, "other": 403, "theirs": 404, "closed": 403}


def test_a_model_that_a_key_does_not_name_is_403_and_says_why(server: Server, ann: User, echo: Core) -> None:
    answer = call(server, limited(ann, ["scaicore/acme/other"]))
    assert answer.status_code == 403
    assert error(answer)["code"] == "model_access_denied"
    assert "limited to chosen models" in error(answer)["message"]
    assert call(server, limited(ann, ["scaicore/acme/other"]), hello(model="scaicore/acme/none")).status_code == 404


def test_a_limited_key_invokes_what_it_names_alone(server: Server, ann: User, echo: Core) -> None:
    url = f"{server.v1}/modules/scaicore/cores/{echo.pk}/invoke"
    found = []
    for names in ([ECHO], ["scaicore/acme/other"]):
        bearer = {"authorization": f"Bearer {limited(ann, names)}"}
        found.append(requests.post(url, json={"input": {"message": "hello"}}, headers=bearer, timeout=30).status_code)
    assert found == [200, 403]


def test_unknown_foreign_and_unpublished_read_exactly_alike(
    server: Server, ann: User, cy: User, echo_flow: Flow, key_of: KeyOf
) -> None:
    published(cy, "Theirs", [])
    key = key_of(ann)
    bodies = {
        call(server, key, hello(model=name)).text.replace(name, "NAME")
        for name in ("scaicore/acme/nothing", "scaicore/globex/theirs", ECHO)
    }
    assert len(bodies) == 1


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "sgk_x", "Bearer sgk_wrong"])
def test_a_missing_or_wrong_key_is_401(server: Server, echo: Core, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    answer = call(server, None, **headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error(answer)["code"] == "invalid_api_key"


def test_a_revoked_key_is_refused_at_the_next_request(server: Server, ann: User, echo: Core) -> None:
    actor = actors.actor_of(ann)
    key, secret = keys.mint(user=ann, name="k", actor=actor, at=timezone.now())
    assert call(server, secret).status_code == 200
    keys.revoke(key, actor=actor, at=timezone.now())
    assert call(server, secret).status_code == 401


def test_an_expired_key_is_refused(server: Server, ann: User, echo: Core) -> None:
    then = timezone.now() - timedelta(days=2)
    secret = keys.mint(user=ann, name="k", actor=actors.actor_of(ann), at=then, expires_at=then + timedelta(days=1))[1]
    assert call(server, secret).status_code == 401


def test_an_inactive_user_and_an_inactive_tenant_are_refused(
    server: Server, ann: User, bo: User, echo: Core, key_of: KeyOf
) -> None:
    anns, bos = key_of(ann), key_of(bo)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert call(server, anns).status_code == 401
    Tenant.objects.filter(pk="acme").update(is_active=False)
    assert call(server, bos).status_code == 401


def test_leaving_a_group_takes_effect_at_the_next_request(
    server: Server, ann: User, root: User, engineering: Group, narrow_echo: Core, key_of: KeyOf
) -> None:
    key = key_of(ann)
    assert call(server, key).status_code == 200
    groups.set_members(engineering, users=[], groups=[], actor=actors.actor_of(root), at=timezone.now())
    answer = call(server, key)
    assert answer.status_code == 403
    assert error(answer)["code"] == "model_access_denied"
    assert "group_acme_eng" not in answer.text


def test_membership_reaches_through_nested_groups_and_round_cycles(
    server: Server, bo: User, root: User, engineering: Group, narrow_echo: Core, key_of: KeyOf
) -> None:
    actor, at = actors.actor_of(root), timezone.now()
    middle, inner = (Group.objects.create(tenant_id="acme", scaikey_id=f"group_{n}") for n in ("middle", "inner"))
    groups.set_members(engineering, users=[], groups=[middle], actor=actor, at=at)
    groups.set_members(middle, users=[], groups=[inner], actor=actor, at=at)
    # Pages and REST refuse to close a circle; a file may pass through one.
    groups.set_members(inner, users=[bo], groups=[engineering], actor=actors.operator("apply"), at=at)
    assert call(server, key_of(bo)).status_code == 200


def test_deleting_the_last_group_means_nobody_not_everybody(
    server: Server, ann: User, root: User, engineering: Group, narrow_echo: Core, key_of: KeyOf
) -> None:
    groups.delete_group(engineering, actor=actors.actor_of(root), at=timezone.now())
    assert call(server, key_of(ann)).status_code == 403
    assert not registry.audience(narrow_echo.publication).exists()


def test_unpublishing_takes_effect_at_the_next_request(
    server: Server, ann: User, root: User, echo: Core, key_of: KeyOf
) -> None:
    key = key_of(ann)
    assert call(server, key).status_code == 200
    actions.unpublish(echo, actor=actors.actor_of(root), at=timezone.now())
    assert call(server, key).status_code == 404
    assert listed(server, key) == []


def test_a_rollback_answers_with_the_earlier_version_at_the_next_request(
    server: Server, ann: User, root: User, echo: Core, echo_flow: Flow, key_of: KeyOf
) -> None:
    actor, at, key = actors.actor_of(root), timezone.now(), key_of(ann)
    loud = echo_document()
    loud["nodes"][1]["config"]["template"] = "{{message}}!"
    actions.save_flow(echo_flow, base_version="1.0.0", content=loud, actor=actor, at=at)
    actions.deploy(echo_flow, actor=actor, at=at)
    assert call(server, key).json()["choices"][0]["message"]["content"] == "hello!"
    actions.rollback(echo, version=1, actor=actor, at=at)
    assert call(server, key).json()["choices"][0]["message"]["content"] == "hello"
