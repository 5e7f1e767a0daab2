"""The house rules that no single floor can check."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"scaicore": 0, "identity": 0, "publishing": 1, "chatapi": 2, "webui": 3, "scaigrid_site": 4}
SOURCES = sorted(path for room in FLOORS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)
MOST_MODULES = 18
# folder → why its modules are better kept side by side
CROWDED = {
    "chatapi": "one call's whole way, from the ASGI entry to the answer, with what is written about it",
}


def test_no_foreign_key_climbs_a_floor() -> None:
    keys = [
        (model._meta.app_label, field.related_model._meta.app_label)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and model._meta.app_label in FLOORS
    ]
    assert ("publishing", "identity") in keys
    assert [key for key in keys if key[1] in FLOORS and FLOORS[key[1]] > FLOORS[key[0]]] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_hides_inside_a_function(path: Path) -> None:
    hidden = [
        inner.lineno
        for outer in ast.walk(ast.parse(path.read_text()))
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(outer)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]
    assert hidden == []


def test_no_two_modules_import_each_other() -> None:
    names = {_module(path): path for path in SOURCES}
    uses = {name: _imported(path) & names.keys() for name, path in names.items()}
    assert uses["chatapi.completions"] >= {"chatapi.auth", "publishing.registry"}
    # A package and what stands in it are one room with a face; rooms are what must not lean on each other.
    pairs = [(a, b) for a in uses for b in uses[a] if a < b and a in uses[b] and not b.startswith(f"{a}.")]
    assert pairs == []


def test_no_line_of_a_script_is_over_120() -> None:
    scripts = [ROOT / "frontend/build.mjs"] + [
        path
        for room, endings in (("frontend/src", "ts*"), ("frontend/tests", "ts"), ("static/js", "js"))
        for path in sorted((ROOT / room).rglob(f"*.{endings}"))
    ]
    assert {path.name for path in scripts} >= {"editor.tsx", "api.ts", "playground.js"}
    # The formatter breaks lines of code; a comment or a long text is for people to break.
    lines = [(path, n, line) for path in scripts for n, line in enumerate(path.read_text().splitlines(), 1)]
    long = [f"{path.name}:{n}" for path, n, line in lines if len(line) > 120]
    assert long == []


def test_no_public_class_name_stands_twice() -> None:
    found = defaultdict(list)
    for path in SOURCES:
        if "management" not in path.parts:  # Django asks each command for a class of one name
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(str(path.relative_to(ROOT)))
    assert len(found) > 100
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_no_folder_is_crowded_without_a_reason() -> None:
    modules = Counter(str(path.parent.relative_to(ROOT)) for path in SOURCES if path.name != "__init__.py")
    assert modules["publishing/api"] > 10
    crowded = {folder for folder, count in modules.items() if count > MOST_MODULES}
    assert crowded == set(CROWDED)


def test_the_formatter_decides_the_look_of_every_line() -> None:
    tested = [path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    unformatted = re.compile(r"#\s*fmt:\s*(skip|off)")
    assert [path for path in [*SOURCES, *tested] if unformatted.search(path.read_text())] == []


TREES = [path for path in SOURCES if "├── " in path.read_text()]


@pytest.mark.parametrize("path", TREES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_drawn_tree_of_errors_names_each_of_its_classes(path: Path) -> None:
    tree = ast.parse(path.read_text())
    drawn = re.findall(r"^(?:[│ ]*[├└]── )?([A-Z]\w+)", ast.get_docstring(tree) or "", re.MULTILINE)
    declared = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and _is_error(node)]
    assert declared
    assert [name for name in declared if name not in drawn] == []


def _is_error(node: ast.ClassDef) -> bool:
    """Whether the class descends from another by name; plain classes and named tuples are no errors."""
    parents = {base.id for base in node.bases if isinstance(base, ast.Name)}
    return bool(parents - {"NamedTuple", "Struct"})


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found
