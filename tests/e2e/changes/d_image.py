"""The image and the environment change."""

from ..cases import Case
from ..kube import OTHER_IMAGE, wait
from ..release import Release, image_values


def act(release: Release) -> None:
    before = release.active()
    env = [*release.values["env"], {"name": "E2E_CHANGED", "value": "yes"}]
    release.install({**image_values(OTHER_IMAGE), "env": env})
    wait("the second cluster has taken over", lambda: release.active() != before)


def seen(release: Release) -> None:
    (container,) = release.pods("worker")[0]["spec"]["containers"]
    assert container["image"] == OTHER_IMAGE
    assert release.namespace.shell(release.pod("worker"), "echo $E2E_CHANGED").strip() == "yes"


CASE = Case("image and environment changed", act, modes=("direct", "ingress"), seen=seen, core=True)
