"""What a deploy says of tools that the tenant does not have."""

import pytest

from scaicore import compile
from tests.scaicore.nodes.test_tool_plugin import TOOLS, calls


def found(**config):
    return [(each.code, each.path, each.message) for each in compile(calls(**config), plugins=TOOLS).diagnostics]


def test_a_known_tool_with_its_arguments_compiles():
    assert found() == []


@pytest.mark.parametrize(
    ("config", "code", "path", "words"),
    [
        ({"plugin": "nowhere"}, "unknown_tool", "plugin", "there is no MCP server `nowhere`. Register it, or name one"),
        ({"method": "sing"}, "unknown_tool", "method", "has no accepted tool `sing`. It has: `forecast`."),
        ({"args": {}}, "bad_arguments", "args", "needs the arguments `city`."),
        ({"args": {"city": "x", "day": "y"}}, "bad_arguments", "args", "takes no argument `day`. It takes: `city`,"),
        ({"args": {"city": "{{a b}}"}}, "bad_template", "args.city", ""),
    ],
)
def test_a_deploy_names_what_is_wrong(config, code, path, words):
    [(named, where, message)] = found(**config)
    assert (named, where) == (code, f"nodes[1].config.{path}")
    assert words in message


def test_without_any_server_it_says_that_there_is_none_yet():
    [problem] = compile(calls()).diagnostics
    assert problem.message.endswith("Register it, or name one of: none yet.")
