"""The manifest: YAML with the root key `core`."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from scaicore import compile
from scaicore.compiler import manifest
from tests.scaicore.compiler.test_compile_wild import RICH
from tests.support.documents import chain, entry, says

PROGRAM = compile(RICH, providers={"house"}).program


def test_the_root_key_is_core_and_the_core_says_who_it_is():
    text = manifest.render(PROGRAM, core_id="core_1", slug="echo-agent", version=3)
    assert text.startswith("core:\n  id: core_1\n  slug: echo-agent\n  version: 3\n")
    core = yaml.safe_load(text)["core"]
    assert core["scaiflow_meta"] == {"instance_mode": "entity", "entity_scope": "user"}
    assert core["model_visibility_group_ids"] == ["group_a"]
    assert [node["type"] for node in core["nodes"]][:2] == ["entry_api", "logic_decision"]


def test_a_flow_that_was_only_compiled_has_no_core_yet():
    assert yaml.safe_load(manifest.render(PROGRAM))["core"].keys().isdisjoint({"id", "slug", "version"})


def test_the_same_program_gives_the_same_text():
    assert manifest.render(PROGRAM) == manifest.render(PROGRAM)
    assert "&id" not in manifest.render(PROGRAM)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_of_a_flow_survives_the_yaml(text):
    template = text.replace("{{", "")
    core = yaml.safe_load(manifest.render(compile({**chain(entry(), says("r", template)), "name": text}).program))[
        "core"
    ]
    assert core["name"] == text
    assert core["nodes"][1]["config"]["template"] == template
