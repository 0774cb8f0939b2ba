"""The changes that a release is tried with by Helm, each as a commit that Flux carries out."""

import base64

from ..cases import Case
from ..kube import wait
from ..life.under_traffic import check
from ..release import Release
from ..report import Report
from .fleet import FLUX, Fleet, ready

CASES = "changes"


def test_every_stage_is_ready(fleet: Fleet) -> None:
    stages = ("operator", "secrets", "hybrid-llm")
    said = {name: ready(FLUX.get("kustomization", name)["status"]) for name in stages}
    assert [said[name]["status"] for name in stages] == ["True"] * 3, said
    # In this order: what needs something comes after it.
    times = [said[name]["lastTransitionTime"] for name in stages]
    assert times == sorted(times)
    assert ready(fleet.namespace.get("helmrelease", fleet.name)["status"])["status"] == "True"
    chart = fleet.namespace.get("ocirepository", fleet.name)["status"]["conditions"]
    assert ("SourceVerified", "True") in [(c["type"], c["status"]) for c in chart]


def test_no_key_is_in_the_repository(fleet: Fleet) -> None:
    for name, entry in (("hybrid-llm-api-keys", "default"), ("hf-token", "HF_TOKEN")):
        key = base64.b64decode(fleet.namespace.get("secret", name)["data"][entry]).decode()
        assert key
        assert not [f for f in fleet.repository.folder.rglob("*.yaml") if key in f.read_text()]


def test_commit(fleet: Fleet, case: Case, report: Report) -> None:
    check(fleet, case, report)
    fleet.wait_applied(fleet.repository.git("rev-parse", "HEAD").strip())


def revert(release: Release) -> None:
    assert isinstance(release, Fleet)
    before = release.active()
    release.repository.revert()
    wait("a cluster of what was before has taken over", lambda: release.active() != before)


def test_revert(fleet: Fleet, report: Report) -> None:
    check(fleet, Case("the last commit taken back by git revert", revert), report)
    fleet.wait_applied(fleet.repository.git("rev-parse", "HEAD").strip())
