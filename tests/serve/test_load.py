"""Many requests at once: every one is answered."""

from concurrent.futures import ThreadPoolExecutor

from .conftest import MODEL, Server
from .test_thinking import QUESTION, join


def test_seeded_requests_with_long_prompts(server: Server):
    """They once killed the engine: their prompts were prefilled in parts, which a seed forbids."""
    client = server.client()

    def ask(seed: int) -> str | None:
        prompt = "hello " * (500 + seed % 7 * 90)
        messages = [{"role": "user", "content": prompt}]
        completion = client.chat.completions.create(
            model=MODEL, messages=messages, seed=seed, max_tokens=20
        )
        return completion.choices[0].finish_reason

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(64))) <= {"stop", "length"}


def test_streams_with_and_without_thinking_side_by_side(server: Server):
    client = server.client()

    def ask(number: int):
        stream = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": QUESTION}],
            temperature=0,
            stream=True,
            extra_body={"chat_template_kwargs": {"enable_thinking": number % 2 == 0}},
        )
        return join(stream)

    with ThreadPoolExecutor(48) as pool:
        replies = list(pool.map(ask, range(96)))
    for number, reply in enumerate(replies):
        assert reply.content.strip() == "7.8 is greater than 7.11."
        assert reply.finish_reason == "stop"
        assert bool(reply.reasoning_content) == (number % 2 == 0)
        assert reply.reasoning == reply.reasoning_content
