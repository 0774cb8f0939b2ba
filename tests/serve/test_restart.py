"""An engine that dies. Named so as to come last of those who share its server."""

import time

import httpx
import psutil

from .conftest import MODEL, Server, command_line
from .operators_values import both_modes

HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}


def health(server: Server, path: str) -> int:
    return httpx.get(f"{server.base_url}{path}", timeout=20).status_code  # with no key


@both_modes
def test_a_server_whose_engine_died_lives_and_is_not_ready(server: Server):
    """And it is ready again when a completion is answered again, not before."""
    processes = server.run.processes()
    engines = [each for each in processes if "EngineCore" in command_line(each)]
    assert engines
    for engine in engines:
        engine.kill()
    psutil.wait_procs(engines, timeout=10)
    time.sleep(3)
    assert (health(server, "/readyz"), health(server, "/health")) == (503, 503)
    assert health(server, "/livez") == 200
    if "ingress" in server.run.output.parent.name:
        return  # whose two engines take long to start; to see one come back is enough
    end = time.monotonic() + 240
    ready = False
    while not ready and time.monotonic() < end:
        time.sleep(1)
        try:
            ready = health(server, "/readyz") == 200
        except httpx.TransportError:
            continue
    assert ready
    assert server.send(json=HELLO).status_code == 200
