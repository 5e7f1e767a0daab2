"""What the last part of a model's name is: made from the flow's name, or chosen before the first deploy, for good."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.models import Core, Flow
from tests.conftest import echo_document
from tests.support.api_calls import Rest


def drawn(root: User, name: str = "Echo", **config: Any) -> Flow:
    content = echo_document(**config)
    return actions.create_flow(tenant=root.tenant, name=name, content=content, actor=actor_of(root), at=timezone.now())


def deploy(caller: Rest, flow: Flow, **body: Any) -> Any:
    return caller.post(f"/api/v1/flows/{flow.pk}/deploy", body)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Привет мир", "privet-mir"),
        ("日本語", "ribenyu"),
        ("Ελληνικά", "ellinika"),
        ("한국어 도우미", "hangugeo-doumi"),
        ("Grüße", "grusse"),
        ("Straße 7", "strasse-7"),
        ("…", "core"),
    ],
)
def test_a_name_in_any_script_is_written_in_latin_letters(root: User, as_root: Rest, name: str, slug: str) -> None:
    assert deploy(as_root, drawn(root, name)).json()["slug"] == slug


def test_the_document_chooses(root: User, as_root: Rest) -> None:
    assert deploy(as_root, drawn(root, slug="mine")).json()["published_slug"] == "scaicore/acme/mine"


def test_the_deploy_chooses_before_the_document(root: User, as_root: Rest) -> None:
    assert deploy(as_root, drawn(root, slug="theirs"), slug="mine").json()["slug"] == "mine"


def test_a_later_deploy_may_name_it_and_not_another(root: User, as_root: Rest) -> None:
    flow = drawn(root, slug="mine")
    assert [deploy(as_root, flow, slug=slug).status_code for slug in ("mine", "mine", "other")] == [200, 200, 422]
    [problem] = deploy(as_root, flow, slug="other").json()["detail"]["details"]
    assert (problem["field"], "called mine" in problem["message"]) == ("slug", True)
    assert Core.objects.get().live.number == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("slug", ["Bad Slug", "-a", "a-", "ä", "x" * 64, "a_b", "a/b", "a\nb"])
def test_one_that_cannot_be_is_refused_by_the_deploy_and_found_in_the_document(
    root: User, as_root: Rest, slug: str
) -> None:
    assert deploy(as_root, drawn(root, "One"), slug=slug).status_code == 422
    refused = deploy(as_root, drawn(root, "Two", slug=slug)).json()["detail"]
    assert refused["error"] == "compile_error"
    assert [found["path"] for found in refused["diagnostics"]] == ["config.slug"]
    assert not Core.objects.exists()


@pytest.mark.parametrize("slug", [7, None, ["a"], {}])
def test_one_of_another_shape_is_found_in_the_document(root: User, as_root: Rest, slug: Any) -> None:
    assert deploy(as_root, drawn(root, slug=slug)).json()["detail"]["error"] == "compile_error"


def test_one_that_is_taken_is_refused_not_numbered(root: User, as_root: Rest) -> None:
    assert deploy(as_root, drawn(root, "One", slug="mine")).status_code == 200
    answer = deploy(as_root, drawn(root, "Two", slug="mine"))
    assert (answer.status_code, answer.json()["detail"]["error"]) == (409, "slug_conflict")


def test_a_file_chooses(root: User, tmp_path: Path) -> None:
    (tmp_path / "echo.json").write_text(json.dumps(echo_document()))
    file = tmp_path / "grid.yaml"
    file.write_text("tenants:\n  - slug: acme\n    flows:\n      - {file: echo.json, deploy: true, slug: mine}\n")
    for _ in range(2):
        call_command("apply", str(file), stdout=StringIO())
    assert Core.objects.get().slug == "mine"
    file.write_text(file.read_text().replace("mine", "other"))
    with pytest.raises(CommandError, match="a slug never changes"):
        call_command("apply", str(file), stdout=StringIO())


def test_the_properties_choose_until_the_first_deploy(client: Any, root: User, as_root: Rest) -> None:
    client.force_login(root)
    flow = drawn(root)
    page = client.get(f"/flows/{flow.pk}/?plain")
    form = page.context["form"]
    sent = {field.name: field.value() for field in form if field.value() not in (None, False, [])} | {"slug": "mine"}
    assert client.post(f"/flows/{flow.pk}/", sent).status_code == 302
    assert deploy(as_root, flow).json()["slug"] == "mine"
    assert "slug" not in client.get(f"/flows/{flow.pk}/?plain").context["form"].fields
