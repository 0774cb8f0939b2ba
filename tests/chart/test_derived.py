"""Numbers that must agree follow from one value, and a change of that one changes them all."""

import shutil

import pytest
import yaml

import run

from .conftest import (
    CHART,
    ROOT,
    cluster,
    deployments,
    llm_configs,
    manifest,
    pods,
    render,
    serve_config,
    text,
)

MODEL = "LLMServer:my-qwen-3-32b"
NANO = yaml.safe_load((CHART / "ci/nano-cpu.yaml").read_text())


def env(objects, pod):
    container = pods(objects)[pod]["spec"]["containers"][0]
    return {e["name"]: e.get("value") for e in container["env"]}


@pytest.mark.parametrize("least, most", [(1, 2), (2, 5), (3, 3)])
def test_workers_follow_from_replicas(least, most):
    objects = render({"autoscaling": {"minReplicas": least, "maxReplicas": most}})
    (group,) = cluster(objects)["workerGroupSpecs"]
    assert (group["minReplicas"], group["maxReplicas"]) == (least, most)
    for deployment in (llm_configs(objects)[0]["deployment_config"], deployments(objects)[MODEL]):
        scaling = deployment.get("autoscaling_config")
        assert (scaling or {}).get("max_replicas", deployment.get("num_replicas")) == most
    # The number of workers is the autoscaler's where there is one; GitOps must not fight it.
    assert ("replicas" in group) is (least == most)
    assert cluster(objects).get("enableInTreeAutoscaling", False) is (least != most)


@pytest.mark.parametrize("tensor, pipeline", [(4, 1), (8, 1), (4, 2), (2, 4)])
def test_accelerators_of_a_worker_are_tensor_times_pipeline(tensor, pipeline):
    objects = render({"parallelism": {"tensor": tensor, "pipeline": pipeline}})
    limits = pods(objects)["hybrid-llm-my-qwen-3-32b"]["spec"]["containers"][0]["resources"][
        "limits"
    ]
    assert limits["nvidia.com/gpu"] == str(tensor * pipeline)
    engine = llm_configs(objects)[0]["engine_kwargs"]
    assert engine["tensor_parallel_size"] == tensor
    assert engine.get("pipeline_parallel_size", 1) == pipeline


def test_request_limits_follow_from_the_number_of_sequences():
    deployment = deployments(render({"engine": {"maxNumSeqs": 100}}))[MODEL]
    assert deployment["autoscaling_config"]["target_ongoing_requests"] == 75
    assert deployment["max_ongoing_requests"] == 200
    assert deployment["max_queued_requests"] == 400


def test_no_request_goes_through_the_head():
    """Or a stream would end with it, and Redis keeps what the head knows, not its connections."""
    assert manifest(render(), "RayService")["spec"]["excludeHeadPodFromServeSvc"] is True


def test_drain_times_follow_from_one():
    objects = render({"serving": {"drainSeconds": 123}})
    service = manifest(objects, "RayService")["spec"]
    assert service["rayClusterDeletionDelaySeconds"] == 183
    assert deployments(objects)[MODEL]["graceful_shutdown_timeout_s"] == 123
    # The head answers nothing: to wait for it would only delay its successor, and an uninstall.
    for name, seconds, drain in [
        ("hybrid-llm-head", 30, "0"),
        ("hybrid-llm-my-qwen-3-32b", 183, "123"),
    ]:
        assert pods(objects)[name]["spec"]["terminationGracePeriodSeconds"] == seconds
        assert env(objects, name)["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"] == drain


def test_the_autoscaler_knows_which_accelerator_a_worker_brings():
    """Or a second replica, which asks for it, would wait for ever."""
    (group,) = cluster(render())["workerGroupSpecs"]
    assert group["resources"] == {"CPU": "32", "accelerator_type:L40S": "1"}
    assert "num-cpus" not in group["rayStartParams"]  # KubeRay refuses both


def test_replicas_may_go_to_zero_and_leave_the_ingress_a_pod_without_accelerators():
    objects = render({"autoscaling": {"minReplicas": 0}})
    model, ingress = cluster(objects)["workerGroupSpecs"]
    assert model["minReplicas"] == 0
    assert ingress["minReplicas"] == 1
    assert "nvidia.com/gpu" not in str(ingress)
    options = serve_config(objects)["applications"][0]["args"]["ingress_deployment_config"]
    assert set(options["ray_actor_options"]["resources"]) <= set(ingress["resources"])


