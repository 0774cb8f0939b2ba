"""`make render`: write what is generated from the chart: k8s/, serve-configs/, and its files/.

What is rendered, and with which values, is one small file a shape in charts/hybrid-llm/ci/.
"""

import argparse
import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from defaults import defaults

ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts" / "hybrid-llm"
SHAPES = ROOT / "charts" / "hybrid-llm" / "ci"
GENERATED = "# Generated from charts/hybrid-llm by `make render`; do not edit.\n"

# True only of what `helm install` makes, not of a file that kubectl applies to any namespace.
HELM_ONLY = re.compile(
    r"^ *(app\.kubernetes\.io/managed-by: Helm|helm\.sh/chart: .*|namespace: .?default.?)\n",
    re.MULTILINE,
)


def main() -> int:
    """Write every generated file below --out, which is the repository unless given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT)
    out = parser.parse_args().out
    write(out / "charts/hybrid-llm/files/defaults.yaml", defaults())
    write(out / "charts/hybrid-llm/files/vllm.yaml", vllm_facts())
    write(out / "k8s/rayservice.yaml", manifest())
    for values in sorted(SHAPES.glob("*.yaml")):
        write(out / "serve-configs" / values.name, serve_config(values))
    return 0


def write(path: Path, text: str) -> None:
    """Write one generated file, which says so in its first line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(GENERATED + text)


def manifest() -> str:
    """Return the plain manifest: the chart without values, for a Secret that the user makes."""
    text = helm("--set", "auth.existingSecret=hybrid-llm-api-keys", "--skip-tests")
    text = re.sub(r"^# Source: .*\n", "", HELM_ONLY.sub("", text), flags=re.MULTILINE)
    head = """\
# kubectl apply -f k8s/rayservice.yaml
# Every request gets a 401 until there are API keys, which need no restart:
#   kubectl create secret generic hybrid-llm-api-keys --from-literal=me=$(openssl rand -hex 24)
# For a gated model: kubectl create secret generic hf-token --from-literal=HF_TOKEN=...
"""
    return head + text


def serve_config(values: Path) -> str:
    """Return spec.serveConfigV2 of the RayService that these values give."""
    text = helm("--values", str(values), "--show-only", "templates/rayservice.yaml")
    config: str = yaml.safe_load(text)["spec"]["serveConfigV2"]
    about = "".join(line for line in values.open() if line.startswith("#"))
    return about + config


def helm(*arguments: str) -> str:
    """Return what `helm template` prints."""
    command = [str(ROOT / "tools" / "go-tool"), "helm", "template", "hybrid-llm", str(CHART)]
    run = subprocess.run([*command, *arguments], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    return run.stdout


def vllm_facts() -> str:
    """Return what the pinned Ray and vLLM take, for the chart's rules to check values against."""
    import vllm  # here: it takes seconds
    from ray.util.accelerators import accelerators
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.entrypoints.launchers.cli_args import FrontendArgs
    from vllm.reasoning import ReasoningParserManager
    from vllm.tool_parsers import ToolParserManager

    facts: dict[str, Any] = {
        "version": vllm.__version__.split("+")[0],
        "rayAcceleratorTypes": sorted(
            value
            for name, value in vars(accelerators).items()
            if isinstance(value, str) and not name.startswith("_")
        ),
        "reasoningParsers": sorted(ReasoningParserManager.list_registered()),
        "toolCallParsers": sorted(ToolParserManager.list_registered()),
        "engineArguments": sorted(
            {f.name for kind in (AsyncEngineArgs, FrontendArgs) for f in dataclasses.fields(kind)}
        ),
    }
    return yaml.safe_dump(facts, sort_keys=False, width=100)


if __name__ == "__main__":
    sys.exit(main())
