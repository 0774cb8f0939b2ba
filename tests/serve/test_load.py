"""Many requests at once: every one is answered."""

from concurrent.futures import ThreadPoolExecutor

from .conftest import MODEL, Server
from .surfaces import ANSWER, SURFACES, Reply, ask


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


def test_streams_with_and_without_thinking_side_by_side_on_every_surface(server: Server):
    surfaces = list(SURFACES.values())

    def stream(number: int) -> Reply:
        thinks = number % 2 == 0
        return ask(server, surfaces[number % 3], True, enable_thinking=thinks)

    with ThreadPoolExecutor(48) as pool:
        replies = list(pool.map(stream, range(60)))
    for number, reply in enumerate(replies):
        surface = surfaces[number % 3]
        assert (reply.content, reply.finish) == (ANSWER, surface.finished)
        assert len(set(reply.thinking.values())) <= 1  # one thinking, under all names
        thinking = reply.thinking.get(surface.names[-1], "")
        assert ("7.8 > 7.11" in thinking) is (number % 2 == 0)
        assert bool(thinking) is (number % 2 == 0)
