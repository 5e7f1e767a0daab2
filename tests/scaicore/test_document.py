"""Documents in their author's hands: new ones, version numbers, properties."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore import Properties, compile, is_semver, new_document, next_version, properties, with_properties
from tests.scaicore.compiler.test_compile_wild import ANYTHING, RICH, places, replaced
from tests.support.documents import answer


async def test_a_new_document_can_be_deployed_and_echoes():
    document = new_document("Anything")
    assert compile(document, publishable=True).diagnostics == ()
    assert await answer(document, {"message": "hi"}) == "hi"


@pytest.mark.parametrize(
    "version", ["0.0.0", "1.2.3", "10.20.30", "1.0.0-rc.1", "1.0.0-0.3.7", "1.0.0+build.5", "1.0.0-a+b"]
)
def test_versions_by_semver(version):
    assert is_semver(version)


@pytest.mark.parametrize(
    "version",
    ["", "1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "v1.0.0", "1.0.0\n", "١.0.0", "1.0." + "9" * 100, None, 1, []],
)
def test_everything_else_is_no_version(version):
    assert not is_semver(version)


@pytest.mark.parametrize(
    ("version", "following"),
    [
        ("1.2.3", "1.2.4"),
        ("1.0.9", "1.0.10"),
        ("1.0.0-rc.1", "1.0.1"),
        ("1.0.0+b", "1.0.1"),
        ("1.0", "1.0.0"),
        (None, "1.0.0"),
    ],
)
def test_a_save_takes_the_next_patch(version, following):
    assert next_version(version) == following


@given(st.text() | st.from_regex(r"\d{1,50}\.\d{1,50}\.\d{1,50}", fullmatch=True))
def test_the_next_version_is_always_a_version(version):
    assert is_semver(next_version(version))


def test_properties_are_read_from_their_places():
    assert properties(RICH) == Properties(True, ("group_a",), "entity", "user")
    assert properties({}) == Properties(False, (), "stateless", "user")


@given(st.sampled_from(list(places(RICH))), ANYTHING)
def test_properties_of_any_document_can_be_asked(path, value):
    assert isinstance(properties(replaced(RICH, path, value)), Properties)


def test_changing_a_property_touches_nothing_else():
    before = {**RICH, "future": {"a": 1}, "config": {**RICH["config"], "unknown": [1]}}
    kept = copy.deepcopy(before)
    after = with_properties(before, publish_as_model=False, group_ids=("group_b",), entity_scope="tenant")
    assert before == kept
    assert properties(after) == Properties(False, ("group_b",), "entity", "tenant")
    assert with_properties(after, publish_as_model=True, group_ids=["group_a"], entity_scope="user") == before


@given(st.sampled_from([(), ("config",), ("config", "scaiflow_meta")]), ANYTHING)
def test_a_broken_section_is_mended_by_a_change(path, value):
    document = replaced(RICH, path, value)
    if isinstance(document, dict):
        assert properties(with_properties(document, instance_mode="singleton")).instance_mode == "singleton"
