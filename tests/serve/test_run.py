"""`make run` when something is in the way, and Ctrl-C before it is ready."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT, MakeRun, free_port

NANO = "serve-configs/nano-cpu.yaml"


def refuse(*arguments: str, **environment: str) -> str:
    """Run tools/run.py, which must exit with status 1 after one line, and return that line."""
    finished = subprocess.run(
        [sys.executable, "tools/run.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 1
    errors = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "Traceback" not in finished.stderr
    return errors[0]


def test_a_missing_file():
    assert "serve-configs/nope.yaml" in refuse("serve-configs/nope.yaml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("applications: [", "is not YAML"),
        ("just text", "is no Serve config"),
        ("applications: [{name: llm}]", "import_path"),
        ("", "is no Serve config"),
    ],
)
def test_a_file_that_is_no_serve_config(tmp_path, text, reason):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    assert reason in refuse(str(path))


def test_a_busy_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refuse(NANO, "--port", str(port))
    assert f"port {port}" in line
    assert "make run PORT=" in line


def test_too_little_memory(tmp_path):
    """`ulimit -v` is no such limit, so the check is run as in a container that has 1 GiB."""
    program = (
        "import sys; sys.path.insert(0, 'tools'); import run; "
        "run.free_memory = lambda: 2**30; sys.argv = ['run.py']; sys.exit(run.main())"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 1
    assert "1.0 GiB of memory are free and about 6 are needed" in finished.stderr


def test_accelerators_that_are_not_here():
    line = refuse("serve-configs/qwen3-32b-l40s.yaml", "--port", str(free_port()))
    assert "my-qwen-3-32b needs 4 x L40S and this machine has no GPU" in line


@pytest.mark.nightly
def test_a_model_that_does_not_load(tmp_path):
    config = yaml.safe_load((ROOT / NANO).read_text())
    (model,) = config["applications"][0]["args"]["llm_configs"]
    model["model_loading_config"]["model_source"] = "models/missing"
    model["deployment_config"]["max_constructor_retry_count"] = 1  # Serve tries 3 times
    path = tmp_path / "bad-model-cpu.yaml"
    path.write_text(yaml.safe_dump(config))
    line = refuse(str(path), "--port", str(free_port()))
    assert "Cannot find" in line
    logs = Path(re.search(r"\(logs: (\S+)\)", line)[1])
    assert list(logs.glob("*.log"))  # they stay, for whoever has to find out why
    shutil.rmtree(logs.parents[2])


@pytest.mark.nightly
def test_an_application_that_can_not_be_built(tmp_path):
    config = yaml.safe_load((ROOT / NANO).read_text())
    config["applications"][0]["args"]["reasoning"] = {"another": {}}
    path = tmp_path / "bad-values-cpu.yaml"
    path.write_text(yaml.safe_dump(config))
    line = refuse(str(path), "--port", str(free_port()))
    assert "reasoning" in line and "another" in line
    shutil.rmtree(Path(re.search(r"\(logs: (\S+)\)", line)[1]).parents[2])


def test_several_models_need_the_ingress(tmp_path):
    config = yaml.safe_load((ROOT / NANO).read_text())
    models = config["applications"][0]["args"]["llm_configs"]
    models.append(models[0])
    path = tmp_path / "two-cpu.yaml"
    path.write_text(yaml.safe_dump(config))
    line = refuse(str(path), "--mode", "direct")
    assert "several models in one application" in line
    assert "make run MODE=ingress" in line


def test_ctrl_c_while_it_starts(tmp_path):
    run = MakeRun.start([f"PORT={free_port()}"], {}, tmp_path)
    run.wait_for("Serve up", 120)
    assert not run.interrupt()
