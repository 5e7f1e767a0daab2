"""The web pages around a flow: sign-in, the list, who may what, and what every page has in common."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from identity.actors import actor_of
from identity.models import Tenant, User
from publishing import actions
from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.browsing import page_of
from webui.views import flows

PEOPLE = ("root", "ann", "bo", "cy", "nobody")


def sign_in(client: Client, email: str, password: str, url: str = "/login/") -> Any:
    return client.post(url, {"username": email, "password": password})


def test_sign_in_leads_to_the_start_page_however_the_address_is_written(client: Client, root: User) -> None:
    response = sign_in(client, " Root@ACME.test ", "change-me")
    assert (response.status_code, response.headers["location"]) == (302, "/")


def test_admins_start_at_the_flows_and_everybody_else_at_the_models(client: Client, root: User, ann: User) -> None:
    assert client.get("/").headers["location"] == "/login/?next=/"
    for user, start in ((root, "/flows/"), (ann, "/models/")):
        client.force_login(user)
        assert client.get("/").headers["location"] == start


def test_a_script_without_a_session_is_told_so_and_not_sent_to_sign_in(client: Client, echo_flow: Flow) -> None:
    answer = client.get(f"/flows/{echo_flow.pk}/state/", headers={"accept": "application/json"})
    assert (answer.status_code, answer.content) == (401, b"")


def test_sign_in_leads_back_to_the_page_that_was_asked_for(client: Client, root: User) -> None:
    asked = client.get("/flows/flow_x/?node=a")
    assert asked.headers["location"] == "/login/?next=/flows/flow_x/%3Fnode%3Da"
    response = sign_in(client, root.email, "change-me", url=asked.headers["location"])
    assert response.headers["location"] == "/flows/flow_x/?node=a"


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"])
def test_sign_in_never_leads_to_another_site(client: Client, root: User, target: str) -> None:
    response = client.post("/login/", {"username": root.email, "password": "change-me", "next": target})
    assert response.headers["location"] == "/"


@pytest.mark.parametrize("email, password", [("root@acme.test", "wrong"), ("who@acme.test", "change-me"), ("x\0", "y")])
def test_a_wrong_sign_in_is_told_what_to_do(client: Client, root: User, email: str, password: str) -> None:
    page = page_of(sign_in(client, email, password))
    assert 'role="alert"' in page or 'class="error"' in page
    assert "_auth_user_id" not in client.session


def test_users_of_a_switched_off_tenant_are_neither_let_in_nor_kept_in(client: Client, root: User) -> None:
    client.force_login(root)
    Tenant.objects.update(is_active=False)
    assert client.get("/flows/").headers["location"] == "/login/?next=/flows/"
    assert "No active account has this e-mail address and password." in page_of(
        sign_in(client, root.email, "change-me")
    )
    assert client.get("/flows/").status_code == 302


def test_sign_out_ends_the_session(client: Client, root: User) -> None:
    client.force_login(root)
    assert client.get("/logout/").status_code == 405
    client.post("/logout/")
    assert client.get("/flows/").status_code == 302


ACCESS = {
    ("GET", "/flows/"): (200, 200, 200, 200, 302),
    ("GET", "/flows/new/"): (200, 403, 403, 200, 302),
    ("POST", "/flows/new/"): (302, 403, 403, 302, 302),
    ("GET", "/flows/{flow}/"): (200, 200, 200, 404, 302),
    ("POST", "/flows/{flow}/"): (200, 403, 403, 404, 302),
    ("POST", "/flows/{flow}/deploy/"): (409, 403, 403, 404, 302),
    ("GET", "/flows/flow_unknown/"): (404, 404, 404, 404, 302),
}


@pytest.mark.parametrize("person, place", [(person, place) for place, person in enumerate(PEOPLE)])
@pytest.mark.parametrize("method, url", ACCESS)
def test_who_may_what(
    client: Client, request: pytest.FixtureRequest, echo_flow: Flow, method: str, url: str, person: str, place: int
) -> None:
    if person != "nobody":
        client.force_login(request.getfixturevalue(person))
    sent = client.generic(method, url.format(flow=echo_flow.pk), "name=X", "application/x-www-form-urlencoded")
    assert sent.status_code == ACCESS[method, url][place]
    assert echo_flow.versions.count() == 1
    assert not Core.objects.exists()


def test_a_foreign_flow_reads_like_one_that_never_existed(client: Client, cy: User, echo_flow: Flow) -> None:
    client.force_login(cy)
    foreign, unknown = client.get(f"/flows/{echo_flow.pk}/"), client.get("/flows/flow_unknown/")
    hidden = re.compile(rb'value="[\w]{64}"')
    assert hidden.sub(b"", foreign.content) == hidden.sub(b"", unknown.content)


def test_others_of_the_tenant_read_everything_but_the_groups(client: Client, ann: User, narrow_echo: Core) -> None:
    client.force_login(ann)
    page = page_of(client.get(f"/flows/{narrow_echo.flow_id}/"))
    assert "Only tenant admins of Acme may change, save and deploy this flow: root@acme.test." in page
    assert "You can call it." in page
    assert "group_acme_eng" not in page
    assert "data-save" not in page
    assert "data-deploy" not in page


def test_one_outside_the_groups_is_told_so(client: Client, bo: User, narrow_echo: Core) -> None:
    client.force_login(bo)
    assert "you are in none of them" in page_of(client.get(f"/flows/{narrow_echo.flow_id}/"))


def test_the_list_shows_the_own_tenants_flows_and_where_each_stands(
    client: Client, root: User, cy: User, echo: Core
) -> None:
    made(cy, "Foreign")
    made(root, "Fresh")
    client.force_login(root)
    page = page_of(client.get("/flows/"))
    assert "Foreign" not in page
    assert "Not deployed" in page
    assert "published as <code>scaicore/acme/echo-agent</code>" in page


def test_an_empty_list_says_what_to_do_next(client: Client, root: User, ann: User) -> None:
    client.force_login(root)
    assert "Create the first flow" in page_of(client.get("/flows/"))
    client.force_login(ann)
    assert "A tenant admin of Acme can create the first one." in page_of(client.get("/flows/"))


def test_the_list_pages_and_keeps_the_search(client: Client, root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "PAGE_SIZE", 2)
    for name in ("Echo 1", "Echo 2", "Echo 3", "Other"):
        made(root, name)
    client.force_login(root)
    page = page_of(client.get("/flows/?q=echo"))
    assert (page.count("Echo"), page.count("Other")) == (2, 0)
    assert 'href="?q=echo&amp;page=2"' in page
    assert "Echo 1" in page_of(client.get("/flows/?q=echo&page=2"))


@pytest.mark.parametrize("query", ["q=%00", "page=x", "page=-1", "q=%FF&page=99"])
def test_odd_queries_are_answered_with_a_page(client: Client, root: User, echo_flow: Flow, query: str) -> None:
    client.force_login(root)
    page_of(client.get(f"/flows/?{query}"))


def test_a_new_flow_starts_as_an_echo_that_deploys(client: Client, root: User) -> None:
    client.force_login(root)
    response = client.post("/flows/new/", {"name": "My first", "description": ""})
    flow = Flow.objects.get()
    assert response.headers["location"] == f"/flows/{flow.pk}/"
    assert (flow.name, flow.owner) == ("My first", root)
    actions.deploy(flow, actor=actor_of(root), at=timezone.now())


def test_a_new_flow_without_a_name_is_refused_beside_the_field(client: Client, root: User) -> None:
    client.force_login(root)
    assert 'id="id_name_error"' in page_of(client.post("/flows/new/", {"name": " "}))


RUBBISH: list[dict[str, Any]] = [
    {},
    {"nodes": 1, "edges": "x", "config": []},
    {"nodes": [1, None, {"id": 1}, {"id": "a"}, {"id": "b", "type": "x", "position": {"x": "1"}}], "edges": [None, {}]},
    {"nodes": [{"id": "a", "type": "t", "position": {"x": 1e300, "y": -1e300}}] * 3},
    {
        "nodes": [{"id": name, "type": "t"} for name in "abc"],
        "edges": [{"source": {"node": a}, "target": {"node": b}} for a, b in ("ab", "bc", "ca", "aa", "ax")],
    },
    {"nodes": [{"id": f"n{number}", "type": "entry_api"} for number in range(400)]},
]


@pytest.mark.parametrize("content", RUBBISH)
def test_any_document_that_can_be_saved_can_be_looked_at(client: Client, root: User, content: dict[str, Any]) -> None:
    flow = made(root, "Rubbish", content)
    client.force_login(root)
    page_of(client.get(f"/flows/{flow.pk}/?node=a"))


def test_what_people_wrote_is_never_markup(client: Client, root: User) -> None:
    content = echo_document()
    content["nodes"][1] |= {"label": "<script>x</script>", "id": "`<i>`\"'", "type": "<u>"}
    flow = made(root, "<b>Bold</b>", content)
    client.force_login(root)
    page = page_of(client.get(f"/flows/{flow.pk}/")) + page_of(client.get("/flows/"))
    assert not re.search(r"<(script>|b>|i>|u>)", page)


@pytest.mark.parametrize("url", ["/flows/", "/flows/new/", "/flows/{flow}/", "/flows/nope/", "/login/"])
def test_pages_hold_to_the_policy_and_are_not_kept(client: Client, root: User, echo: Core, url: str) -> None:
    if url != "/login/":
        client.force_login(root)
    response = client.get(url.format(flow=echo.flow_id))
    page = re.sub(r' data-page="[^"]*"', "", response.content.decode())  # text for the editor, with examples of URLs
    assert "default-src 'self'" in response.headers["content-security-policy"]
    inline = r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)"
    elsewhere = r'(?:src|href|action)="https?://(?!testserver)'
    assert not re.search(f"{inline}|{elsewhere}", page)
    if response.status_code == 200:
        assert "no-store" in response.headers["cache-control"]


def test_a_form_without_its_token_is_refused_in_words(root: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    response = strict.post("/flows/new/", {"name": "X"})
    assert (response.status_code, "The form has expired" in response.content.decode()) == (403, True)


def test_an_error_of_ours_has_a_page_of_its_own(client: Client, root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows.deploy_state, "list_flows", lambda *_: 1 / 0)
    client.force_login(root)
    client.raise_request_exception = False
    response = client.get("/flows/")
    assert (response.status_code, "Something went wrong here" in response.content.decode()) == (500, True)


def made(owner: User, name: str, content: dict[str, Any] | None = None) -> Flow:
    return actions.create_flow(
        tenant=owner.tenant,
        name=name,
        content=echo_document() if content is None else content,
        owner=owner,
        actor=actor_of(owner),
        at=timezone.now(),
    )
