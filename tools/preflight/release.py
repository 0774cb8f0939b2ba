"""A release, out of what the chart renders."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from . import Object, Stop
from .pods import Group, job, made_by_kuberay


@dataclass
class Release:
    """What would be installed.

    Args:
        objects: that the chart renders.
        namespace: where they would be.
        kuberay: versions of the operator that the chart knows, as ">=1.6 <1.8"; empty: any.
    """

    objects: list[Object]
    namespace: str
    kuberay: str = ""
    instance: str = field(default="")

    def __post_init__(self) -> None:
        labels = self.rayservice["metadata"].get("labels") or {}
        self.instance = labels.get("app.kubernetes.io/instance", self.name)

    @cached_property
    def rayservice(self) -> Object:
        """The RayService.

        Raises:
            Stop: there is none, or several.
        """
        found = self.of("RayService")
        if len(found) != 1:
            raise Stop(f"the manifests have {len(found)} RayServices; one is looked at")
        return found[0]

    @property
    def name(self) -> str:
        """Of the RayService."""
        return str(self.rayservice["metadata"]["name"])

    def of(self, *kinds: str) -> list[Object]:
        """Return the objects of these kinds, but for those of `helm test`."""
        return [o for o in self.objects if o["kind"] in kinds and "test" not in hooks(o)]

    def makes(self, kind: str, name: str) -> Object | None:
        """Return the object of that name, if the release makes it."""
        return next((o for o in self.of(kind) if o["metadata"]["name"] == name), None)

    @cached_property
    def groups(self) -> list[Group]:
        """The pods that it makes beside each other, in the order in which they are made."""
        return [
            *made_by_kuberay(self.rayservice),
            *(job(j) for j in self.of("Job") if not hooks(j)),
        ]

    @cached_property
    def before(self) -> list[Group]:
        """The pods of hooks, each of which has ended when the next is made."""
        found = [job(j) for j in self.of("Job") if hooks(j)]
        return [
            group
            for group in found
            if group.pod["metadata"]["labels"].get(COMPONENT) != "preflight"
        ]

    def looks(self, pod: Object) -> bool:
        """Return whether a pod of the cluster is the one that looks, and has ended before these."""
        metadata = pod["metadata"]
        labels = metadata.get("labels") or {}
        return (
            metadata.get("namespace") == self.namespace
            and labels.get("app.kubernetes.io/instance") == self.instance
            and labels.get(COMPONENT) == "preflight"
        )

    @property
    def specs(self) -> Iterable[tuple[str, Object]]:
        """Each group's name and pod spec."""
        return [(group.name, group.pod["spec"]) for group in (*self.groups, *self.before)]


COMPONENT = "app.kubernetes.io/component"


def hooks(obj: Object) -> list[str]:
    """Return when Helm runs an object as a hook; nothing for what is not one."""
    annotations = obj["metadata"].get("annotations") or {}
    return [hook.strip() for hook in annotations.get("helm.sh/hook", "").split(",") if hook.strip()]