def test_how_long_a_request_waits_is_told_of_the_models_that_may_sleep():
    autoscaling = {"minReplicas": 0, "wakeWaitSeconds": 20}
    others = [
        {"model": {"preset": "qwen3-4b"}, "autoscaling": {"wakeWaitSeconds": 0}},
        {"model": {"preset": "qwen3-14b"}, "autoscaling": {"minReplicas": 1}},
    ]
    objects = render({"autoscaling": autoscaling, "additionalModels": others})
    edge = serve_config(objects)["applications"][0]["args"]["edge"]
    assert edge["wakeWaitSeconds"] == {"my-qwen-3-32b": 20, "my-qwen-3-4b": 0}
    objects = render({"autoscaling": {"minReplicas": 0}})
    assert "wakeWaitSeconds" not in serve_config(objects)["applications"][0]["args"]["edge"]


@pytest.mark.parametrize(
    ("notice", "drain"), [(120, ("90", 120)), (15, ("11", 15)), (3600, ("600", 660))]
)
def test_a_spot_node_is_left_before_it_ends(notice, drain):
    spot = {"enabled": True, "noticeSeconds": notice}
    objects = render({"accelerator": {"platform": "eks", "spot": spot}})
    (group,) = cluster(objects)["workerGroupSpecs"]
    pod = group["template"]["spec"]
    seconds = env(objects, "hybrid-llm-my-qwen-3-32b")["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"]
    assert (seconds, pod["terminationGracePeriodSeconds"]) == drain
    # Or the eviction of the last replica would wait, and the node take its answers along.
    assert manifest(objects, "PodDisruptionBudget")["spec"]["minAvailable"] == 0


@pytest.mark.parametrize(
    ("accelerator", "selector", "keys"),
    [
        ({"platform": "eks"}, {"karpenter.sh/capacity-type": "spot"}, []),
        (
            {"preset": "h100", "platform": "gke"},
            {"cloud.google.com/gke-spot": "true"},
            ["cloud.google.com/gke-spot"],
        ),
        (
            {"preset": "a100-80gb", "platform": "aks"},
            {"kubernetes.azure.com/scalesetpriority": "spot"},
            ["kubernetes.azure.com/scalesetpriority"],
        ),
        ({"nodeSelector": {"pool": "cheap"}}, {"pool": "cheap"}, []),
    ],
    ids=["eks", "gke", "aks", "own"],
)
def test_workers_alone_go_to_spot_nodes(accelerator, selector, keys):
    before = render({"accelerator": accelerator})
    objects = render({"accelerator": accelerator | {"spot": {"enabled": True}}})
    (was,), (group,) = (cluster(o)["workerGroupSpecs"] for o in (before, objects))
    was, pod = was["template"]["spec"], group["template"]["spec"]
    assert pod["nodeSelector"] == was["nodeSelector"] | selector
    assert [t["key"] for t in pod["tolerations"]] == [t["key"] for t in was["tolerations"]] + keys
    head, was = (cluster(o)["headGroupSpec"]["template"]["spec"] for o in (objects, before))
    assert head == was


def test_each_model_has_a_worker_group_of_its_own():
    objects = render({"additionalModels": [{"model": {"preset": "qwen3-4b"}}]})
    groups = cluster(objects)["workerGroupSpecs"]
    assert [g["groupName"] for g in groups] == ["my-qwen-3-32b", "my-qwen-3-4b"]
    # Not the first model's shape: a small model takes what it needs.
    assert [c["engine_kwargs"]["tensor_parallel_size"] for c in llm_configs(objects)] == [4, 1]


