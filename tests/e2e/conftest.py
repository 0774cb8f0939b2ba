"""The suite's fixtures: a release in each serving mode, the report, what to look at afterwards."""

import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes.client
import pytest

from .cases import found
from .diagnostics import collect
from .kube import IMAGE, Namespace, api
from .release import Release
from .report import Report

HERE = Path(__file__).parent
MODES = ("direct", "ingress")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--report", action="store_true", help="write the rows seen into e2e/report.md")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a cluster none of this can run, and `make e2e` is what gives it one."""
    mine = [item for item in items if HERE in item.path.parents]
    if mine:
        try:
            kubernetes.client.VersionApi(api()).get_code()
        except Exception as problem:
            raise pytest.UsageError(
                f"tests/e2e needs a cluster: run `make e2e` ({problem})"
            ) from None
    for item in mine:
        item.add_marker(pytest.mark.timeout(1200))
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        modes = parameters["case"].modes if "case" in parameters else ()
        if modes and parameters.get("release", modes[0]) not in modes:
            items.remove(item)
            config.hook.pytest_deselected(items=[item])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try a release in one mode after the other, and with each case of a folder."""
    names, folder = metafunc.fixturenames, Path(metafunc.module.__file__).parent
    if "case" in names:
        cases = [
            pytest.param(
                case,
                id=re.sub("[^a-z]+", "-", case.title.lower()).strip("-"),
                marks=[pytest.mark.core] if case.core and folder.name == "life" else [],
            )
            for case in found(metafunc.module.CASES)
        ]
        metafunc.parametrize("case", cases)
    if "release" in names and folder.name == "life":
        marker = metafunc.definition.get_closest_marker("modes")
        modes = marker.args if marker else MODES
        metafunc.parametrize("release", modes, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Save what the cluster looks like right after a test of the suite has failed."""
    report = yield
    if report.failed and HERE in item.path.parents:
        release = getattr(item, "funcargs", {}).get("release")
        folder = collect(item.name, release.namespace if release else None)
        report.sections.append(("diagnostics", str(folder)))
    return report


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """The rows of this run; --report writes them beside those of earlier runs."""
    rows = Report(saved=request.config.getoption("--report"))
    yield rows
    rows.print()


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest, report: Report) -> Iterator[Release]:
    """`helm install` in a serving mode, with a Redis for the head's state; whole."""
    mode = request.param
    namespace = Namespace(f"e2e-{mode}")
    namespace.create()
    namespace.secret("redis", password=secrets.token_hex(16))
    namespace.apply((HERE / "redis.yaml").read_text().replace("IMAGE", IMAGE))
    release = Release(namespace, mode=mode)
    start = time.monotonic()
    redis = {"redisAddress": "redis:6379", "existingSecret": "redis"}
    release.install({"serving": {"mode": mode}, "ray": {"gcs": redis}})
    release.wait_whole()
    report.time("helm install until the first answer is possible", mode, time.monotonic() - start)
    yield release
    namespace.delete()
