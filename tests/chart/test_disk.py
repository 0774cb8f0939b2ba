"""What a worker may write to its node's disk: asked for and bounded where weights go there."""

import pytest

from .conftest import Object, pods, render

WORKER = "hybrid-llm-my-qwen-3-32b"
GIB = 65524246528 / 2**30  # of Qwen3-32B in bf16
BUCKET = {"model": {"source": "s3://bucket/qwen"}, "weights": {"from": "bucket"}}


def asked(values: Object | None = None, worker: str = WORKER) -> tuple[int, int, int]:
    """Return request and limit of a worker, and its cache's, in GiB; 0 where there is none."""
    found = pods(render(values))
    spec = found[worker]["spec"]
    (container,) = spec["containers"]
    (cache,) = [v["emptyDir"] for v in spec["volumes"] if v["name"] == "cache"]
    limits = [container["resources"][kind].get("ephemeral-storage") for kind in KINDS]
    for name, pod in found.items():
        if name != worker:
            assert "ephemeral-storage" not in str(pod)
    request, limit, size = [int(v[:-2]) if v else 0 for v in (*limits, cache.get("sizeLimit"))]
    return request, limit, size


KINDS = ("requests", "limits")


def test_downloaded_weights_are_asked_for() -> None:
    request, limit, cache = asked()
    assert GIB + 5 < request < cache < limit < 2 * GIB
    assert asked(BUCKET) == (request, limit, cache)


def test_it_follows_the_model() -> None:
    values = {"model": {"preset": "qwen3-235b-a22b-fp8"}, "accelerator": {"preset": "h200"}}
    request, _, cache = asked(values, "hybrid-llm-my-qwen-3-235b-a22b-fp8")
    assert 219 < request < cache < 260
    small = {"model": {"preset": "qwen3-0.6b"}}  # a floor for all that is not weights
    assert asked(small, "hybrid-llm-my-qwen-3-0-6b")[1] > 40


@pytest.mark.parametrize(
    "values",
    [
        {"weights": {"cache": {"enabled": True}}},
        {"weights": {"loadFormat": "dummy"}},
        {**BUCKET, "weights": {"from": "bucket", "loadFormat": "runai_streamer"}},
        {"model": {"source": "/m"}, "weights": {"from": "path"}},
        {"model": {"source": "/weights"}, "weights": {"from": "claim", "claim": {"name": "w"}}},
    ],
)
def test_weights_that_lie_elsewhere_need_no_disk(values: Object) -> None:
    assert asked(values) == (0, 0, 0)


def test_own_resources_are_taken_as_they_are() -> None:
    own = {"requests": {"cpu": "8"}, "limits": {"memory": "64Gi"}}
    assert asked({"worker": {"resources": own}}) == (0, 0, 0)
    own = {"requests": {"ephemeral-storage": "7Gi"}, "limits": {"ephemeral-storage": "300Gi"}}
    assert asked({"worker": {"resources": own}}) == (7, 300, 0)


def test_a_second_model_of_unknown_size_is_not_cut_off() -> None:
    draft = {"speculative_config": {"model": "Qwen/Qwen3-0.6B", "num_speculative_tokens": 3}}
    request, limit, cache = asked({"engine": {"kwargs": draft}})
    assert request and not limit and not cache
