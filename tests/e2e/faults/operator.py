"""The KubeRay operator is killed. It serves nothing; it must find its way back."""

from ..cases import Case
from ..kube import kubectl
from ..release import Release


def act(release: Release) -> None:
    label = "app.kubernetes.io/component=kuberay-operator"
    (pod,) = kubectl(
        "get",
        "pods",
        "-A",
        "-l",
        label,
        "--no-headers",
        "-o",
        "custom-columns=:metadata.namespace,:metadata.name",
    ).splitlines()
    namespace, name = pod.split()
    kubectl("--namespace", namespace, "delete", "pod", name, "--grace-period=0", "--force")


CASE = Case("operator killed", act, replicas=2)