@pytest.mark.parametrize("values", [{}, {"serving": {"mode": "direct"}}], ids=["auto", "direct"])
def test_direct_mode_is_told_to_head_and_workers_and_has_no_ingress(values):
    objects = render(values)
    for name in ("hybrid-llm-head", "hybrid-llm-my-qwen-3-32b"):
        assert env(objects, name)["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
        assert env(objects, name)["RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING"] == "1"
        assert env(objects, name)["RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD"] == "0"
    assert list(deployments(objects)) == [MODEL]


@pytest.mark.parametrize(
    "values",
    [
        {"serving": {"mode": "ingress"}},
        {"additionalModels": [{"model": {"preset": "qwen3-4b"}}]},
        {"autoscaling": {"minReplicas": 0}},
    ],
    ids=["asked-for", "two-models", "to-zero"],
)
def test_the_ingress_is_there_where_something_needs_it(values):
    objects = render(values)
    assert "OpenAiIngress" in deployments(objects)
    assert "RAY_SERVE_ENABLE_HA_PROXY" not in env(objects, "hybrid-llm-head")


@pytest.mark.parametrize("mode", ["ingress", "direct"])
def test_the_edge_is_told_to_the_application_and_to_haproxy(mode):
    cors = {"allowedOrigins": ["https://a.example", "http://localhost:3000"]}
    limits = {"choices": 3, "prompts": 4, "tools": 5, "schemaBytes": 6, "grammarBytes": 7}
    serving = {"mode": mode, "requestSeconds": 7, "maxStreamInterval": 2, "cors": cors}
    serving["limits"] = limits
    objects = render({"serving": serving})
    args = serve_config(objects)["applications"][0]["args"]
    edge = {"cors": cors, "requestSeconds": 7, "maxStreamInterval": 2, "limits": limits}
    assert args["edge"] == edge
    # As `make run` tells it.
    told = run.DIRECT | run.haproxy({"applications": [{"args": args}]}, "/tmp")
    timeout = "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S"
    assert told[timeout] == "12"
    assert "timeout http-request 7s" in told[retry_on := "RAY_SERVE_HAPROXY_RETRY_ON"]
    front = {name: told[name] for name in (*run.DIRECT, timeout, retry_on)}
    for name in ("hybrid-llm-head", "hybrid-llm-my-qwen-3-32b"):
        found = {k: v for k, v in env(objects, name).items() if k in front}
        assert found == (front if mode == "direct" else {})


PINNED = yaml.safe_load((CHART / "presets/models/qwen3-32b.yaml").read_text())["revision"]
OTHER = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "values, revision",
    [
        ({}, PINNED),
        ({"model": {"revision": "main"}}, "main"),
        # The preset's commit is of the preset's repository, and only a hub has any.
        ({"model": {"source": "me/mine"}}, None),
        ({"model": {"source": "me/mine", "revision": "v1"}}, "v1"),
        ({"model": {"overrides": {"source": "me/mine"}}}, None),
        ({"model": {"overrides": {"source": "me/mine", "revision": OTHER}}}, OTHER),
        (
            {"model": {"source": "/weights"}, "weights": {"from": "claim", "claim": {"name": "a"}}},
            None,
        ),
    ],
    ids=str,
)
def test_the_revision_is_pinned_with_the_source(values, revision):
    engine = llm_configs(render(values))[0]["engine_kwargs"]
    assert engine.get("revision") == engine.get("tokenizer_revision") == revision


def test_a_gradual_upgrade_lets_the_workers_follow_the_replicas():
    upgrade = {
        "strategy": "NewClusterWithIncrementalUpgrade",
        "clusterUpgradeOptions": {"gatewayClassName": "envoy"},
    }
    values = {"ray": {"upgrade": upgrade}, "networkPolicy": {"clientNamespaces": ["envoy"]}}
    for replicas in ({"minReplicas": 2, "maxReplicas": 2}, {"minReplicas": 1, "maxReplicas": 3}):
        objects = render({"autoscaling": replicas, **values})
        (group,) = cluster(objects)["workerGroupSpecs"]
        assert cluster(objects)["enableInTreeAutoscaling"] is True
        # A new cluster begins with none of them, or it would take as many accelerators at once.
        assert (group["minReplicas"], group["maxReplicas"]) == (0, replicas["maxReplicas"])
        assert "replicas" not in group
    strategy = manifest(objects, "RayService")["spec"]["upgradeStrategy"]
    assert strategy["type"] == upgrade["strategy"]
    assert strategy["clusterUpgradeOptions"] == {
        "gatewayClassName": "envoy",
        "maxSurgePercent": 50,
        "stepSizePercent": 25,
        "intervalSeconds": 30,
    }


def test_sampling_is_what_the_card_advises_for_the_default_mode():
    def sampling(default):
        values = {"reasoning": {"thinkingDefault": default}}
        return llm_configs(render(values))[0]["engine_kwargs"]["override_generation_config"]

    assert sampling(True) == {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0}
    assert sampling(False) == {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0}


@pytest.fixture
def chart(tmp_path):
    """A copy of the chart, with app/ in it."""
    return shutil.copytree(CHART, tmp_path / "hybrid-llm")


