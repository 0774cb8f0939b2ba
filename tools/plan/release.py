"""What the chart makes of a model and an accelerator, by its own arithmetic."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import Stop

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "hybrid-llm"

# The chart's plan is no object of Kubernetes, so a template beside its own shows it.
PROBE = """\
{{- $plan := dict }}
{{- include "hybrid-llm.plan" (dict "root" . "out" $plan) }}
{{- $m := first $plan.models }}
{{- $plan := pick $m "id" "fit" "tensor" "pipeline" "hosts" "accelerators" "maxNumSeqs"
  "maxModelLen" "kvCacheDtype" "cpu" "spec" "accelerator" }}
plan: {{ set $plan "label" (include "hybrid-llm.slice.words" $m) | toJson | quote }}
lanes: {{ $m.reasoning.lanes.enabled }}
preset: {{ .Values.model.preset | quote }}
"""


@dataclass(frozen=True)
class Replica:
    """One replica, as the chart lays it out.

    Args:
        id: of the model.
        preset: of the model; empty where values describe it whole.
        label: of the accelerator, with which part of it; empty on a CPU.
        tensor: accelerators that share each layer.
        accelerators: of a replica, on all of its hosts; 0 on a CPU.
        sequences: `engine.maxNumSeqs`.
        length: `model.maxModelLen`.
        cache: tokens that its KV cache holds.
        batched: tokens that a step of its engine takes.
        token_bytes: of KV cache, a token, on all accelerators together.
        kept: the part of a longest sequence's KV cache that a short one takes too: states, windows.
        model: the model's preset.
        accelerator: the accelerator's preset.
        lanes: whether quick answers go first.
        pipeline: stages that the layers are cut into.
        hosts: that a replica is spread over.
    """

    id: str
    preset: str
    label: str
    tensor: int
    accelerators: int
    sequences: int
    length: int
    cache: int
    batched: int
    token_bytes: float
    model: dict[str, Any]
    accelerator: dict[str, Any]
    lanes: bool
    kept: float = 0.0
    pipeline: int = 1
    hosts: int = 1

    @property
    def cached(self) -> tuple[float, float, float, float]:
        """What an engine is told of its cache: tokens, those of a step, `kept` and `of_token`."""
        return self.cache, self.batched, self.kept * self.length, 1 - self.kept

    @property
    def where(self) -> str:
        """What it runs on, in words."""
        of = f" of {self.hosts} hosts" if self.hosts > 1 else ""
        return f"{self.accelerators} x {self.label}{of}" if self.accelerators else "a CPU"


def laid_out(arguments: Sequence[str]) -> Replica:
    """Return a replica of the release that Helm would install.

    Args:
        arguments: of Helm: -f values.yaml, --set key=value ...

    Raises:
        Stop: the chart refuses the values, and says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(shutil.copytree(CHART, Path(folder) / "hybrid-llm"))
        (chart / "templates" / "probe.yaml").write_text(PROBE)
        command = [str(ROOT / "tools" / "go-tool"), "helm", "template", "plan", str(chart)]
        command += ["--show-only", "templates/probe.yaml", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        noise = ("level=INFO", "go-tool: building", "Use --debug")
        lines = [line for line in done.stderr.splitlines() if not line.startswith(noise)]
        said = re.sub(r"^Error: (execution error at \(\S+\): )?", "", "\n".join(lines).strip())
        raise Stop(said or "helm template failed")
    shown = yaml.safe_load(done.stdout)
    plan = json.loads(shown["plan"])
    fit = plan["fit"]
    return Replica(
        id=plan["id"],
        preset=shown["preset"],
        label=plan["label"],
        tensor=plan["tensor"],
        accelerators=plan["accelerators"],
        sequences=plan["maxNumSeqs"],
        length=plan["maxModelLen"],
        cache=fit["tokens"],
        batched=fit["batched"],
        token_bytes=fit["token"] * 2**30 * plan["tensor"] * plan["pipeline"],
        kept=1 - min(1.0, fit["token"] * plan["maxModelLen"] / fit["sequence"]),
        model=plan["spec"],
        accelerator=plan["accelerator"],
        lanes=shown["lanes"],
        pipeline=plan["pipeline"],
        hosts=plan["hosts"],
    )
