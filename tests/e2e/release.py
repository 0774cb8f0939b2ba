"""A release of the chart: install, change and look at it."""

import copy
import json
from typing import Any

import yaml

from .kube import IMAGE, ROOT, Namespace, Object, helm, wait

CHART = str(ROOT / "charts" / "hybrid-llm")
VALUES = yaml.safe_load((ROOT / "tests" / "e2e" / "values.yaml").read_text())


def merged(base: Object, change: Object) -> Object:
    """Return `base` with the entries of `change`, merged as Helm merges values."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


def image_values(image: str) -> Object:
    """Return the values that name an image which the nodes have."""
    repository, tag = image.rsplit(":", 1)
    image_only = {
        "registry": "",
        "repository": repository,
        "tag": tag,
        "pullPolicy": "IfNotPresent",
    }
    return {"image": image_only, "test": {"image": image}}


class Release:
    """`helm install hybrid-llm charts/hybrid-llm` in a namespace of its own."""

    def __init__(
        self, namespace: Namespace, name: str = "hybrid-llm", mode: str = "ingress"
    ) -> None:
        self.namespace, self.name, self.mode = namespace, name, mode
        self.chart = CHART
        self.values: Object = merged(VALUES, image_values(IMAGE))
        self.model: str = self.values["model"]["id"]

    def install(self, change: Object | None = None) -> str:
        """Install, or upgrade to the values with `change` in them; they stay for the next time."""
        self.values = merged(self.values, change or {})
        self.model = self.values["model"]["id"]
        return self._helm("upgrade", "--install", self.name, self.chart, "--values", "-")

    def upgrade(self, change: Object) -> str:
        """Upgrade for once: the next `install` goes back."""
        values = merged(self.values, change)
        return self._helm(
            "upgrade", self.name, self.chart, "--values", "-", stdin=yaml.safe_dump(values)
        )

    def helm(self, *arguments: str, **options: Any) -> str:
        """Run Helm in the namespace of the release."""
        return helm(*arguments, "--namespace", self.namespace.name, **options)

    def _helm(self, *arguments: str, **options: Any) -> str:
        options.setdefault("stdin", yaml.safe_dump(self.values))
        return self.helm(*arguments, **options)

    @property
    def service(self) -> str:
        """Name of the Service that clients use."""
        return f"{self.name}-serve-svc"

    @property
    def url(self) -> str:
        """Where clients in the cluster ask."""
        return f"http://{self.service}:8000"

    def rayservice(self) -> Object:
        """Return the RayService."""
        return self.namespace.rayservice(self.name)

    def active(self) -> str:
        """Return the name of the RayCluster that gets the traffic."""
        name: str = self.rayservice()["status"]["activeServiceStatus"]["rayClusterName"]
        return name

    def ready(self) -> bool:
        """Return whether the operator says Ready of the newest spec, with one cluster alone."""
        service = self.rayservice()
        status = service.get("status", {})
        conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
        return (
            status.get("observedGeneration") == service["metadata"]["generation"]
            and conditions.get("Ready") == "True"
            and conditions.get("UpgradeInProgress") != "True"
            and not status.get("pendingServiceStatus", {}).get("rayClusterName")
        )

    def pods(self, component: str) -> list[Object]:
        """Return the pods of the active cluster: `head`, `worker` or `ingress`."""
        label = f"app.kubernetes.io/component={component},ray.io/cluster={self.active()}"
        return self.namespace.pods(label)

    def pod(self, component: str) -> str:
        """Return the name of one pod, the last one made."""
        pods = sorted(self.pods(component), key=lambda pod: pod["metadata"]["creationTimestamp"])
        name: str = pods[-1]["metadata"]["name"]
        return name

    def serve(self) -> Object:
        """Return what Serve says of its application, as the dashboard has it."""
        script = (
            'wget -qO- --header "X-Ray-Authorization: Bearer $RAY_AUTH_TOKEN"'
            " http://127.0.0.1:8265/api/serve/applications/"
        )
        answer = self.namespace.shell(self.pod("head"), script, "ray-head")
        application: Object = json.loads(answer)["applications"]["llm"]
        return application

    def replicas(self) -> list[Object]:
        """Return the model's replicas."""
        return replicas_of(self.serve())

    def whole(self, replicas: int | None = None) -> bool:
        """Return whether all that should run does: the RayService, pods, replicas."""
        wanted = replicas or self.values["autoscaling"]["minReplicas"]
        if not self.ready() or list(map(is_ready, self.pods("head"))) != [True]:
            return False
        if len(list(filter(is_ready, self.pods("worker")))) != wanted:
            return False
        serve = self.serve()
        states = [replica["state"] for replica in replicas_of(serve)]
        return serve["status"] == "RUNNING" and states == ["RUNNING"] * wanted

    def wait_whole(self, replicas: int | None = None, timeout: float = 600) -> None:
        """Wait until `whole`."""
        wait(f"{self.name} is whole", lambda: self.whole(replicas), timeout)

    def wait_without(self, replica: Object) -> None:
        """Wait until Serve has seen that a replica is dead."""

        def seen() -> bool:
            running = [r["replica_id"] for r in self.replicas() if r["state"] == "RUNNING"]
            return replica["replica_id"] not in running

        wait("Serve has seen that the replica is dead", seen, every=1)


def replicas_of(serve: Object) -> list[Object]:
    """Return the model's replicas, out of what Serve says of its application."""
    deployments = serve["deployments"].items()
    models = [deployment for name, deployment in deployments if name.startswith("LLMServer")]
    return [replica for model in models for replica in model["replicas"]]


def is_ready(pod: Object) -> bool:
    """Return whether a pod's condition Ready is True."""
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
