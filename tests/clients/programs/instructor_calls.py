"""instructor: an answer in a format, by a forced call of a tool and by `response_format`."""

import json
import os

import instructor
from openai import OpenAI
from pydantic import BaseModel


class City(BaseModel):
    name: str
    people: int


client = OpenAI(base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"])
formats = [
    instructor.from_openai(client, mode=mode)
    .chat.completions.create(
        model=os.environ["MODEL"], response_model=City, messages=[{"role": "user", "content": "Which?"}], max_retries=1
    )
    .model_dump()
    for mode in (instructor.Mode.TOOLS, instructor.Mode.TOOLS_STRICT, instructor.Mode.JSON_SCHEMA)
]
print(json.dumps({"formats": formats}))
