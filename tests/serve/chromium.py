"""A real Chromium, the system's own, and installed where there is none."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


def program() -> str:
    """Return its path; where there is none, root installs Debian's, and others are told to."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", NAMES[0]]):
            command = ["apt-get", "-qq", *arguments]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        found = shutil.which(NAMES[0])
    if found is None:
        pytest.fail(f"the page is tried in a browser: install one of {', '.join(NAMES)}")
    return found


@contextmanager
def running() -> Iterator[Browser]:
    """Yield a browser without a window."""
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses root; what it opens here is our own page alone.
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        yield browser
        browser.close()
