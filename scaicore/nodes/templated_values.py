"""JSON values of a flow whose texts are templates."""

from collections.abc import Callable, Iterator

from scaicore.jsondata import Json
from scaicore.language.templates import Template
from scaicore.nodes.node_run import NodeRun

Maker = Callable[[NodeRun], Json]


def maker(value: Json) -> Maker:
    """Builds a new value for each run of the node; its texts are templates, its keys are not."""
    # Templates are read here, once; what is returned only fills them.
    if isinstance(value, str):
        template = Template(value)
        return lambda node_run: node_run.fill(template)
    if isinstance(value, list):
        items = [maker(item) for item in value]
        return lambda node_run: [make(node_run) for make in items]
    if isinstance(value, dict):
        fields = {key: maker(item) for key, item in value.items()}
        return lambda node_run: {key: make(node_run) for key, make in fields.items()}
    return lambda _visit: value


def texts(value: Json) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
