"""Values in a URL that the database would choke on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest
import requests
from django.test import Client

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO, call, error
from tests.support.serving import Server

UNUSABLE = [
    "/admin/identity/user/%00/change/",
    "/admin/publishing/core/%00/change/",
    "/admin/identity/apikey/%00/history/",
    "/admin/autocomplete/?app_label=identity&model_name=user&field_name=tenant&term=%00",
    "/admin/autocomplete/?app_label=identity&model_name=user&field_name=tenant&term=a&page=99999999999999999999",
    "/admin/identity/user/?created_at__year=99999999",
    "/admin/identity/apikey/?expires_at__year=0",
    "/admin/publishing/flow/?updated_at__year=99999999999999999999",
    "/flows/%00/",
    "/models/%00/",
    "/static/a%00b.css",
]


@pytest.fixture
def operator(root: User, client: Client) -> Client:
    root.is_superuser = True
    root.save()
    client.force_login(root)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_value_that_the_database_cannot_take_is_400_or_404(operator: Client, url: str) -> None:
    assert operator.get(url).status_code in (400, 404)


def test_a_nul_in_the_url_of_a_form_is_400_or_404(operator: Client) -> None:
    assert operator.post("/admin/identity/user/%00/change/", {"email": "x"}).status_code in (400, 404)


@pytest.mark.parametrize("url", ["/admin/identity/user/?q=%00", "/admin/identity/user/?p=x", "/login/?next=%00"])
def test_a_value_that_is_ignored_fails_nothing(operator: Client, url: str) -> None:
    assert operator.get(url).status_code in (200, 302)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", ["/v1/a%0Ab", "/v1/%0A", "/oai/v1/%0Ax", "/v1%0A", "/v1/models%0A/x", "/hooks/%0A", "/hooks/a%0A/b/c"]
)
def test_a_path_with_a_line_end_gets_the_envelope_of_its_prefix(client: Client, url: str) -> None:
    answer = client.get(url)
    assert (answer.status_code, answer["content-type"]) == (404, "application/json")
    assert "error" in answer.json()


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
def test_a_compressed_body_is_415_and_says_so(
    server: Server, ann: User, echo: Core, key_of: Callable[[User], str], encoding: str
) -> None:
    body = gzip.compress(json.dumps(HELLO).encode())
    answer = call(server, key_of(ann), body, **{"content-encoding": encoding})
    assert (answer.status_code, error(answer)["code"]) == (415, "unsupported_media_type")
    assert "Content-Encoding" in error(answer)["message"]


def test_a_body_that_is_declared_to_be_itself_is_read(
    server: Server, ann: User, echo: Core, key_of: Callable[[User], str]
) -> None:
    assert call(server, key_of(ann), **{"content-encoding": "identity"}).status_code == 200


@pytest.mark.parametrize("url", ["/api/v1/flows", "/v1/modules/scaicore/cores"])
def test_a_compressed_body_of_the_control_plane_is_415_as_well(
    lean_server: Server, transactional_db: None, root: User, key_of: Callable[[User], str], url: str
) -> None:
    headers = {
        "authorization": f"Bearer {key_of(root)}",
        "content-encoding": "gzip",
        "content-type": "application/json",
    }
    answer = requests.post(lean_server.url + url, data=gzip.compress(b"{}"), headers=headers, timeout=30)
    assert answer.status_code == 415
    assert "compressed" in answer.text
