"""The documents say what the code does: tables, paths, targets, links and examples are compared with it."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
import yaml
from django.core.management import get_commands
from django.forms.utils import pretty_name
from django.urls import Resolver404, get_resolver, resolve
from django.urls.resolvers import URLPattern, URLResolver

import scaicore
from chatapi import chat_request
from chatapi.errors import ChatError, FieldInvalid
from identity.errors import ActionRefused
from publishing.api import errors as api_errors
from publishing.declared import schema
from scaicore.errors import REASONS
from scaicore.nodes import describe
from scaicore.nodes.base import NodeConfig, NodeKind
from scaigrid_site.conf import Conf
from webui.forms import PropertiesForm

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
ROOMS = ("identity", "scaicore", "publishing", "chatapi", "webui", "scaigrid_site")
METHODS = ("get", "post", "put", "patch", "delete")
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

Endpoint = tuple[type, str]


def table(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table under the heading, without its head."""
    under = page.read_text().partition(f"\n{heading}\n")[2]
    assert under, f"{page.name} has no heading {heading!r}"
    lines = re.search(r"(?:^\|.*\n)+", under, re.MULTILINE)
    assert lines is not None
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[0].splitlines()[2:]]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def words(cell: str) -> list[str]:
    """What is in backticks."""
    return re.findall(r"`([^`]+)`", cell)


# README


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"^(?:\w+=\S+ )*make ([a-z-]+)|`(?:\w+=\S+ )*make ([a-z-]+)", text, re.MULTILINE))
    named = {target for pair in named for target in pair if target}
    assert {"run", "check", "test"} <= named
    assert named - targets == set()


def test_the_picture_of_the_floors_is_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawn = re.findall(r"^floor (\d) +(\w+(?: +\| +\w+)?)  ", README.read_text(), re.MULTILINE)
    assert [number for number, _ in drawn] == [str(number) for number in reversed(range(len(layers)))]
    assert [re.sub(r" +", " ", names) for _, names in drawn] == layers


def test_every_package_is_a_room_in_the_readme() -> None:
    packages = {
        f"{path.parent.relative_to(ROOT)}/"
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
        if path.parent.name not in ("migrations", "management")
    }
    shown = {word for cells in table(README, "## The rooms") for word in words(cells[0])}
    assert packages - shown == set()


def test_every_file_that_the_map_names_exists() -> None:
    for room, what in table(README, "## The rooms"):
        folders = [ROOT / word for word in words(room)]
        files = [word for word in words(what) if word.endswith(".py")]
        missing = [word for word in files if not any((_folder(folder) / word).is_file() for folder in folders)]
        assert missing == [], room
        assert all(folder.exists() or list(ROOT.glob(str(folder.relative_to(ROOT)))) for folder in folders), room


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


# Settings


def setting_row(setting: Field[Any]) -> str:
    """The line of a setting in docs/settings.md."""
    return f"| `{setting.name}` | {_shown(setting.default)} | {setting.metadata['doc']} |"


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "`on`" if default else "`off`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`" if default not in ("", ()) else "empty"


def test_the_settings_table_is_conf() -> None:
    page = (DOCS / "settings.md").read_text()
    assert re.findall(r"^\| `.*$", page, re.MULTILINE) == [setting_row(setting) for setting in fields(Conf)]


# Errors


def chat_errors() -> list[tuple[str, str, str]]:
    found = []
    for status, kind, code, *_ in table(DOCS / "errors.md", "## Chat: `/v1` and `/oai/v1`"):
        found.append((status, words(kind)[0], words(code)[0]))
    return found


def test_every_error_of_the_chat_is_documented() -> None:
    rows = {(str(kind.status), kind.type, kind.code) for kind in _classes_below(ChatError)}
    refined = {(str(FieldInvalid.status), FieldInvalid.type, code) for code in _codes_of_fields()}
    assert len(refined) >= 4
    assert set(chat_errors()) == rows | refined
    assert len(chat_errors()) == len(set(chat_errors()))


Kind = TypeVar("Kind", bound=Exception)


def _classes_below(parent: type[Kind]) -> Iterator[type[Kind]]:
    """Every class of the product below `parent`, in the order of its file."""
    for kind in parent.__subclasses__():
        if kind.__module__.partition(".")[0] in ROOMS:
            yield kind
        yield from _classes_below(kind)


