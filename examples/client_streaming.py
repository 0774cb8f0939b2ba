# client_streaming.py
import os
from urllib.parse import urljoin

from openai import OpenAI

API_KEY = os.environ.get("API_KEY", "FAKE_KEY")
BASE_URL = os.environ.get("BASE_URL", "http://localhost:8000")
MODEL = os.environ.get("MODEL", "my-qwen-3-32b")
QUESTION = (
    "I need to plan a trip to Paris from Seattle. Can you help me research flight costs, "
    "create an itinerary for 3 days, and suggest restaurants based on my dietary restrictions "
    "(vegetarian)?"
)

client = OpenAI(base_url=urljoin(BASE_URL, "v1"), api_key=API_KEY)

# A complex question: the thinking alone can take minutes, so show it as it comes.
response = client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": QUESTION}],
    extra_body={"chat_template_kwargs": {"enable_thinking": True}},
    stream=True,
)

for chunk in response:
    delta = chunk.choices[0].delta
    # First the reasoning. OpenAI's own API has no such field, hence hasattr.
    if hasattr(delta, "reasoning_content"):
        data_reasoning = delta.reasoning_content
        if data_reasoning:
            print(data_reasoning, end="", flush=True)
    # Later, the answer.
    if hasattr(delta, "content"):
        data_content = delta.content
        if data_content:
            print(data_content, end="", flush=True)
print()
