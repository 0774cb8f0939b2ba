"""A worker pod is gone at once, as with its node."""

from ..cases import Case
from ..release import Release


def act(release: Release) -> None:
    release.namespace.kubectl("delete", "pod", release.pod("worker"), "--grace-period=0", "--force")


CASE = Case("worker pod killed", act, replicas=2, modes=("direct", "ingress"), own_streams=True)
