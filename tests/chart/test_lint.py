"""Both Helms find the chart well made, and make the same of it, whatever shape is asked for."""

from pathlib import Path

import pytest

from .conftest import CHART, KUBERNETES, SHAPES, go_tool, render

each_helm = pytest.mark.parametrize("helm", ["helm", "helm3"])
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.stem)


def lint(helm: str, *args: str) -> tuple[int, str]:
    """Return what `helm lint --strict` exits with and says."""
    run = go_tool(helm, "lint", "--strict", str(CHART), "--kube-version", KUBERNETES, *args)
    return run.returncode, run.stdout + run.stderr


@each_helm
@each_shape
def test_lint(helm: str, shape: Path) -> None:
    code, said = lint(helm, "--values", str(shape))
    assert code == 0 and "[WARNING]" not in said and "[ERROR]" not in said, said


@each_helm
def test_lint_finds_a_value_that_cannot_be(helm: str) -> None:
    code, said = lint(helm, "--set", "autoscaling.maxReplicas=many")
    assert code != 0 and "maxReplicas" in said


@each_shape
def test_helm_3_renders_what_helm_4_does(shape: Path) -> None:
    # The key that the chart makes up is another one each time.
    args = ("--values", str(shape), "--set", "auth.existingSecret=keys")
    assert render(None, *args, helm="helm3") == render(None, *args)
