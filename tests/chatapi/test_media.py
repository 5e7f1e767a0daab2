"""Images, sounds and files: read, bounded and fetched before a model sees them, and told in traces by their digest."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from openai import OpenAI

from identity.models import User
from publishing.clients import images
from tests.chatapi.test_usage import recorded
from tests.support import upstream as scripted
from tests.support.certificates import certificate_of
from tests.support.chat_calls import call, error, hello
from tests.support.pictures import data_url, file, gif, image, jpeg, png, sound, webp
from tests.support.serving import Server, serving
from tests.support.thinking_flows import assistant
from tests.support.upstream import Upstream
from tests.support.upstream_answers import giving

KeyOf = Callable[[User], str]
NAME = "scaicore/acme/assistant"
ALL = ("images", "audio", "files")
URL = "messages[0].content[0].image_url.url"


def asking(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    content = [*parts, {"type": "text", "text": "What is it?"}]
    return hello(model=NAME, messages=[{"role": "user", "content": content}], **fields)


READ = {
    "png": (png(800, 600), "image/png"),
    "gif": (gif(800, 600), "image/gif"),
    "jpeg": (jpeg(800, 600), "image/jpeg"),
    **{f"webp {kind}": (webp(kind, 800, 600), "image/webp") for kind in ("VP8X", "VP8L", "VP8 ")},
}


@pytest.mark.parametrize("name", READ)
def test_an_image_says_what_it_is_and_how_large(name: str) -> None:
    data, media_type = READ[name]
    assert images.read(data) == (media_type, 800, 600, data)


@pytest.mark.parametrize("name", READ)
def test_no_beginning_of_an_image_breaks_the_reader(name: str) -> None:
    data, _ = READ[name]
    for end in range(len(data)):
        try:
            images.read(data[:end])
        except images.ImageRefused:
            continue


@pytest.mark.parametrize("part", [image(data_url(png())), image(data_url(jpeg(), "image/jpeg"), detail="low")])
def test_an_image_sent_as_data_reaches_the_model_as_it_came(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, part: Any
) -> None:
    assistant(root, "well", able=ALL)
    client = OpenAI(base_url=thinking.v1, api_key=key_of(ann), max_retries=0)
    messages: list[Any] = asking(part)["messages"]
    client.chat.completions.create(model=NAME, messages=messages)
    assert models.requests[0].json["messages"][-1] == messages[0]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "an SVG": (image(data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")), URL, "is no PNG"),
    "a page that says it is an image": (image(data_url(b"<html>")), URL, "is no PNG"),
    "50,000 by 50,000 pixels": (image(data_url(png(50_000, 50_000))), URL, "50000 × 50000 pixels"),
    "one very long row": (image(data_url(png(16_385, 1))), URL, "16385 × 1 pixels"),
    "many rows": (image(data_url(png(10_000, 10_000))), URL, "10000 × 10000 pixels"),
    "no pixels": (image(data_url(png(0, 1))), URL, "0 × 1 pixels"),
    "too many bytes": (image(data_url(png(size=10_000_001))), URL, "larger than 10000000 bytes"),
    "no base64": (image("data:image/png;base64,%%%"), URL, "base64"),
    "data that is no base64": (image("data:image/svg+xml,<svg/>"), URL, "base64"),
    "plain http": (image("http://a.example/cat.png"), URL, "`https://` URL"),
    "a file": (image("file:///etc/passwd"), URL, "`https://` URL"),
    "a private address": (image("https://10.0.0.1/cat.png"), URL, "address that is not called"),
    "the machine itself": (image("https://127.0.0.1/cat.png"), URL, "address that is not called"),
    "the cloud's own address": (image("https://169.254.169.254/latest/meta-data"), URL, "address that is not called"),
    "the machine by another spelling": (image("https://2130706433/cat.png"), URL, "address that is not called"),
    "a name that does not exist": (image("https://no.such.example.invalid/cat.png"), URL, "cannot be reached"),
    "no URL": ({"type": "image_url"}, "messages[0].content[0].image_url", "required"),
    "a bare URL": (
        {"type": "image_url", "image_url": "https://a.example/"},
        "messages[0].content[0].image_url",
        "object",
    ),
    "a strange detail": (image(data_url(png()), detail="x"), "messages[0].content[0].image_url.detail", "one of"),
    "a strange sound": (sound(kind="ogg"), "messages[0].content[0].input_audio.format", "one of"),
    "a broken sound": (sound("%%%"), "messages[0].content[0].input_audio.data", "base64"),
    "a stored file": (file(file_id="file-1"), "messages[0].content[0].file.file_id", "No files are stored"),
    "an empty file": (file(filename="a.pdf"), "messages[0].content[0].file.file_data", "required"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_passed_on_is_400_and_asks_nobody(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, name: str
) -> None:
    part, param, said = REFUSED[name]
    assistant(root, "well", able=ALL)
    answer = call(thinking, key_of(ann), asking(part))
    assert (answer.status_code, error(answer)["param"]) == (400, param)
    assert said in error(answer)["message"]
    assert not models.requests


def test_too_many_of_them_are_400(thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf) -> None:
    assistant(root, "well", able=ALL)
    key = key_of(ann)
    for parts in ([image(data_url(png()))] * 101, [image("https://a.example/x.png")] * 21):
        answer = call(thinking, key, asking(*parts))
        assert (answer.status_code, error(answer)["param"], models.requests) == (400, "messages", [])


def test_media_count_where_no_model_reports_tokens(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "no-usage-no-done", able=ALL)
    key = key_of(ann)
    plain, low, high = (
        call(thinking, key, asking(*parts)).json()["usage"]["prompt_tokens"]
        for parts in ([], [image(data_url(png(1024, 1024)), detail="low")], [image(data_url(png(1024, 1024)))])
    )
    assert (low - plain, high - plain) == (85, 85 + 4 * 170)


def test_an_invocation_obeys_the_same_bounds(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    core, headers = assistant(root, "well", able=["images"]), {"authorization": f"Bearer {key_of(ann)}"}
    url = f"{thinking.v1}/modules/scaicore/cores/{core.pk}/invoke"
    inputs = [
        {"messages": asking(part)["messages"]}
        for part in (image(data_url(png())), image("https://10.0.0.1/x.png"), sound())
    ]
    answers = [requests.post(url, json={"input": given}, headers=headers, timeout=30) for given in inputs]
    assert [answer.status_code for answer in answers] == [200, 422, 422]


def test_a_trace_tells_size_and_digest_and_never_the_bytes(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    core, key = assistant(root, "well", able=ALL, tracing=True), key_of(ann)
    picture = png(size=40_000)
    answer = call(thinking, key, asking(image(data_url(picture)), sound("UklGRg=="), file(file_data="aGVsbG8=")))
    recorded(1)
    url = f"{thinking.v1}/modules/scaicore/cores/{core.pk}/runs/{answer.headers['x-request-id']}"
    run = requests.get(url, headers={"authorization": f"Bearer {key}"}, timeout=30)
    kept = str(run.json()["data"]["nodes"][0]["result"])
    assert f"data:image/png;base64,(40000 bytes, sha256 {hashlib.sha256(picture).hexdigest()})" in kept
    assert all(f"({size} bytes, sha256" in kept for size in (4, 5))
    assert all(data not in run.text for data in ("iVBORw0", "UklGRg", "aGVsbG8"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_of("localhost", tmp_path_factory.mktemp("tls") / "localhost.pem")


@pytest.fixture(scope="module")
def gallery(certificate: Path) -> Iterator[Upstream]:
    """A web server with images, by https."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with scripted.running(context) as running:
        yield running


