"""Instructor."""

import os

import instructor
from openai import OpenAI
from pydantic import BaseModel

PACKAGE = "instructor"
ON = {"reasoning_effort": "medium"}
OFF = {"reasoning_effort": "none"}
# A stream of it has nothing but the application's class, filled more and more. What the tokens are
# for must hold for both, so they are not shown, though a whole answer's completion has them.
SEES = {"whole": "completion message.reasoning_content", "streamed": None, "tokens": None}

ANSWER = "7.8"  # a value for the class, not a sentence


class Reply(BaseModel):
    answer: str


client = instructor.from_openai(
    OpenAI(base_url=f"{os.environ['BASE_URL']}/v1", api_key=os.environ["API_KEY"]),
    mode=instructor.Mode.JSON_SCHEMA,
)


def request(question, settings):
    messages = [{"role": "user", "content": question}]
    common = {"model": os.environ["MODEL"], "messages": messages, "temperature": 0}
    return {**common, "response_model": Reply, **settings}


def whole(question, settings):
    reply, completion = client.chat.completions.create_with_completion(
        **request(question, settings)
    )
    thinking = completion.choices[0].message.reasoning_content
    return {"thinking": thinking, "answer": reply.answer, "tokens": None, "reply": completion}


def stream(question, settings):
    replies = list(client.chat.completions.create_partial(**request(question, settings)))
    return {"thinking": None, "answer": replies[-1].answer, "tokens": None, "reply": replies}
