"""The KubeRay operator is killed. It serves nothing; it must find its way back."""

from ..cases import Case
from ..kube import Namespace, Object, core, wait
from ..release import Release, is_ready

LABEL = "app.kubernetes.io/component=kuberay-operator"


def act(release: Release) -> None:
    (found,) = core().list_pod_for_all_namespaces(label_selector=LABEL).items
    namespace, name = Namespace(found.metadata.namespace), found.metadata.name
    namespace.kubectl("delete", "pod", name, "--grace-period=0", "--force")

    def back() -> list[Object]:
        return [pod for pod in namespace.pods(LABEL) if is_ready(pod)]

    wait("the operator is back", back)


CASE = Case("operator killed", act, replicas=2)
