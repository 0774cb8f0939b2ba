"""The head pod is gone at once. What it knew is in Redis, and no request goes through it."""

from ..cases import Case
from ..release import Release


def act(release: Release) -> None:
    release.namespace.kubectl("delete", "pod", release.pod("head"), "--grace-period=0", "--force")


CASE = Case("head pod killed (state in Redis)", act, replicas=2, modes=("direct", "ingress"))
