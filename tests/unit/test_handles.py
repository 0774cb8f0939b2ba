"""A call of a model in the ingress mode ends with the one who waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.handles import Ending


class Calls:
    """A handle of Ray Serve with one method that streams."""

    def __init__(self, gives: list[Any]) -> None:
        self.gives, self.cancelled, self.asked = gives, 0, ()

    chat = property(lambda self: self)

    def options(self, **options: Any) -> "Calls":
        self.asked = (*self.asked, options)
        return self

    def remote(self, *arguments: Any, **named: Any) -> "Calls":
        self.asked = (*self.asked, arguments, named)
        return self

    async def __aiter__(self) -> AsyncIterator[Any]:
        for each in self.gives:
            yield each
            await asyncio.sleep(0)

    def cancel(self) -> None:
        self.cancelled += 1


async def read(calls: Calls, most: int) -> list[Any]:
    """Read so many of the answers and leave."""
    found = []
    answers = Ending(calls).options(session_id="s").chat.remote("body", info=1)
    async for answer in answers:
        found.append(answer)
        if len(found) == most:
            break
    await answers.aclose()
    return found


@pytest.mark.parametrize(
    ("gives", "most", "cancelled"),
    [
        (["a", "b", "c"], 1, 1),  # a stream that nobody reads on
        ([["a"], ["b"]], 1, 1),
        (["a", "b"], 9, 0),  # one that has come to its end
        ([{"a": 1}, {}], 1, 0),  # a whole answer, after which Ray's ingress reads no further
    ],
)
def test_what_nobody_waits_for_is_cancelled(gives: list[Any], most: int, cancelled: int) -> None:
    calls = Calls(gives)
    assert asyncio.run(read(calls, most)) == gives[:most]
    assert calls.cancelled == cancelled
    assert calls.asked == ({"session_id": "s"}, ("body",), {"info": 1})