def _codes_of_fields() -> set[str]:
    """The codes with which the sources refuse a field: a literal argument, or a literal bound to `code`.

    The classes of errors declare codes of their own.
    """
    found: set[str] = set()
    sources = {*(ROOT / "chatapi").glob("*.py"), *(ROOT / "scaigrid_site").glob("*.py")}
    for path in sources - {ROOT / "chatapi" / "errors.py"}:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in ("refused_field", "FieldInvalid"):
                arguments = [*node.args[2:], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
                found |= _texts(arguments)
            elif isinstance(node, ast.Assign) and [_name(target) for target in node.targets] == ["code"]:
                found |= _texts([node.value])
    return found


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _texts(nodes: list[ast.expr]) -> set[str]:
    leaves = [leaf for node in nodes for leaf in ([node.body, node.orelse] if isinstance(node, ast.IfExp) else [node])]
    found = {leaf.value for leaf in leaves if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)}
    return {text for text in found if text.islower()}


def test_every_refusal_of_the_control_plane_is_documented_in_both_envelopes() -> None:
    listed = [(cells[0], cells[1]) for cells in table(DOCS / "errors.md", CONTROL_PLANE)]
    specs = [*_classes_below(ActionRefused), *api_errors.FOREIGN.values()]
    assert set(listed) == {_both_answers(spec) for spec in specs}
    assert len(listed) == len(set(listed))


CONTROL_PLANE = "## Cores and publications: `/v1/modules`; flows, keys, groups: `/api/v1`"


def _both_answers(spec: type[ActionRefused] | api_errors.RefusalSpec) -> tuple[str, str]:
    status, code = spec.api or (spec.status, spec.code.lower())
    return f"{spec.status} `{spec.code}`", f"{status} `{code}`"


def test_every_refusal_of_an_invocation_is_documented() -> None:
    listed = [(cells[0], cells[1]) for cells in table(DOCS / "errors.md", "### Invoking a Core")]
    assert listed == [_invoked(kind) for kind in _classes_below(ChatError)]


def _invoked(kind: type[ChatError]) -> tuple[str, str]:
    status, code = kind.module_status or kind.status, kind.module_code or kind.code.upper()
    return f"{kind.status} `{kind.code}`", f"{status} `{code}`"


def test_every_diagnostic_is_documented() -> None:
    listed = [words(cells[0])[0] for cells in table(DOCS / "errors.md", "## Diagnostics of a flow")]
    assert listed == sorted(scaicore.CODES)


def test_every_reason_of_a_failed_run_is_documented() -> None:
    listed = {words(cells[0])[0]: cells[1] for cells in table(DOCS / "errors.md", "### Why a flow failed")}
    assert listed == REASONS


# Flow documents


def kind_row(kind: NodeKind) -> str:
    """The line of a node kind in docs/flows.md."""
    own = [name for name in kind.config.__struct_fields__ if name not in NodeConfig.__struct_fields__]
    return f"| `{kind.kind}` | {kind.summary} | {', '.join(f'`{name}`' for name in own)} |"


def field_rows() -> Iterable[str]:
    """The lines of all fields in docs/flows.md: each once, for the kinds that have it."""
    shown: dict[str, list[str]] = {}
    for kind in describe():
        own = scaicore.KINDS[kind["kind"]].config.__name__
        for name, shape in kind["config_schema"]["$defs"].items():
            for field, about in shape["properties"].items():
                inside = "" if name == own else f"{name}: "
                example = json.dumps(about["examples"][0], ensure_ascii=False)
                line = f"| {inside}`{field}` | {about['title']} | {about['description']} | `{example}` |"
                shown.setdefault(line, []).append(kind["kind"])
    every = len(scaicore.KINDS)
    return (f"{line} {'every kind' if len(kinds) == every else ', '.join(kinds)} |" for line, kinds in shown.items())


def test_every_field_of_a_node_has_a_label_a_sentence_and_an_example() -> None:
    page = (DOCS / "flows.md").read_text().partition("## Fields of the nodes")[2]
    assert re.findall(r"^\| .*`.*$", page, re.MULTILINE) == list(field_rows())


def test_every_node_kind_is_documented_with_its_config() -> None:
    page = (DOCS / "flows.md").read_text().partition("## Node kinds")[2].partition("## Fields")[0]
    assert re.findall(r"^\| `.*$", page, re.MULTILINE) == [kind_row(kind) for kind in scaicore.KINDS.values()]


