"""The model changes: its weights are elsewhere, under the same name for clients."""

from ..cases import Case
from ..kube import wait
from ..release import Release

SOURCE = "/models//nano"  # the image has but one


def act(release: Release) -> None:
    before = release.active()
    release.install({"model": {"source": SOURCE}})
    wait("the second cluster has taken over", lambda: release.active() != before)


def seen(release: Release) -> None:
    (config,) = release.serve()["deployed_app_config"]["args"]["llm_configs"]
    assert config["model_loading_config"]["model_source"] == SOURCE


CASE = Case("model changed", act, seen=seen)
