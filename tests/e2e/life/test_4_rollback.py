"""An upgrade that cannot work gets no traffic, and `helm rollback` restores.

KubeRay compares a spec with the second cluster alone: after a rollback it makes a third one of the
old spec, which takes over as after any upgrade, and until then the first one answers.
"""

import time

from ..driver import traffic
from ..kube import wait
from ..release import Release
from ..report import Report

FAILED = ("UNHEALTHY", "DEPLOY_FAILED")


def source(release: Release) -> str:
    """Return where the model that answers has its weights from."""
    (config,) = release.serve()["deployed_app_config"]["args"]["llm_configs"]
    found: str = config["model_loading_config"]["model_source"]
    return found


def test_a_model_that_is_not_there(release: Release, report: Report) -> None:
    release.wait_whole()
    before = release.active()

    def pending_fails() -> bool:
        pending = release.rayservice()["status"]["pendingServiceStatus"]
        return any(a["status"] in FAILED for a in pending["applicationStatuses"].values())

    with traffic(release) as fates:
        start = time.time()
        release.upgrade({"model": {"source": "/models/not-there"}})
        wait("the second cluster fails", pending_fails, timeout=900)  # after three attempts
        assert release.active() == before
        release.helm("rollback", release.name)
        release.wait_whole()
        whole = time.time()
        time.sleep(5)
    report.traffic(
        "upgrade to a model that is not there, rolled back", release.mode, fates, start, whole
    )

    assert source(release) == release.values["model"]["source"]
    assert fates.count("answered") == len(fates.requests), fates.errors()
