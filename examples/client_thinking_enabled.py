# client_thinking_enabled.py
import os
from urllib.parse import urljoin

from openai import OpenAI

API_KEY = os.environ.get("API_KEY", "FAKE_KEY")
BASE_URL = os.environ.get("BASE_URL", "http://localhost:8000")
MODEL = os.environ.get("MODEL", "my-qwen-3-32b")

client = OpenAI(base_url=urljoin(BASE_URL, "v1"), api_key=API_KEY)

# The model thinks first; the reasoning parser hands that over in a field of its own.
response = client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "What's the capital of France ?"}],
    extra_body={"chat_template_kwargs": {"enable_thinking": True}},
)

print(f"Reasoning: \n{response.choices[0].message.reasoning_content}\n\n")
print(f"Answer: \n {response.choices[0].message.content}")