def checksums(objects):
    return {
        pod["metadata"]["annotations"]["hybrid-llm/app-checksum"]
        for name, pod in pods(objects).items()
        if not name.endswith("-test")
    }


def test_a_change_of_the_app_rolls_the_pods(chart):
    before = checksums(render(NANO, chart=chart))
    (chart / "app/edge/errors.py").write_text("changed = True\n")
    after = checksums(render(NANO, "--include-crds", chart=chart))
    assert len(before) == len(after) == 1 and before != after


def test_every_module_of_the_app_reaches_the_pods_at_its_path():
    objects = render()
    carried = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
    modules = {str(path.relative_to(ROOT / "app")) for path in (ROOT / "app").rglob("*.py")}
    clusters = [pod for name, pod in pods(objects).items() if not name.endswith("-test")]
    assert len(clusters) == 2
    for pod in clusters:
        (volume,) = [v["projected"] for v in pod["spec"]["volumes"] if v["name"] == "app"]
        sources = [source["configMap"] for source in volume["sources"]]
        assert {source["name"] for source in sources} == set(carried)
        mounted = {}
        for source in sources:
            data = carried[source["name"]]
            assert {item["key"] for item in source["items"]} == set(data)
            mounted |= {item["path"]: data[item["key"]] for item in source["items"]}
        assert set(mounted) == modules
        for path, code in mounted.items():
            assert code.strip() == (ROOT / "app" / path).read_text().strip()


def test_to_add_a_model_is_to_add_a_file(chart):
    preset = yaml.safe_load((chart / "presets/models/qwen3-4b.yaml").read_text())
    preset |= {"source": "Somebody/New-7B", "layers": 30}
    (chart / "presets/models/new-7b.yaml").write_text(yaml.safe_dump(preset))
    (model,) = llm_configs(render({"model": {"preset": "new-7b"}}, chart=chart))
    assert model["model_loading_config"] == {
        "model_id": "my-new-7b",
        "model_source": "Somebody/New-7B",
    }


def test_to_add_an_accelerator_is_to_add_a_file(chart):
    preset = yaml.safe_load((chart / "presets/accelerators/h100.yaml").read_text())
    preset |= {"label": "H20", "memoryMiB": 97871}
    (chart / "presets/accelerators/h20.yaml").write_text(yaml.safe_dump(preset))
    (model,) = llm_configs(render({"accelerator": {"preset": "h20"}}, chart=chart))
    assert model["accelerator_type"] == "H20"


def test_any_field_of_a_preset_can_be_overridden():
    rendered = text({"accelerator": {"overrides": {"memoryGiBPerAccelerator": 7}}})
    assert "memory: 28Gi" in rendered


def args_checksums(**values):
    objects = render(values)
    return {
        name: pod["metadata"]["annotations"]["hybrid-llm/args-checksum"]
        for name, pod in pods(objects).items()
        if "hybrid-llm/args-checksum" in pod["metadata"].get("annotations", {})
    }


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"revision": "main"}},
        {"engine": {"maxNumSeqs": 65}},
        {"reasoning": {"tokenBudget": 100}},
        {"autoscaling": {"minReplicas": 2, "maxReplicas": 2}},
        {"autoscaling": {"maxReplicas": 3}},
    ],
    ids=str,
)
def test_what_cannot_change_in_place_changes_the_pods(change):
    """Or KubeRay would ignore a number of workers, and Serve stop the replica it restarts."""
    before, after = args_checksums(), args_checksums(**change)
    assert len(before) == 2 and before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)


@pytest.mark.parametrize(
    "change",
    [
        {"autoscaling": {"targetOngoingRequests": 7, "upscaleDelaySeconds": 1}},
        {"autoscaling": {"maxQueuedRequests": 5}},
        {"serving": {"mode": "ingress", "ingress": {"targetOngoingRequests": 5, "maxReplicas": 2}}},
    ],
    ids=str,
)
def test_what_can_change_in_place_leaves_the_pods_alone(change):
    before = {"serving": {"mode": change.get("serving", {}).get("mode", "auto")}}
    assert args_checksums(**before) == args_checksums(**change)
    assert deployments(render(before)) != deployments(render(change))


def test_a_pod_for_the_ingress_alone_is_another_one_when_their_number_changes():
    zero = {"autoscaling": {"minReplicas": 0}}
    assert args_checksums(**zero) != args_checksums(**zero, serving={"ingress": {"maxReplicas": 2}})