@pytest.fixture(scope="module")
def seeing_process(
    models: Upstream, gallery: Upstream, certificate: Path, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Server]:
    allowed = {"OUTBOUND_ALLOWED_HOSTS": f"127.0.0.1:{models.port}", "IMAGE_ALLOWED_HOSTS": f"localhost:{gallery.port}"}
    with django_db_blocker.unblock(), serving(SSL_CERT_FILE=str(certificate), **allowed) as server:
        yield server


@pytest.fixture
def seeing(thinking: Server, seeing_process: Server, gallery: Upstream) -> Server:
    """A server that may fetch from the gallery."""
    gallery.forget()
    return seeing_process


def linked(gallery: Upstream, path: str) -> dict[str, Any]:
    return image(f"https://localhost:{gallery.port}{path}")


def test_a_linked_image_is_fetched_here_and_reaches_the_model_as_data(
    seeing: Server, gallery: Upstream, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "well", able=ALL)
    gallery.plays("/cat.png", giving(png(), kind="text/html"))
    answer = call(seeing, key_of(ann), asking(linked(gallery, "/cat.png"), linked(gallery, "/cat.png")))
    assert answer.status_code == 200, answer.text
    sent = models.requests[0].json["messages"][-1]["content"]
    assert [part["image_url"]["url"] for part in sent[:2]] == [data_url(png())] * 2
    assert "authorization" not in gallery.requests[0].headers


def test_an_image_that_an_invocation_links_is_fetched_as_well(
    seeing: Server, gallery: Upstream, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    core, headers = assistant(root, "well", able=ALL), {"authorization": f"Bearer {key_of(ann)}"}
    gallery.plays("/cat.png", giving(png()))
    given = {"message": "What is it?", "messages": asking(linked(gallery, "/cat.png"))["messages"]}
    url = f"{seeing.v1}/modules/scaicore/cores/{core.pk}/invoke"
    assert requests.post(url, json={"input": given}, headers=headers, timeout=30).status_code == 200
    assert models.requests[0].json["messages"][-1]["content"][0]["image_url"]["url"] == data_url(png())


LINKS: dict[str, tuple[Any, str]] = {
    "/missing": (None, "answers with the status 404"),
    "/flood": (None, "larger than 10000000 bytes"),
    "/bomb": (None, "larger than 10000000 bytes"),
    "/svg": (giving(b"<svg/>", kind="image/svg+xml"), "is no PNG"),
    "/huge": (giving(png(50_000, 50_000), kind="image/png"), "50000 × 50000 pixels"),
    "/cut": (None, "cannot be"),
    "/away": (giving(b"", status=302, location="https://10.0.0.1/cat.png"), "address that is not called"),
    "/down": (giving(b"", status=302, location="http://localhost/cat.png"), "address that is not called"),
}


@pytest.mark.parametrize("path", LINKS)
def test_a_link_that_leads_to_no_image_is_400_and_asks_nobody(
    seeing: Server, gallery: Upstream, models: Upstream, root: User, ann: User, key_of: KeyOf, path: str
) -> None:
    script, said = LINKS[path]
    assistant(root, "well", able=ALL)
    if script is not None:
        gallery.plays(path, script)
    answer = call(seeing, key_of(ann), asking(linked(gallery, path)))
    assert (answer.status_code, error(answer)["param"]) == (400, URL)
    assert said in error(answer)["message"]
    assert "localhost" not in error(answer)["message"]
    assert not models.requests
