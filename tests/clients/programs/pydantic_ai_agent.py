"""pydantic-ai: a tool of its own, whole and streamed, and both of its ways to an answer in a format."""

import asyncio
import json
import os

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"])
model = OpenAIChatModel(os.environ["MODEL"], provider=provider)
agent = Agent(model)
ran = []


class City(BaseModel):
    name: str
    people: int


@agent.tool_plain
def weather(city: str) -> str:
    """The weather of a city."""
    ran.append(city)
    return "4 degrees"


async def streamed() -> str:
    async with agent.run_stream("How is Oslo?") as answer:
        return "".join([text async for text in answer.stream_text(delta=True)])


text = agent.run_sync("How is Oslo?").output
assert asyncio.run(streamed()) == text
formats = [Agent(model, output_type=kind(City)).run_sync("Which?").output for kind in (ToolOutput, NativeOutput)]
print(json.dumps({"text": text, "ran": ran, "formats": [city.model_dump() for city in formats]}))
