"""OpenAI's Agents SDK in its own default, the Responses API: a tool, whole and streamed, and an answer in a format."""

import asyncio
import json
import os

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)
ran = []


class City(BaseModel):
    name: str
    people: int


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    ran.append(city)
    return "4 degrees"


async def main() -> None:
    client = AsyncOpenAI(base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"])
    model = OpenAIResponsesModel(os.environ["MODEL"], client)
    agent = Agent(name="weather", instructions="Help.", tools=[weather], model=model)
    first = await Runner.run(agent, "How is Oslo?")
    text = first.final_output
    streamed = Runner.run_streamed(agent, "How is Oslo?")
    async for _ in streamed.stream_events():
        pass
    assert streamed.final_output == text
    again = await Runner.run(agent, "And now?", previous_response_id=first.last_response_id)
    assert again.final_output == text
    city = (await Runner.run(Agent(name="city", output_type=City, model=model), "Which?")).final_output
    print(json.dumps({"text": text, "ran": ran, "formats": [city.model_dump()]}))


asyncio.run(main())
