"""OpenAI's Agents SDK in its own default, the Responses API: a tool of its own, whole and streamed, a format, and a
conversation that the server keeps."""

import asyncio
import json
import os

from agents import Agent, OpenAIProvider, RunConfig, Runner, function_tool, set_tracing_disabled
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
    # Without it, the SDK takes what stands before the first slash of the name for a provider of its own.
    run = {"run_config": RunConfig(model_provider=OpenAIProvider(openai_client=client))}
    model = os.environ["MODEL"]
    agent = Agent(name="weather", instructions="Help.", tools=[weather], model=model)
    first = await Runner.run(agent, "How is Oslo?", **run)
    streamed = Runner.run_streamed(agent, "How is Oslo?", **run)
    async for _ in streamed.stream_events():
        pass
    assert streamed.final_output == first.final_output
    # By what came, by the id of the last response, and by sending all of it again.
    again = await Runner.run(agent, "And Bergen?", previous_response_id=first.last_response_id, **run)
    listed = await Runner.run(agent, [*first.to_input_list(), {"role": "user", "content": "And Bergen?"}], **run)
    assert again.final_output == listed.final_output == first.final_output
    city = (await Runner.run(Agent(name="city", output_type=City, model=model), "Which?", **run)).final_output
    print(json.dumps({"text": first.final_output, "ran": ran, "formats": [city.model_dump()]}))


asyncio.run(main())
