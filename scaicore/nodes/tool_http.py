"""A call of somebody else's server. The value of a placeholder stays inside it: it can change neither the host nor the
structure of the path, nor begin another header."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunFailed, SourceUnreadable
from scaicore.jsondata import Json, defect, encode
from scaicore.language.charsets import decoded
from scaicore.language.templates import Template
from scaicore.masking import Mask
from scaicore.nodes import templated_values
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program
from scaicore.services import HttpAnswer, HttpCall

TIMEOUT_S: Final = 30.0
MAX_URL: Final = 8_000
SECRETS: Final = "secrets"
_HOST: Final = re.compile(r"https?://[^/?#\\\s@]+[/?#]", re.IGNORECASE)
_WHOLE: Final = re.compile(r"https?://[^/?#\\\s@]+([/?#]\S*)?", re.IGNORECASE)
_NOTHING: Final = "\0"  # where a value left nothing behind
# Segments that a server may resolve against those before them, in all spellings that decode to dots.
_DOTS: Final = frozenset(("", ".", "..", "%2e", "%2e%2e", ".%2e", "%2e."))
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
# The client sets these; a second one could make two servers disagree about where a request ends.
_OURS: Final = frozenset(("host", "content-length", "transfer-encoding", "connection"))


class ToolHttp(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """Texts in `url`, `headers`, `query`, `json` and `body` are templates; the URL's host is not. `secret_refs` name
    the tenant's secrets: a header reads one as `{{secrets.name}}`, and a name that no header reads is a header itself.
    `expect_status` are the accepted answers, by default 200 to 299."""

    url: Annotated[
        str,
        field(
            "URL",
            "What is called; a template behind the host.",
            "https://api.example.com/orders/{{number}}",
            "template",
        ),
    ]
    method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], field("Method", "The method.", "POST")
    ] = "GET"
    headers: Annotated[
        dict[str, str],
        field("Headers", "Further headers; templates.", {"Authorization": "Bearer {{secrets.api_key}}"}, "template"),
    ] = {}
    query: Annotated[
        dict[str, str], field("Query", "The query's fields; templates.", {"q": "{{message}}"}, "template")
    ] = {}
    json: Annotated[Any, field("JSON", "The body as JSON, whose texts are templates.", {"text": "{{message}}"})] = (
        msgspec.UNSET
    )
    body: Annotated[
        str | None, field("Body", "In place of JSON: the body as a text; a template.", "{{draft}}", "template")
    ] = None
    expect_status: Annotated[
        list[int], field("Expect status", "The statuses that are no failure; left out, 200 to 299.", [200, 404])
    ] = []
    secret_refs: Annotated[
        dict[str, str],
        field("Secret refs", "By the name that headers use, the tenant's secret.", {"api_key": "orders_api"}),
    ] = {}


def _prepare(config: ToolHttp, _program: Program) -> Work:
    url = Template(config.url)
    query = {name: Template(text) for name, text in config.query.items()}
    headers = {name: Template(text) for name, text in config.headers.items()}
    body = _body(config)

    async def call(node_run: NodeRun) -> Json:
        http = node_run.services.http
        if http is None:
            raise RunFailed("no_http")
        content_type, content = body(node_run)
        secrets = {name: await http.secret(ref) for name, ref in config.secret_refs.items()}
        request = HttpCall(
            method=config.method,
            url=_url(url, node_run),
            headers=content_type | _headers(headers, secrets, node_run),
            query={name: node_run.fill(text) for name, text in query.items()},
            body=content,
            timeout_s=min(config.timeout_s or TIMEOUT_S, node_run.remaining()),
        )
        answer = await http.send(request)
        _expect(answer.status, config.expect_status)
        return _result(answer, secrets.values())

    return call


def _url(template: Template, node_run: NodeRun) -> str:
    """The URL with every filled-in value percent-encoded; RunFailed when one leaves its segment empty or all dots."""
    missing: list[str] = []
    url = template.fill_encoded(node_run.scope, missing, _inside)
    node_run.miss(missing)
    segments = re.split(r"[?#]", url, maxsplit=1)[0].split("/")[3:]
    # An emptied segment would ask for something else: all orders instead of one.
    if len(url) > MAX_URL or any(segment.strip(_NOTHING).lower() in (_DOTS if segment else ()) for segment in segments):
        raise RunFailed("bad_url")
    return url.replace(_NOTHING, "")


def _inside(text: str) -> str:
    return quote(text, safe="", errors="replace") or _NOTHING


def _headers(templates: dict[str, Template], secrets: dict[str, str], node_run: NodeRun) -> dict[str, str]:
    """The headers, each one line; a secret goes nowhere else."""
    scope = node_run.scope | {SECRETS: secrets}
    missing: list[str] = []
    read = {path[1] for text in templates.values() for path in text.paths if len(path) > 1 and path[0] == SECRETS}
    filled = {name: text.fill(scope, missing) for name, text in templates.items()}
    node_run.miss(missing)
    filled |= {name: secret for name, secret in secrets.items() if name not in read}
    return {name.lower(): _CONTROL.sub(" ", text).strip() for name, text in filled.items()}


def _body(config: ToolHttp) -> Callable[[NodeRun], tuple[dict[str, str], bytes | None]]:
    """What is sent, with the header that says what it is."""
    if config.json is not msgspec.UNSET:
        make = templated_values.maker(config.json)
        return lambda node_run: ({"content-type": "application/json"}, _bytes(encode(make(node_run))))
    if config.body is not None:
        template = Template(config.body)
        return lambda node_run: ({"content-type": "text/plain; charset=utf-8"}, _bytes(node_run.fill(template)))
    return lambda _visit: ({}, None)


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _expect(status: int, expected: list[int]) -> None:
    if status not in expected if expected else not 200 <= status < 300:
        raise RunFailed("unexpected_status")


def _result(answer: HttpAnswer, secrets: Iterable[str]) -> Json:
    """`{status, headers, json}` when the answer says that it is JSON and is; else `{status, headers, text}`. A secret
    that the server gives back is taken out of all of it: results are shown in traces, and to callers."""
    mask = Mask(secrets)
    kind = answer.headers.get("content-type", "")
    text = decoded(answer.body, kind)
    result = {"status": answer.status, "headers": mask.value(dict(answer.headers))}
    if "json" in kind.partition(";")[0].lower():
        try:
            value = msgspec.json.decode(text)
            if defect(value) is None:
                return result | {"json": mask.value(value)}
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass
    return result | {"text": mask.text(text.replace("\0", ""))}


def _check(config: ToolHttp, check: NodeCheck) -> Iterator[Diagnostic]:
    yield from _check_url(config.url, check)
    if config.json is not msgspec.UNSET and config.body is not None:
        yield check.error("bad_value", "send either `json` or `body`, not both.", "body")
    texts = {"body": config.body or "", **{f"query.{name}": text for name, text in config.query.items()}}
    for key, text in texts.items():
        yield from check.template(text, key)
    for text in templated_values.texts(config.json):
        yield from check.template(text, "json")
    yield from _check_headers(config, check)


def _check_url(url: str, check: NodeCheck) -> Iterator[Diagnostic]:
    yield from check.template(url, "url")
    try:
        template = Template(url)
    except SourceUnreadable:
        return
    if not (_HOST.match(template.head) if template.paths else _WHOLE.fullmatch(url)):
        message = "`url` must begin with `https://`, a host and a `/`. Placeholders may only follow after that, "
        yield check.error("bad_value", f"{message}so that no caller can choose the server.", "url")


def _check_headers(config: ToolHttp, check: NodeCheck) -> Iterator[Diagnostic]:
    for name in [*config.headers, *config.secret_refs]:
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            yield check.error("bad_value", f"`{name[:80]}` cannot name a header here; use another name.", "headers")
    for name, text in config.headers.items():
        for finding in check.template(text, f"headers.{name}"):
            if not (finding.code == "unknown_name" and f"`{SECRETS}`" in finding.message):
                yield finding
        for path in _paths(text):
            if path[0] == SECRETS and path[1:2] and path[1] not in config.secret_refs:
                message = f"the header `{name}` reads the secret `{path[1]}`, which `secret_refs` does not name."
                yield check.error("bad_value", message, f"headers.{name}")


def _paths(source: str) -> tuple[tuple[str, ...], ...]:
    try:
        return Template(source).paths
    except SourceUnreadable:
        return ()


TOOL_HTTP = NodeKind(
    kind="tool_http",
    label="HTTP request",
    category="tool",
    summary="Calls another server; the result holds status, headers, and JSON or text.",
    config=ToolHttp,
    prepare=_prepare,
    check=_check,
    waits=True,
)
