"""One tenant's flows as a file: what a page gives to keep, and what it takes back as new flows."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import Any, Final

import yaml
from msgspec import UNSET

from publishing import documents, strict_json
from publishing.declared import loader
from publishing.declared.base import DeclarationRefused, refusal_at
from publishing.declared.flows import read_document
from publishing.declared.schema import DeclaredFlow, DeclaredTenant
from publishing.models import Flow

YAML_ENDINGS: Final = (".yaml", ".yml")
NOT_FLOWS: Final = ("users", "groups", "limits")
MOST_FLOWS: Final = 100
_DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_DUMPER):  # type: ignore[misc]  # libyaml's where PyYAML was built with it
    def ignore_aliases(self, data: Any) -> bool:
        """Write equal parts out each time: `apply` takes no aliases."""
        return True


@dataclass(frozen=True)
class FiledFlow:
    """A flow of a file, to be made."""

    name: str
    description: str
    content: dict[str, Any]


def write_json(document: dict[str, Any]) -> str:
    """The document for people to read and keep."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def write_yaml(flow: Flow, document: dict[str, Any]) -> str:
    """A file for `apply` that makes the flow anew in its tenant; it is deployed there if it is live here."""
    entry: dict[str, Any] = {"name": flow.name, "content": document}
    if hasattr(flow, "core") and flow.core.live_id:
        entry["deploy"] = True
    declared = {"tenants": [{"slug": flow.tenant_id, "flows": [entry]}]}
    return yaml.dump(declared, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read_file(text: bytes, name: str) -> list[FiledFlow]:
    """The flows in a file called `name`: a document as JSON, or a file for `apply` that holds nothing but flows.

    `DeclarationRefused` says what is wrong and where. Which tenant the file names does not matter.
    """
    if not name.lower().endswith(YAML_ENDINGS):
        return [_read_json(text)]
    tenants = loader.parse(text, "The file").tenants
    found = [flow for number, tenant in enumerate(tenants) for flow in _read_tenant(f"tenants[{number}]", tenant)]
    if not found:
        raise DeclarationRefused("The file holds no flow.")
    if len(found) > MOST_FLOWS:
        raise DeclarationRefused(f"The file holds {len(found)} flows. A page takes {MOST_FLOWS} at once.")
    return found


def _read_json(text: bytes) -> FiledFlow:
    try:
        document = strict_json.loads(text.removeprefix(BOM_UTF8))
    except strict_json.InvalidJson as error:
        raise DeclarationRefused(str(error)) from None
    if not isinstance(document, dict) or not isinstance(document.get("nodes"), list):
        raise DeclarationRefused("The file is no flow document: it must be a JSON object with a list of nodes.")
    name = document.get("name")
    return FiledFlow(name if isinstance(name, str) else "", documents.find_description(document), document)


def _read_tenant(location: str, tenant: DeclaredTenant) -> list[FiledFlow]:
    for key in NOT_FLOWS:
        if getattr(tenant, key):
            raise refusal_at(f"{location}.{key}", "A page takes flows alone. `manage.py apply` takes the whole file.")
    return [_read_flow(f"{location}.flows[{number}]", flow) for number, flow in enumerate(tenant.flows)]


def _read_flow(location: str, declared: DeclaredFlow) -> FiledFlow:
    if declared.file is not UNSET:
        raise refusal_at(f"{location}.file", "A page reads no other file. Write the document under content.")
    name, content = read_document(location, declared)
    description = documents.find_description(content) if declared.description is UNSET else declared.description
    return FiledFlow(name, description, content)
