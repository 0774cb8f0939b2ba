"""Structured outputs by the clients that are made for them."""

import pytest

from .conftest import Server
from .test_clients import CLIENTS, printed

SCRIPTS = {
    "pydantic-ai": CLIENTS / "python" / "more" / "pydantic_ai_output.py",
    "instructor": CLIENTS / "instructor" / "more" / "structured.py",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_the_applications_class_is_filled(server: Server, script):
    (reply,) = printed(script, server, script.parents[1].name)
    assert "42" in reply["answer"]
