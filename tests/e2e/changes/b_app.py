"""The application's own code changes: another ConfigMap, and so a second cluster."""

import shutil
import tempfile
from pathlib import Path

from ..cases import Case
from ..kube import ROOT, wait
from ..release import Release

MARK = "# changed by the suite"


_kept = tempfile.TemporaryDirectory()  # the release goes on being made of this chart


def act(release: Release) -> None:
    before = release.active()
    chart = Path(_kept.name) / "hybrid-llm"
    shutil.copytree(ROOT / "charts" / "hybrid-llm", chart)
    module = chart / "app" / "edge" / "errors.py"
    module.write_text(f"{module.read_text()}\n{MARK}\n")
    release.chart = str(chart)
    release.install()
    wait("the second cluster has taken over", lambda: release.active() != before)


def seen(release: Release) -> None:
    code = release.namespace.shell(release.pod("worker"), "cat /opt/hybrid-llm/app/edge/errors.py")
    assert MARK in code


CASE = Case("application changed", act, seen=seen)
