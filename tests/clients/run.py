"""Asks as a client of tests/clients does, and prints each thing that it saw as a line of JSON.

    BASE_URL=http://127.0.0.1:8000 API_KEY=... MODEL=... python tests/clients/run.py CLIENT.py

First what the file says of itself, then four answers: thinking on and off, whole and streamed.
"""

import importlib.metadata
import importlib.util
import json
import sys
from itertools import product
from types import ModuleType
from typing import Any

QUESTION = "What is greater between 7.8 and 7.11 ?"


def load(path: str) -> ModuleType:
    """Import a client's file under a name that no package has."""
    spec = importlib.util.spec_from_file_location("client", path)
    client = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(client)
    return client


def code(settings: dict[str, Any]) -> str:
    """Return settings as they stand in a call: `effort="none"`."""
    return ", ".join(f"{name}={value!r}" for name, value in settings.items()).replace("'", '"')


def main(path: str) -> None:
    """Load the client and ask."""
    client = load(path)
    version = importlib.metadata.version(client.PACKAGE)
    about = {"title": client.__doc__.strip(" .\n"), "version": version}
    about |= {"off": code(client.OFF), "sees": client.SEES}
    if hasattr(client, "ANSWER"):
        about["answer"] = client.ANSWER
    print(json.dumps(about), flush=True)
    for thinks, streamed in product((True, False), (False, True)):
        ask = client.stream if streamed else client.whole
        answer = ask(QUESTION, client.ON if thinks else client.OFF)
        line = {"thinks": thinks, "streamed": streamed, **answer}
        print(json.dumps(line, default=repr), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
