"""python -m tools.dashboard draws the chart's own dashboard; what has no data it says and names.

Prometheus is a stand-in here: the same two series for each expression, or none. Against a real one
the expressions are tested in tests/serve/test_metrics_queries.py.
"""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from tools.dashboard.panels import panels, rendered

ROOT = Path(__file__).parents[2]
LABELS = [{"key": "alice$1"}, {"key": "bob$2"}]


@contextmanager
def prometheus(without: str) -> Iterator[str]:
    """Run one that has no data of an expression with a part in it; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {name: one for name, (one,) in parse_qs(urlparse(self.path).query).items()}
            start, step = float(asked["start"]), float(asked["step"])
            points = [[start + number * step, str(number)] for number in range(3)]
            # NaN alone is no data either: nothing by nothing.
            if without and without in asked["query"]:
                points = [[start, "NaN"]]
            result = [{"metric": labels, "values": points} for labels in LABELS]
            self.send_response(200)
            self.end_headers()
            answer = {"status": "success", "data": {"result": result}}
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def drawn(url: str, to: Path) -> tuple[int, str]:
    """Draw it; return the exit status and what was said."""
    command = [sys.executable, "-m", "tools.dashboard", url, "-o", str(to)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stderr


def texts(svg: Path) -> list[str]:
    """Return the texts of a picture: beside the letters' shapes they stand in comments."""
    return re.findall(r"<!-- (.*?) -->", svg.read_text())


def test_every_panel_is_there_with_its_legend(tmp_path: Path) -> None:
    with prometheus("") as url:
        assert drawn(url, tmp_path / "all.svg") == (0, "")
    found = " ".join(texts(tmp_path / "all.svg"))
    for panel in panels(rendered(), {"price": "1"}):
        for word in panel.title.split():
            assert word in found, panel.title
    assert "alice$1" in found and "bob$2" in found  # {{key}} of the legend
    assert "no data" not in found


def test_what_has_no_data_is_drawn_as_such_and_named(tmp_path: Path) -> None:
    with prometheus("ray_node_g") as url:
        status, said = drawn(url, tmp_path / "some.svg")
    assert (status, said.splitlines()) == (
        1,
        [
            "dashboard: no data: Accelerators at work",
            "dashboard: no data: Memory of the accelerators",
        ],
    )
    assert texts(tmp_path / "some.svg").count("no data") == 2


def test_no_prometheus(tmp_path: Path) -> None:
    status, said = drawn("http://127.0.0.1:9", tmp_path / "none.svg")
    assert status == 1 and "no Prometheus answers at http://127.0.0.1:9" in said
    assert "Traceback" not in said and not list(tmp_path.iterdir())
