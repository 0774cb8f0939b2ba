"""A structured output with Instructor; prints what it was filled with as JSON."""

import os

import instructor
from openai import OpenAI
from pydantic import BaseModel


class Reply(BaseModel):
    answer: str


client = instructor.from_openai(
    OpenAI(base_url=f"{os.environ['BASE_URL']}/v1", api_key=os.environ["API_KEY"]),
    mode=instructor.Mode.JSON_SCHEMA,
)
question = 'What is 12 + 30? Answer in JSON with the key "answer".'
reply = client.chat.completions.create(
    model=os.environ["MODEL"],
    messages=[{"role": "user", "content": question}],
    response_model=Reply,
    max_retries=0,
    temperature=0,
    reasoning_effort="none",
)
print(reply.model_dump_json())
