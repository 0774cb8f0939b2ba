"""To add a model or an accelerator is to add its file: no test fails, or wants another one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT

MODEL = """\
# Thinks or not, by request, and is made up. https://huggingface.co/Example/Example-9B
source: Example/Example-9B
revision: 0123456789abcdef0123456789abcdef01234567
thinking:
  modes: both
  argument: thinking
  enabled: true
  disabled: false
  default: false
  efforts: []
  switches: false
  opens: false
  budget: engine
  tags: [<think>, </think>]
parameters: 8900000000
weightBytes: 17800000000
layers: 40
hiddenSize: 4096
intermediateSize: 12288
vocabSize: 128000
attentionHeads: 32
kvHeads: 8
headSize: 128
maxPositions: 65536
dtype: bfloat16
reasoningParser: granite
toolCallParser: granite
sampling:
  thinking: {temperature: 0.6, top_p: 0.95}
  nonThinking: {temperature: 0.7, top_p: 0.8}
engineKwargs: {}
"""


@pytest.mark.nightly
def test_one_file_more_is_all_that_a_preset_takes(tmp_path: Path) -> None:
    for path in ROOT.iterdir():
        if path.name not in ("charts", "tests", ".git"):
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(ROOT / "charts", tmp_path / "charts")
    shutil.copytree(ROOT / "tests/chart", tmp_path / "tests/chart")
    presets = tmp_path / "charts/hybrid-llm/presets"
    (presets / "models/example-9b.yaml").write_text(MODEL)
    text = (presets / "accelerators/h200.yaml").read_text()
    h20 = yaml.safe_load(text) | {"label": "H20", "mistakenFor": [], "memoryMiB": 97871}
    h20["nodeSelectors"] = {"gpuOperator": {"nvidia.com/gpu.product": "NVIDIA-H20"}}
    del h20["migMiB"]
    first = "# NVIDIA H20, 96 GB. https://www.nvidia.com/\n"
    (presets / "accelerators/example.yaml").write_text(first + yaml.safe_dump(h20))
    chosen = ["tests/chart/test_presets.py", "tests/chart/test_golden.py", "-k", "example or l4"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *chosen],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    count = re.search(r"(\d+) passed", run.stdout)
    assert count and int(count[1]) > 12, run.stdout
