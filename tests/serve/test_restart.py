"""An engine that dies. Named so as to come last of those who share its server."""

import time

import httpx
import psutil
import pytest

from .conftest import MODEL, Server, command_line
from .operators_values import both_modes

HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}


def health(server: Server, path: str) -> int:
    return httpx.get(f"{server.base_url}{path}", timeout=20).status_code  # with no key


@both_modes
def test_a_server_whose_engine_died_is_not_ready_until_it_answers_again(server: Server):
    processes = server.run.processes()
    engines = [each for each in processes if "EngineCore" in command_line(each)]
    replicas = [each for each in processes if "LLMServer" in command_line(each)]
    assert engines
    for engine in engines:
        engine.kill()
    psutil.wait_procs(engines, timeout=10)
    time.sleep(3)
    if "ingress" in server.run.output.parent.name:
        assert (health(server, "/readyz"), health(server, "/health")) == (503, 503)
        assert health(server, "/livez") == 200
        return  # whose two engines take long to start; to see one come back is enough
    # With its engine the replica has ended, the only one. Who asks now waits for the next.
    assert replicas and not any(each.is_running() for each in replicas)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{server.base_url}/readyz", timeout=2)
    assert server.send(json=HELLO, timeout=240).status_code == 200
    assert health(server, "/readyz") == 200
