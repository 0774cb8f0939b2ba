"""Where images come from: one value for all of them, for nodes that reach one registry."""

import re
from typing import Any

import pytest

from .conftest import Object, pods, render

EVERY_POD: Object = {
    "preflight": {"enabled": True},
    "playground": {"enabled": True},
    "weights": {"cache": {"enabled": True, "download": True}},
}
OURS = "hybrid-llm-my-qwen-3-32b"


def images(*args: str, **values: Any) -> dict[str, str]:
    """Return the image of each pod's first container; all containers of a pod have the same."""
    found = {}
    for name, pod in pods(render({**EVERY_POD, **values}, *args)).items():
        part = re.sub("(-download)-.*", r"\1", name)  # the Job's name goes by its pod
        (found[part],) = {c["image"] for c in pod["spec"]["containers"]}
    return found


def test_each_comes_from_where_it_is_published() -> None:
    found = images()
    assert {image.split("/")[0] for image in found.values()} == {"docker.io", "ghcr.io"}
    assert images("--set", "image.registry=")["hybrid-llm-test"] == found["hybrid-llm-test"]


@pytest.mark.parametrize("key", ["image.registry", "global.imageRegistry"])
@pytest.mark.parametrize("registry", ["reg.example", "reg.example:5000/mirror"])
def test_one_value_moves_all_of_them(key: str, registry: str) -> None:
    before, after = images(), images("--set", f"{key}={registry}")
    assert len(after) == 6
    assert after == {n: f"{registry}/{image.partition('/')[2]}" for n, image in before.items()}


def test_a_parent_charts_registry_wins() -> None:
    args = ("--set", "global.imageRegistry=global.example,image.registry=own.example")
    assert images(*args)[OURS].startswith("global.example/rayproject/")


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("quay.io/curl/curl:8.16.0", "quay.io/curl/curl:8.16.0"),
        ("localhost/curl:8.16.0", "localhost/curl:8.16.0"),
        ("node:5000/curl:8.16.0", "node:5000/curl:8.16.0"),
        ("curl:8.16.0", "reg.example/curl:8.16.0"),
        ("tools/curl:8.16.0", "reg.example/tools/curl:8.16.0"),
    ],
)
def test_an_image_that_names_its_registry_is_taken_as_it_is(image: str, expected: str) -> None:
    args = ("--set", f"image.registry=reg.example,test.image={image}")
    assert images(*args)["hybrid-llm-test"] == expected


def test_every_pod_has_the_pull_secrets_and_those_of_a_parent_chart() -> None:
    values = {"image": {"pullSecrets": [{"name": "own"}, {"name": "both"}]}}
    args = ("--set", "global.imagePullSecrets[0]=text,global.imagePullSecrets[1].name=both")
    for pod in pods(render({**EVERY_POD, **values}, *args)).values():
        names = [one["name"] for one in pod["spec"]["imagePullSecrets"]]
        assert names == ["text", "both", "own"]
    assert not any("imagePullSecrets" in pod["spec"] for pod in pods(render(EVERY_POD)).values())