def test_every_node_kind_that_does_not_run_here_is_documented() -> None:
    page = (DOCS / "flows.md").read_text().rpartition("do not run here:")[2].partition("## Fields")[0]
    assert words(page) == list(scaicore.UNAVAILABLE)


# API


def documented() -> dict[tuple[str, str], Endpoint]:
    """Every `METHOD /path` in docs/api.md with the view and method that answer it."""
    found = re.findall(r"`([A-Z]+) (/[^`\s?]*)`", (DOCS / "api.md").read_text())
    return {(method, path): (_view(path), method.lower()) for method, path in found}


def _view(path: str) -> type:
    try:
        view = resolve(re.sub(r"\{\w+\}", "x", path)).func
    except Resolver404:
        pytest.fail(f"docs/api.md: nothing serves {path}")
    return getattr(view, "cls", type(None))


def test_every_documented_path_takes_its_method() -> None:
    wrong = [asked for asked, (view, method) in documented().items() if not hasattr(view, method)]
    assert wrong == []


def test_every_endpoint_is_documented() -> None:
    served = set(_served(get_resolver().url_patterns))
    assert len(served) > 20
    missing = served - set(documented().values())
    assert sorted(f"{view.__name__}.{method}" for view, method in missing) == []


def _served(patterns: list[Any]) -> Iterator[Endpoint]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _served(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "cls"):
            yield from ((pattern.callback.cls, method) for method in METHODS if hasattr(pattern.callback.cls, method))


def test_every_field_of_a_chat_request_is_documented() -> None:
    listed = " ".join(
        word for cells in table(DOCS / "api.md", "#### Fields of a chat request") for word in words(cells[0])
    )
    missing = [name for name in chat_request.Body.__struct_fields__ if not re.search(rf"\b{name}\b", listed)]
    assert missing == []


# Commands and files


def test_every_management_command_that_is_named_exists() -> None:
    named = {
        name for page in PAGES for name in re.findall(r"manage\.py ([a-z_]+)\b", page.read_text()) if name != "help"
    }
    assert {"apply", "create_api_key", "deploy", "serve"} <= named
    assert named - set(get_commands()) == set()


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("### A tenant", schema.DeclaredTenant),
        ("### A user", schema.DeclaredUser),
        ("### A group", schema.DeclaredGroup),
        ("### A flow", schema.DeclaredFlow),
    ],
)
def test_every_key_of_a_declaration_is_documented(heading: str, kind: type[msgspec.Struct]) -> None:
    listed = {word for cells in table(DOCS / "apply.md", heading) for word in words(cells[0])}
    assert listed == set(kind.__struct_fields__)


@pytest.mark.parametrize("path", sorted(DOCS.rglob("examples/*.json")), ids=lambda path: path.name)
def test_every_example_flow_compiles(path: Path) -> None:
    result = scaicore.compile(json.loads(path.read_text()))
    assert [found.message for found in result.diagnostics] == []


def test_the_tutorial_names_buttons_and_labels_as_they_are() -> None:
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "webui").rglob("*.py")]
    labels = [field.label or pretty_name(name) for name, field in PropertiesForm.base_fields.items()]
    shown = "\n".join([*labels, *(path.read_text() for path in sources)])
    named = set(re.findall(r"\*\*([^*]+)\*\*", (DOCS / "tutorial.md").read_text()))
    assert {"Save", "Deploy", "Publish as chat model"} <= named
    assert [label for label in sorted(named) if label not in shown] == []


def test_every_decision_has_a_number_of_its_own() -> None:
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert [page.name for page in pages if not page.read_text().startswith(f"# {page.name[:4]}: ")] == []


# Pages


@EVERY_PAGE
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S))
    broken = [link for link in links if not _leads_somewhere(page, link)]
    assert broken == []


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@EVERY_PAGE
def test_every_python_block_parses(page: Path) -> None:
    for block in blocks(page, "python"):
        ast.parse(block)


@EVERY_PAGE
def test_every_json_and_yaml_block_parses(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block)
    for block in blocks(page, "yaml"):
        yaml.safe_load(block)


@EVERY_PAGE
def test_no_page_shows_a_whole_key(page: Path) -> None:
    assert re.findall(r"sgk_[\w-]{43}", page.read_text()) == []
