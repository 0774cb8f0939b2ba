"""Runs preflight as an operator does."""

import json
import subprocess
import sys

from ..kube import ROOT, Object


def preflight(*arguments: str, stdin: str | None = None) -> tuple[int, list[Object]]:
    """Return its exit status and its findings."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.preflight", "--json", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout, done.stderr
    found: list[Object] = json.loads(done.stdout)["findings"]
    return done.returncode, found
