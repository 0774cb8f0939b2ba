"""k8s/gitops: Flux and Argo CD make the same of it, and what is broken in it is found."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime, lua_type

import schemas
import validate

from .conftest import ROOT, Object

GITOPS = ROOT / "k8s" / "gitops"
ENVIRONMENTS = ("staging", "production")
each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS)


def flux(environment: str) -> list[Object]:
    """Return the objects of an environment, and what its HelmRelease makes of the chart."""
    return list(validate.overlay(GITOPS / "hybrid-llm" / environment))


def of_kind(objects: list[Object], kind: str) -> Object:
    (found,) = [item for item in objects if item["kind"] == kind]
    return found


def argo() -> Object:
    """Return the ApplicationSet's spec."""
    text = (GITOPS / "argocd" / "applicationset.yaml").read_text()
    spec: Object = yaml.safe_load(text)["spec"]
    return spec


@each_environment
def test_nothing_random_is_rendered(environment: str) -> None:
    made = flux(environment)
    assert made == flux(environment)
    assert not [item for item in made if item["kind"] == "Secret"]


@each_environment
def test_argo_cd_takes_the_chart_that_flux_does(environment: str) -> None:
    (generator,) = argo()["generators"]
    environments, _ = generator["matrix"]["generators"]
    versions = {e["environment"]: e["version"] for e in environments["list"]["elements"]}
    source = of_kind(flux(environment), "OCIRepository")["spec"]
    assert set(versions) == set(ENVIRONMENTS)
    assert versions[environment] == source["ref"]["tag"]
    (chart,) = [s for s in argo()["template"]["spec"]["sources"] if s.get("chart") == "hybrid-llm"]
    assert f"oci://{chart['repoURL']}/hybrid-llm" == source["url"]


@each_environment
def test_argo_cd_reads_the_values_that_flux_does(environment: str) -> None:
    made = flux(environment)
    data = {i["metadata"]["name"]: i["data"] for i in made if i["kind"] == "ConfigMap"}
    references = of_kind(made, "HelmRelease")["spec"]["valuesFrom"]
    ours = [data[reference["name"]]["values.yaml"] for reference in references]
    (chart,) = [s for s in argo()["template"]["spec"]["sources"] if s.get("chart") == "hybrid-llm"]
    theirs = []
    for file in chart["helm"]["valueFiles"]:
        path = file.replace("$repository/", "").replace("{{.environment}}", environment)
        theirs.append((ROOT / path).read_text())
    assert ours == theirs


def test_both_install_the_operator_that_the_chart_is_tested_with() -> None:
    pinned = next(
        line.rpartition("@v")[2]
        for line in (ROOT / "requirements" / "go.txt").read_text().splitlines()
        if line.startswith("kuberay ")
    )
    release = of_kind(list(validate.overlay(GITOPS / "operator")), "HelmRelease")
    assert release["spec"]["chart"]["spec"]["version"] == pinned
    sources = argo()["template"]["spec"]["sources"]
    (chart,) = [s for s in sources if s.get("chart") == "kuberay-operator"]
    assert chart["targetRevision"] == pinned


def test_argo_cd_has_the_folders_that_flux_has() -> None:
    paths = [s["path"] for s in argo()["template"]["spec"]["sources"] if "path" in s]
    assert paths and all((ROOT / path / "kustomization.yaml").is_file() for path in paths)


# make validate can fail.


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all schemas."""
    folder = tmp_path_factory.mktemp("schemas")
    schemas.write(folder)
    return folder


@pytest.mark.parametrize(
    ("overlay", "file", "old", "new", "says"),
    [
        ("hybrid-llm/staging", "values.yaml", "qwen3-4b", "qwen3-5b", "model.preset (qwen3-5b)"),
        ("hybrid-llm/staging", "values.yaml", "maxReplicas", "maxReplica", "'maxReplica'"),
        ("hybrid-llm/staging", "../base/release.yaml", "timeout:", "timeOut:", "timeOut"),
        (
            "hybrid-llm/staging",
            "../base/release.yaml",
            "-environment}",
            "-x}",
            "-x in this overlay",
        ),
        ("gateway", "gateway.yaml", "listeners:", "listener:", "listener"),
        ("flux/staging", "kustomization.yaml", "../base", "../bases", "bases"),
        ("secrets/external-secrets", "api-keys.yaml", "dataFrom", "dateFrom", "dateFrom"),
    ],
)
def test_what_is_broken_is_found(
    overlay: str, file: str, old: str, new: str, says: str, known: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(GITOPS, tmp_path / "gitops") / overlay
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert says in "; ".join(validate.problems(known, validate.overlay(folder)))


def test_every_environment_is_found() -> None:
    names = {path.relative_to(GITOPS).as_posix() for path in validate.overlays()}
    environments = {f"{stage}/{name}" for stage in ("flux", "hybrid-llm") for name in ENVIRONMENTS}
    assert names >= environments | {"operator", "gateway", "secrets/external-secrets"}


# Argo CD's health of a RayService.


def lua(value: Any, runtime: LuaRuntime) -> Any:
    """Return a Python value as Lua has it."""
    if isinstance(value, dict):
        return runtime.table_from({key: lua(item, runtime) for key, item in value.items()})
    if isinstance(value, list):
        return runtime.table_from([lua(item, runtime) for item in value])
    return value


def health(status: Object | None, generation: int = 2) -> tuple[str, str]:
    """Return what Argo CD says of a RayService: health and message."""
    runtime = LuaRuntime()
    service: Object = {"metadata": {"generation": generation}}
    if status is not None:
        service["status"] = status
    runtime.globals()["obj"] = lua(service, runtime)
    found = runtime.execute((GITOPS / "argocd" / "rayservice-health.lua").read_text())
    assert lua_type(found) == "table"
    return found["status"], found["message"]


def conditions(**states: str) -> list[Object]:
    return [{"type": kind, "status": state, "message": kind} for kind, state in states.items()]


def applications(status: str) -> Object:
    return {"rayClusterName": "x", "applicationStatuses": {"llm": {"status": status}}}


READY = {"observedGeneration": 2, "conditions": conditions(Ready="True", UpgradeInProgress="False")}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "Progressing"),
        ({}, "Progressing"),
        (READY, "Healthy"),
        (READY | {"observedGeneration": 1}, "Progressing"),
        (READY | {"conditions": conditions(Ready="False")}, "Progressing"),
        (READY | {"conditions": conditions(Ready="True", UpgradeInProgress="True")}, "Progressing"),
        (READY | {"pendingServiceStatus": applications("DEPLOYING")}, "Progressing"),
        (READY | {"pendingServiceStatus": applications("DEPLOY_FAILED")}, "Degraded"),
        (READY | {"activeServiceStatus": applications("DEPLOY_FAILED")}, "Degraded"),
        (READY | {"activeServiceStatus": applications("RUNNING")}, "Healthy"),
    ],
)
def test_health_for_argo_cd(status: Object | None, expected: str) -> None:
    assert health(status)[0] == expected


def test_health_for_argo_cd_says_what_failed() -> None:
    failed = applications("DEPLOY_FAILED")
    failed["applicationStatuses"]["llm"]["message"] = "no such model"
    assert health(READY | {"pendingServiceStatus": failed}) == ("Degraded", "llm: no such model")
