"""Runs the checks: each file of checks/ is one."""

import importlib
import pkgutil
from collections.abc import Iterator

from . import checks
from .cluster import Cluster, Denied
from .finding import Finding, warning
from .release import Release


def check(release: Release, cluster: Cluster) -> list[tuple[str, Finding]]:
    """Return what each check found, under its name."""
    return list(_findings(release, cluster))


def _findings(release: Release, cluster: Cluster) -> Iterator[tuple[str, Finding]]:
    for module in sorted(module.name for module in pkgutil.iter_modules(checks.__path__)):
        looked = importlib.import_module(f"{checks.__name__}.{module}")
        try:
            for finding in looked.check(release, cluster):
                yield module, finding
        except Denied as denied:
            yield (
                module,
                warning(
                    f"not checked: this account may not read {denied.path}",
                    "whether it is well there is not known",
                    "ask whoever runs the cluster for the right to read it, or to run this",
                    checked=False,
                ),
            )
