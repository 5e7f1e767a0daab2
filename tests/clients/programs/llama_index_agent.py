"""LlamaIndex's FunctionAgent: a tool of its own, streamed as it does, and an answer in a format."""

import asyncio
import json
import os

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

ran = []


class City(BaseModel):
    name: str
    people: int


def weather(city: str) -> str:
    """The weather of a city."""
    ran.append(city)
    return "4 degrees"


llm = OpenAILike(
    model=os.environ["MODEL"],
    api_base=os.environ["BASE_URL"],
    api_key=os.environ["API_KEY"],
    is_chat_model=True,
    is_function_calling_model=True,
    context_window=100_000,
)


async def main() -> None:
    agent = FunctionAgent(tools=[weather], llm=llm, system_prompt="Help.")
    text = str(await agent.run("How is Oslo?"))
    city = llm.as_structured_llm(City).complete("Which?").raw
    print(json.dumps({"text": text, "ran": ran, "formats": [city.model_dump()]}))


asyncio.run(main())
