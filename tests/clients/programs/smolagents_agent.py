"""smolagents' ToolCallingAgent, which forces a call at each step: a tool of its own, and its own last answer's tool."""

import json
import os

from smolagents import OpenAIServerModel, ToolCallingAgent, tool

ran = []


@tool
def weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: The name of the city.
    """
    ran.append(city)
    return "4 degrees"


model = OpenAIServerModel(os.environ["MODEL"], api_base=os.environ["BASE_URL"], api_key=os.environ["API_KEY"])
agent = ToolCallingAgent(tools=[weather], model=model, max_steps=2, verbosity_level=0)
agent.run("How is Oslo?")
agent.run("How is Oslo?", stream=False, reset=True)
assert ran, "the model called nothing"
print(json.dumps({"ran": ran[:1], "formats": []}))
