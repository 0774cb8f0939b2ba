"""What a cluster would say of what the chart renders, without one."""

import json

import schemas

from .conftest import Object

CRDS = ("kuberay", "gateway-api", "prometheus-operator")  # that the chart writes objects of


def cluster_says(renders: list[list[Object]]) -> list[Object]:
    """Return for each render what Kubernetes' and KubeRay's own code say: cluster-says/main.go.

    `refused`: why the API server wouldn't take an object, or KubeRay's operator the RayService, or
    the API server what the operator makes of it. `hash`: what the operator knows the cluster by.
    """
    files = [str(path) for module in CRDS for path in schemas.crd_files(module)]
    run = schemas.go_tool("cluster-says", *files, input=json.dumps(renders))
    if run.returncode:
        raise RuntimeError(run.stderr)
    verdicts: list[Object] = json.loads(run.stdout)
    return verdicts
