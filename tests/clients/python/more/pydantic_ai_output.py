"""An output type with Pydantic AI; prints what it was filled with as JSON."""

import os

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class Reply(BaseModel):
    answer: str


provider = OpenAIProvider(base_url=f"{os.environ['BASE_URL']}/v1", api_key=os.environ["API_KEY"])
# Native: by response_format. An output type alone would be a tool that the model has to call.
agent = Agent(OpenAIChatModel(os.environ["MODEL"], provider=provider))
result = agent.run_sync(
    'What is 12 + 30? Answer in JSON with the key "answer".',
    output_type=NativeOutput(Reply),
    model_settings={"temperature": 0, "openai_reasoning_effort": "none"},
)
print(result.output.model_dump_json())
