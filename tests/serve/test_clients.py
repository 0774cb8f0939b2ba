"""The clients of tests/clients, each in its own environment, as an application would use them.

make test ARGS=tests/serve/test_clients.py CLIENTS_TABLE=write    # and the table of what they see
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .conftest import KEY, MODEL, ROOT, Server

CLIENTS = ROOT / "tests" / "clients"
FILES = sorted(file for file in CLIENTS.glob("*/*") if file.suffix in (".py", ".mjs", ".go"))
ANSWER = "7.8 is greater than 7.11."
THOUGHT = "7.8 > 7.11"
PIECE = "Compare"  # of the thinking, and never torn apart by streaming

TABLE = CLIENTS / "table.md"
COMMAND = "make test ARGS=tests/serve/test_clients.py CLIENTS_TABLE=write"
WRITE = os.environ.get("CLIENTS_TABLE") == "write"
NOT_WRITING = pytest.mark.skipif(WRITE, reason="the table is written at the end")
HEADING = f"""<!-- Written by the suite: {COMMAND} -->
| Client | version | thinking off by | the thinking is in | streamed | its tokens are in |
| --- | --- | --- | --- | --- | --- |
"""
PAGE = ROOT / "docs" / "clients.md"
BEGIN, END = "<!-- tests/clients/table.md -->\n", "<!-- end of tests/clients/table.md -->"


def printed(
    file: Path, server: Server, folder: str, arguments: list[Path] | None = None
) -> list[dict[str, Any]]:
    """Run a script in a folder's environment and return the lines of JSON that it prints.

    Args:
        file: the script, whose ending says what runs it.
        server: the server that it asks.
        folder: the folder of tests/clients whose environment it is.
        arguments: what stands in the script's place, for a runner that loads it.
    """
    tool = [ROOT / "tools" / "clients-env", folder]
    built = subprocess.run(tool, stdout=subprocess.PIPE, text=True, check=True).stdout
    environment = Path(built.strip())
    program = {".py": "python", ".mjs": "node", ".go": file.stem}[file.suffix]
    finished = subprocess.run(
        [environment / "bin" / program, *([file] if arguments is None else arguments)],
        cwd=environment,
        # Nothing of ours: these libraries read addresses, keys and switches from variables.
        env={
            "HOME": str(environment),
            "BASE_URL": server.base_url,
            "API_KEY": KEY,
            "MODEL": MODEL,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or its import fetches a list of prices
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    if finished.returncode:
        pytest.fail(finished.stderr)
    # Some libraries print lines of their own.
    return [json.loads(line) for line in finished.stdout.splitlines() if line[:1] == "{"]


@dataclass
class Client:
    """What a client says of itself, and what it saw."""

    title: str
    version: str
    off: str
    sees: dict[str, str | None]  # where the thinking is: whole, streamed, and the tokens of it
    saw: dict[tuple[bool, bool], dict[str, Any]]  # by whether it thinks, and is streamed
    answer: str = ANSWER  # another where it asks for more than a text

    @classmethod
    def run(cls, file: Path, server: Server) -> "Client":
        """Ask all four questions with one process: some libraries take seconds to load."""
        commands: dict[str, list[Path]] = {
            ".py": [CLIENTS / "run.py", file],
            ".mjs": [CLIENTS / "run.mjs", file],
            ".go": [],  # compiled with run.go
        }
        about, *answers = printed(file, server, file.parent.name, commands[file.suffix])
        return cls(**about, saw={(line["thinks"], line["streamed"]): line for line in answers})

    def row(self) -> str:
        """Return its row of the table."""
        places = [f"`{place}`" if place else "not shown" for place in self.sees.values()]
        return f"| {' | '.join([self.title, self.version, f'`{self.off}`', *places])} |\n"


@pytest.fixture(scope="session")
def ran() -> Iterator[dict[Any, Any]]:
    """What has run already, by file and server; and at the end, if it is to be, the table."""
    ran: dict[Any, Any] = {}
    yield ran
    if WRITE:
        assert all(isinstance(client, Client) for client in ran.values()), "no table: see above"
        rows = {file: client.row() for (file, _), client in ran.items()}
        table = HEADING + "".join(rows[file] for file in FILES)
        TABLE.write_text(table)
        before, begin, rest = PAGE.read_text().partition(BEGIN)
        rows_alone = table.split("\n", 1)[1]
        PAGE.write_text(before + begin + rows_alone + END + rest.split(END)[1])


@pytest.fixture(params=FILES, ids=[f"{file.parent.name}-{file.stem}" for file in FILES])
def client(request: pytest.FixtureRequest, server: Server, ran: dict[Any, Any]) -> Client:
    """Return a client that has asked this server."""
    key = request.param, server.base_url
    if key not in ran:
        try:
            ran[key] = Client.run(request.param, server)
        except BaseException as failed:
            ran[key] = failed
            raise
    if isinstance(ran[key], Client):
        return ran[key]
    pytest.fail(f"it failed before: {ran[key]}")


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_thinking_on(client, streamed):
    saw = client.saw[True, streamed]
    assert saw["answer"].strip() == client.answer
    everything = json.dumps(saw["reply"])
    if client.sees["streamed" if streamed else "whole"]:
        assert THOUGHT in saw["thinking"]
        assert PIECE in everything
    else:  # what its file says not to be shown is nowhere
        assert not saw["thinking"]
        assert PIECE not in everything
    assert (saw["tokens"] or 0) > 10 if client.sees["tokens"] else not saw["tokens"]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_thinking_off(client, streamed):
    saw = client.saw[False, streamed]
    assert saw["answer"].strip() == client.answer
    assert not saw["thinking"]
    assert PIECE not in json.dumps(saw["reply"])
    assert not saw["tokens"]


@NOT_WRITING
def test_the_table_has_it(client):
    assert client.row() in TABLE.read_text(), COMMAND


@NOT_WRITING
def test_the_page_has_the_table():
    _, begin, rest = PAGE.read_text().partition(BEGIN)
    assert begin, f"there is no {BEGIN.strip()} in {PAGE}"
    assert rest.split(END)[0] == TABLE.read_text().split("\n", 1)[1], COMMAND


def test_npm_packages_have_hashes_and_no_address():
    lock = json.loads((CLIENTS / "node" / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)
