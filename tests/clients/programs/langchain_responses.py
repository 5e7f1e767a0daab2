"""LangChain's ChatOpenAI over the Responses API: a bound tool, whole and streamed, a format, and a conversation that
the server keeps."""

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


given = {"model": os.environ["MODEL"], "base_url": os.environ["BASE_URL"], "api_key": os.environ["API_KEY"]}
chat = ChatOpenAI(**given, use_responses_api=True, output_version="responses/v1")
bound = chat.bind_tools([weather])
asked = HumanMessage("How is Oslo?")
streamed = None
for piece in bound.stream([asked]):
    streamed = piece if streamed is None else streamed + piece
called = bound.invoke([asked])
assert [call["args"] for call in streamed.tool_calls] == [call["args"] for call in called.tool_calls] != []
results = [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in called.tool_calls]
text = bound.invoke([asked, called, *results]).text
kept = ChatOpenAI(**given, use_responses_api=True, use_previous_response_id=True).bind_tools([weather])
begun = kept.invoke([asked])
results = [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in begun.tool_calls]
assert kept.invoke([asked, begun, *results]).text == text
formats = [
    chat.with_structured_output(City, method=method).invoke("Which?").model_dump()
    for method in ("json_schema", "function_calling")
]
print(json.dumps({"text": text, "ran": ran, "formats": formats}))
