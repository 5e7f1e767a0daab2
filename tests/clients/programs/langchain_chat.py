"""LangChain's ChatOpenAI: a bound tool, whole and streamed, and its two ways to an answer in a format."""

import json
import os

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

ran = []


class City(BaseModel):
    name: str
    people: int


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    ran.append(city)
    return "4 degrees"


chat = ChatOpenAI(model=os.environ["MODEL"], base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"])
bound = chat.bind_tools([weather])
asked = HumanMessage("How is Oslo?")
streamed = None
for piece in bound.stream([asked]):
    streamed = piece if streamed is None else streamed + piece
called = bound.invoke([asked])
assert streamed.tool_calls == called.tool_calls
results = [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in called.tool_calls]
text = bound.invoke([asked, called, *results]).content
formats = [
    chat.with_structured_output(City, method=method).invoke("Which?").model_dump()
    for method in ("json_schema", "function_calling")
]
print(json.dumps({"text": text, "ran": ran, "formats": formats}))
