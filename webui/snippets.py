"""Ready requests to a published model, for people to copy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from string import Template

from publishing.models import Publication

CURL = Template("""\
curl -X POST "$base_url/chat/completions" \\
  -H "Authorization: Bearer $${SCAIGRID_TOKEN}" \\
  -H "Content-Type: application/json" \\
  -d '$body'
""")

PYTHON = Template("""\
import os

from openai import OpenAI

client = OpenAI(
    base_url="$base_url",
    api_key=os.environ["SCAIGRID_TOKEN"],
)

resp = client.chat.completions.create(
    model="$model",
    messages=[{"role": "user", "content": "hello"}],$extra
)
print(resp.choices[0].message.content)
""")

TYPESCRIPT = Template("""\
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "$base_url",
  apiKey: process.env.SCAIGRID_TOKEN,
});

const resp = await client.chat.completions.create({
  model: "$model",
  messages: [{ role: "user", content: "hello" }],$extra
});
console.log(resp.choices[0].message.content);
""")


@dataclass(frozen=True)
class Snippet:
    """One request in one language."""

    language: str
    text: str


def make_snippets(publication: Publication, *, base_url: str) -> list[Snippet]:
    """One request to a published model by curl and by OpenAI's SDKs; `base_url` is where clients call.

    To a model with memory it also says which conversation it belongs to.
    """
    model, live = publication.name, publication.core.live
    has_memory = live is not None and live.instance_mode == "entity"
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    entity: dict[str, object] = {"entity_id": "conversation-1"} if has_memory else {}
    extra = f"\n    extra_body={json.dumps(entity)}," if entity else ""
    # The SDK's types know no such field, and send it all the same.
    typed = f"\n  // @ts-expect-error\n  entity_id: {json.dumps(entity['entity_id'])}," if entity else ""
    return [
        Snippet("curl", CURL.substitute(base_url=base_url, body=_indented(body | entity)).strip()),
        Snippet("Python", PYTHON.substitute(base_url=base_url, model=model, extra=extra).strip()),
        Snippet("TypeScript", TYPESCRIPT.substitute(base_url=base_url, model=model, extra=typed).strip()),
    ]


def _indented(body: dict[str, object]) -> str:
    """The body inside a command that is itself indented."""
    return json.dumps(body, indent=2).replace("\n", "\n  ")
