"""Whatever the values are: what renders holds together, the rest is refused in words.

The values are drawn by hypothesis, the same ones in each run.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.thinking.values import apply, parse

from .conftest import (
    CHART,
    Refused,
    cluster,
    deployments,
    llm_configs,
    manifest,
    render,
    serve_config,
)

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
MODELS = sorted(path.stem for path in CHART.glob("presets/models/*.yaml"))
ACCELERATORS = sorted(path.stem for path in CHART.glob("presets/accelerators/*.yaml"))
ARGUMENTS = yaml.safe_load((CHART / "files/vllm.yaml").read_text())["engineArguments"]

REFUSED = re.compile(r"these values cannot work:\n\n  \* |values don't meet the specifications")
BROKEN = re.compile(r"error calling|nil pointer|wrong type|can't evaluate|YAML parse error")
DNS = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

Values = dict[str, Any]


def examples(count: int) -> settings:
    """Return settings for so many examples, the same ones in each run."""
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def ask(values: Values) -> tuple[list[Values], str]:
    """Return what values render to, or what they are refused with."""
    try:
        return render(values), ""
    except Refused as refused:
        return [], str(refused)


def refused_in_words(said: str) -> bool:
    """Return whether a message is the chart's own or its schema's, and not a broken template's."""
    return bool(REFUSED.search(said)) and not BROKEN.search(said)


# Values that may be, each with the limits of values.schema.json.
odd = st.text(st.sampled_from("abcXYZ019 :#'\"{}[]|>&*!%@`,?-\\\n\t~=$é界"), max_size=24)
hostile = odd | st.sampled_from(
    ["true", "null", "123", "1e3", "0x1F", "~", "{{ .Values }}", "- a", "%YAML"]
)
label = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,12}[A-Za-z0-9])?", fullmatch=True)
label_key = st.from_regex(r"team\.example/[a-z][a-z0-9]{0,5}", fullmatch=True)
name = st.from_regex(r"[a-z]{4}-[a-z0-9]{1,12}", fullmatch=True)  # of an object
model_id = st.from_regex(r"[A-Za-z]{2}([._:/-][A-Za-z0-9]{1,12}){0,5}", fullmatch=True)
model_id |= st.sampled_from(["7.5", "1:30", "0.6/b", "NO/1"])
annotations = st.dictionaries(label_key, hostile, max_size=3)
labels = st.dictionaries(label_key, label, max_size=3)


@st.composite
def some(draw: st.DrawFn, **fields: st.SearchStrategy[Any]) -> Values:
    """Draw a map that has most of these fields."""
    kept = draw(st.integers(0, 2 ** len(fields) - 1)) | draw(st.integers(0, 2 ** len(fields) - 1))
    return {key: draw(one) for bit, (key, one) in enumerate(fields.items()) if kept >> bit & 1}


autoscaling = some(
    minReplicas=st.integers(0, 2),
    maxReplicas=st.integers(2, 4),
    targetOngoingRequests=st.none() | st.integers(1, 40) | st.just(1.5),
    maxOngoingRequests=st.none() | st.integers(30, 900),
    maxQueuedRequests=st.none() | st.integers(-1, 300),
    upscaleDelaySeconds=st.integers(0, 100),
    downscaleDelaySeconds=st.just(0.5) | st.integers(0, 1000),
)
engine = some(
    maxNumSeqs=st.integers(16, 300),
    maxNumBatchedTokens=st.none() | st.integers(250, 20000),
    gpuMemoryUtilization=st.sampled_from([0.5, 0.85, 0.95, 1]),
    kvCacheDtype=st.sampled_from(["auto", "fp8", "fp8_e5m2"]),
    schedulingPolicy=st.sampled_from(["fcfs", "priority"]),
    toolCalls=st.booleans(),
    kwargs=some(
        enforce_eager=st.booleans(),
        seed=st.integers(0, 9),
        quantization=hostile,
        hf_overrides=st.just({"rope_parameters": {"factor": 4.0}}),
    ),
)
tokens = st.none() | st.integers(0, 2000)
efforts = some(minimal=tokens, low=tokens, medium=tokens, high=tokens, xhigh=tokens, max=tokens)
key_name = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,12}", fullmatch=True)
key_name |= st.sampled_from(["true", "null", "no", "123", "1e3", "0x1F", "2001-01-01", "1_0", "-"])
of_key = some(
    thinkingDefault=st.booleans(),
    allowOverride=st.booleans(),
    tokenBudget=st.none() | st.integers(0, 300),
    maxTokenBudget=st.none() | st.integers(200, 2000),
    effortBudgets=st.just({}) | efforts,
)
reasoning = some(
    parser=st.sampled_from(["", "qwen3"]),
    thinkingDefault=st.booleans(),
    allowOverride=st.booleans(),
    tokenBudget=st.none() | st.integers(0, 300),
    maxTokenBudget=st.none() | st.integers(200, 2000),
    fields=st.sampled_from(["both", "reasoning", "reasoning_content"]),
    effortBudgets=st.just({}) | efforts,
    keys=st.just({}) | st.dictionaries(key_name, of_key, max_size=2),
    lanes=some(enabled=st.booleans(), patienceSeconds=st.integers(0, 86400) | st.just(0.5)),
)
stages = st.sampled_from([(1, 1), (1, 1), (2, 1), (2, 2), (4, 2)])
parallelism = st.builds(
    lambda rest, over: rest if over == (1, 1) else {**rest, "pipeline": over[0], "hosts": over[1]},
    some(tensor=st.none() | st.sampled_from([1, 2, 4, 8])),
    stages,
)
model = some(
    preset=st.sampled_from([*MODELS, "qwen3-4b", "qwen3-8b"]),
    id=st.just("") | model_id,
    maxModelLen=st.none() | st.integers(1000, 41000),
)
accelerator = some(
    preset=st.sampled_from([*ACCELERATORS, "h200", "b200"]),
    platform=st.sampled_from(["", "gpuOperator", "eks", "gke", "aks"]),
    nodeSelector=labels,
    tolerations=st.none() | st.just([]) | st.just([{"operator": "Exists"}]),
)
further = st.builds(
    lambda first, rest: {**rest, "model": first},
    st.fixed_dictionaries({"preset": st.sampled_from(MODELS)}, optional={"id": model_id}),
    some(
        accelerator=accelerator,
        parallelism=parallelism,
        autoscaling=autoscaling,
        engine=engine,
        reasoning=reasoning,
    ),
)
WEIGHTS: list[tuple[Values, str]] = [
    ({}, ""),
    ({"cache": {"enabled": True, "download": True}}, ""),
    ({"cache": {"enabled": True, "existingClaim": "hub-files", "keep": False}}, ""),
    ({"from": "path"}, "/models/it's here"),
    ({"from": "claim", "claim": {"name": "weights"}}, "/weights/q"),
    ({"from": "bucket", "loadFormat": "runai_streamer"}, "s3://b/q"),
    ({"from": "bucket"}, "gs://b/q"),
    ({"from": "image", "image": {"reference": "r.example/w@sha256:ab"}}, "/weights"),
]


@st.composite
def valid(draw: st.DrawFn) -> Values:
    """Draw values of which each alone is right; together they may be wrong, but seldom are."""
    values: Values = draw(
        some(
            model=model,
            accelerator=accelerator,
            parallelism=parallelism,
            autoscaling=autoscaling,
            engine=engine,
            reasoning=reasoning,
            additionalModels=st.lists(further, max_size=2),
            commonLabels=labels,
            commonAnnotations=annotations,
            fullnameOverride=st.just("") | name,
            serving=some(
                mode=st.sampled_from(["auto", "auto", "ingress", "direct"]),
                drainSeconds=st.integers(0, 2000),
                requestSeconds=st.integers(1, 3600),
                cors=some(
                    allowedOrigins=st.lists(
                        st.sampled_from(
                            ["https://a.example", "http://localhost:3000", "app://[::1]"]
                        ),
                        max_size=3,
                    )
                ),
                ingress=some(minReplicas=st.integers(1, 2), maxReplicas=st.integers(2, 8)),
            ),
            head=some(podAnnotations=annotations, nodeSelector=labels, priorityClassName=name),
            worker=some(
                podAnnotations=annotations,
                resources=st.just({"limits": {"memory": "9Gi"}}),
                runtimeClassName=name,
            ),
            env=st.lists(st.builds(lambda v: {"name": "MINE", "value": v}, hostile), max_size=1),
            networkPolicy=some(enabled=st.booleans(), operatorNamespace=name),
            podDisruptionBudget=some(
                enabled=st.booleans(), protectHead=st.booleans(), minAvailable=st.integers(0, 4)
            ),
            podMonitor=st.just({}) | st.just({"enabled": True}),
            auth=some(enabled=st.booleans(), keep=st.booleans()),
            serviceAccount=some(create=st.booleans(), name=name, annotations=annotations),
            ray=some(
                auth=some(enabled=st.booleans()), gcs=some(redisAddress=st.just("redis:6379"))
            ),
        )
    )
    if draw(st.booleans()):
        values["ingress"] = {"enabled": True, "host": "a.example", "annotations": draw(annotations)}
    if values.get("ingress") or values.get("podMonitor"):
        namespaces = {"clientNamespaces": ["nginx"], "metricsNamespaces": ["monitoring"]}
        values["networkPolicy"] = values.get("networkPolicy", {}) | namespaces
    weights, source = draw(st.sampled_from([*WEIGHTS[:1] * 4, *WEIGHTS]))
    if weights:
        values["weights"] = weights
    for one in (values, *values.get("additionalModels", [])):
        if source:
            one.setdefault("model", {})["source"] = source
    if draw(st.booleans()):  # what an image without CUDA needs
        values["image"] = {"tag": "2.60.0-own", "repository": "own/image"}
    return values


TEXT = {"labels", "annotations", "nodeSelector", "matchLabels", "data", "resourceNames"}


def mistyped(one: Any, place: str = "") -> list[str]:
    """Return where a number or a boolean is that Kubernetes takes as text only."""
    if isinstance(one, list):
        return [found for item in one for found in mistyped(item, place)]
    if not isinstance(one, dict):
        return []
    wrong = [f"{place}.{k}" for k, v in one.items() if not isinstance(k, str) or v is None]
    for key, value in one.items():
        if key in TEXT and isinstance(value, dict):
            wrong += [f"{place}.{key}.{k}={v!r}" for k, v in value.items() if type(v) is not str]
        if key.lower().endswith(("name", "image", "value")) and type(value) not in (str, dict):
            wrong.append(f"{place}.{key}={value!r}")
        wrong += mistyped(value, f"{place}.{key}")
    return wrong


def preset_of(values: Values) -> Values:
    """Return the preset of the model that values choose."""
    name = values.get("model", {}).get("preset", DEFAULTS["model"]["preset"])
    preset: Values = yaml.safe_load((CHART / f"presets/models/{name}.yaml").read_text())
    return preset


def check(values: Values, objects: list[Values]) -> None:
    """Assert what is true of everything that renders."""
    for one in objects:
        assert one["apiVersion"] and one["kind"]
        assert DNS.fullmatch(one["metadata"]["name"]), one["metadata"]
        assert not mistyped(one)
        assert one["metadata"]["labels"].items() >= values.get("commonLabels", {}).items()
        wanted = values.get("commonAnnotations", {})
        found = one["metadata"].get("annotations", {})
        overridden = one["kind"] in ("Ingress", "ServiceAccount")
        assert overridden or found.items() >= wanted.items(), (found, wanted)
    spec, ray = manifest(objects, "RayService")["spec"], cluster(objects)
    (application,) = serve_config(objects)["applications"]
    models = llm_configs(objects)
    given = [values, *values.get("additionalModels", [])]
    assert len(models) == len(given)
    ids = [one["model_loading_config"]["model_id"] for one in models]
    assert list(application["args"]["reasoning"]) == ids
    thinking = parse(application["args"]["reasoning"], ids)
    groups = ray["workerGroupSpecs"]
    names = [group["groupName"] for group in groups]
    assert len(set(names)) == len(names) and all(DNS.fullmatch(one) for one in names), names
    mode = values.get("serving", {}).get("mode", "auto")
    in_place = list(deployments(objects).values())
    sleeps = any(
        one["deployment_config"].get("autoscaling_config", {}).get("min_replicas") == 0
        for one in models
    )
    through_ingress = mode == "ingress" or (mode == "auto" and (len(models) > 1 or sleeps))
    assert ("OpenAiIngress" in deployments(objects)) == through_ingress
    assert [d["name"].removeprefix("LLMServer:") for d in in_place[: len(ids)]] == [
        one.replace("/", "--").replace(".", "_") for one in ids
    ]
    scaled = ray.get("enableInTreeAutoscaling", False)
    component = "app.kubernetes.io/component"
    over = [one.get("parallelism", {}).get("hosts", 1) for one in given]
    further = [g for g in groups if g["template"]["metadata"]["labels"][component] == "host"]
    assert len(further) == sum(hosts > 1 for hosts in over)
    groups = [group for group in groups if group not in further]
    for one, wanted, group, deployment in zip(models, given, groups, in_place, strict=False):
        assert wanted.get("model", {}).get("id") in (
            None,
            "",
            one["model_loading_config"]["model_id"],
        )
        arguments = one["engine_kwargs"]
        scaling = deployment.get("autoscaling_config")
        for numbers in ("min_replicas", "max_replicas"):
            fixed = one["deployment_config"].get("autoscaling_config", {})
            assert (scaling or {}).get(numbers) == fixed.get(numbers)
        low = high = deployment.get("num_replicas")
        if scaling:
            low, high = scaling["min_replicas"], scaling["max_replicas"]
            assert (
                scaled and scaling["target_ongoing_requests"] <= deployment["max_ongoing_requests"]
            )
        assert 0 <= low <= high and (low > 0 or through_ingress)
        assert (group["minReplicas"], group["maxReplicas"]) == (low, high)
        assert ("replicas" in group) is not scaled
        pod = group["template"]["spec"]
        limits = pod["containers"][0]["resources"]["limits"]
        counts = [int(count) for resource, count in limits.items() if "/" in resource]
        if "accelerator_type" in one:
            ranks = arguments["tensor_parallel_size"] * arguments.get("pipeline_parallel_size", 1)
            hosts = wanted.get("parallelism", {}).get("hosts", 1)
            assert counts == [ranks / hosts] and counts[0] <= 8
            assert counts[0] % arguments["tensor_parallel_size"] == 0
            strategy = "STRICT_PACK" if hosts == 1 else "PACK"
            assert one["placement_group_config"]["strategy"] == strategy
        else:
            assert not counts and "tensor_parallel_size" not in arguments
        drain = deployment["graceful_shutdown_timeout_s"]
        assert pod["terminationGracePeriodSeconds"] > drain
        assert spec["rayClusterDeletionDelaySeconds"] > drain
        tokens = arguments["max_model_len"]
        budgets = application["args"]["reasoning"][one["model_loading_config"]["model_id"]]
        assert budgets.get("tokenBudget", 0) <= budgets.get("maxTokenBudget", tokens - 1) < tokens
        written = deepcopy(arguments)
        found = apply(thinking[ids[models.index(one)]], "it", written)
        assert written.get("scheduling_policy") == arguments.get("scheduling_policy")
        lanes = found.patience is not None
        assert not lanes or arguments["scheduling_policy"] == "priority"
        assert not lanes or deployment["max_ongoing_requests"] > arguments["max_num_seqs"]
        switched = "nonThinking" in preset_of(wanted)["sampling"]
        for name in (None, *found.keys):
            fixed = found.for_key(name)
            assert switched or (fixed.default and not fixed.override and not lanes)
        assert arguments.get("max_num_batched_tokens", 10**6) >= arguments["max_num_seqs"]
    for entry in values.get("env", []):
        for group in (ray["headGroupSpec"], *groups):
            assert entry in group["template"]["spec"]["containers"][0]["env"]


RENDERED: list[bool] = []


@examples(70)
@given(valid())
def test_what_renders_holds_together(values: Values) -> None:
    objects, said = ask(values)
    RENDERED.append(bool(objects))
    if objects:
        check(values, objects)
    else:
        assert refused_in_words(said), said


def test_enough_of_them_render() -> None:
    assert not RENDERED or sum(RENDERED) > len(RENDERED) / 4, sum(RENDERED)


LANES_AND_KEYS: list[tuple[bool, bool]] = []


@examples(80)
@given(
    st.fixed_dictionaries(
        {
            "model": some(preset=st.sampled_from(["qwen3-4b", "qwen3-8b", "qwq-32b"])),
            "reasoning": reasoning,
        },
        optional={
            "additionalModels": st.lists(
                st.fixed_dictionaries(
                    {"model": st.just({"preset": "qwen3-14b"}), "reasoning": reasoning}
                ),
                max_size=1,
            )
        },
    )
)
def test_thinking_that_renders_is_what_the_app_takes(values: Values) -> None:
    objects, said = ask(values)
    if not objects:
        assert refused_in_words(said), said
        return
    check(values, objects)
    for one in serve_config(objects)["applications"][0]["args"]["reasoning"].values():
        LANES_AND_KEYS.append(("lanes" in one, bool(one.get("keys"))))


def test_enough_of_them_have_lanes_and_keys() -> None:
    assert not LANES_AND_KEYS or all(map(any, zip(*LANES_AND_KEYS, strict=True)))
    assert not LANES_AND_KEYS or len(LANES_AND_KEYS) > 20


def maps(values: Values, place: str = "") -> list[str]:
    """Return the places of the maps in values.yaml whose keys are the chart's."""
    free = ("resources", "podSecurityContext", "containerSecurityContext")
    found = [place]
    for key, value in values.items():
        if isinstance(value, dict) and value and key not in free:
            found += maps(value, f"{place}/{key}")
    return found


def put(values: Values, place: str, value: Any) -> Values:
    """Return a copy of values with another one at a place; other maps on the way are kept."""
    values = section = deepcopy(values)
    *path, key = place.strip("/").split("/")
    for step in path:
        section = section.setdefault(step, {})
    section[key] = value
    return values


word = st.from_regex(r"[a-z]{9,12}x", fullmatch=True).filter(lambda w: w not in ARGUMENTS)
number = st.integers(1, 1000)
# Each of these is wrong, whatever the other values are.
WRONG: dict[str, st.SearchStrategy[Any]] = {
    "model/preset": word,
    "model/id": word.map(lambda w: f"{w} {w}"),
    "model/maxModelLen": st.integers(-9, 15) | st.integers(10**6, 10**7) | word,
    "accelerator/preset": word | st.just("L40S"),
    "accelerator/type": word | st.sampled_from(["A100-40G", "A100-80G", "A10", "RTX", "MI300X"]),
    "accelerator/platform": word,
    "accelerator/overrides": word.map(lambda w: {w: w}),
    "parallelism/tensor": st.sampled_from([0, -1, 3, 5, 6, 7, 9, 12, 32, 2.5, "2"]),
    "parallelism/pipeline": st.integers(-3, 0) | st.integers(9, 99),
    "autoscaling/minReplicas": st.integers(5, 99) | st.integers(-9, -1) | st.just("one"),
    "autoscaling/maxReplicas": st.integers(-9, 0) | st.just(1.5),
    "autoscaling/targetOngoingRequests": st.integers(1000, 2000) | st.integers(-9, 0),
    "engine/maxNumSeqs": st.integers(-9, 0),
    "engine/gpuMemoryUtilization": st.floats(1.01, 9) | st.floats(-9, 0),
    "engine/kvCacheDtype": word,
    "engine/kwargs": word.map(lambda w: {w: w}),
    "engine/kwargs/device": word,
    "engine/kwargs/model": word,
    "engine/kwargs/served_model_name": word,
    "engine/kwargs/max_model_len": number,
    "engine/kwargs/api_key": word,
    "engine/kwargs/middleware": word,
    "reasoning/parser": word,
    "reasoning/tokenBudget": st.integers(10**6, 10**7) | st.integers(-9, -1),
    "reasoning/fields": word,
    "reasoning/effortBudgets": word.map(lambda w: {w: 1}),
    "reasoning/effortBudgets/low": st.integers(-9, -1) | word,
    "reasoning/keys": word.map(lambda w: {w: {w: 1}}) | word.map(lambda w: {f"{w} {w}": {}}),
    "reasoning/keys/one/tokenBudget": st.integers(10**6, 10**7) | st.integers(-9, -1),
    "reasoning/lanes/patienceSeconds": st.integers(-9, -1) | st.integers(86401, 10**6),
    "additionalModels": word.map(lambda w: [{"model": {"preset": w}}]),
    "serving/mode": word,
    "serving/drainSeconds": st.integers(-99, -1) | word,
    "serving/requestSeconds": st.integers(-99, 0) | st.integers(3601, 10**6) | word,
    "serving/cors/allowedOrigins": word | word.map(lambda w: [w]) | word.map(lambda w: [f"{w}://"]),
    "serving/ingress/minReplicas": number.map(lambda n: n + 100),
    "weights/from": word,
    "image": number.map(lambda n: {"tag": f"2.{n + 60}.0-py312"}),
    "image/digest": word.map(lambda w: f"sha256:{w}"),
    "fullnameOverride": st.sampled_from(["My_Name", "7b", "-x", "x-", "a" * 48, "a.b"]),
    "commonLabels": word.map(lambda w: {f"ray.io/{w}": w}),
    "env": st.one_of(
        word.map(lambda w: [{"name": f"{w}_TOKEN", "value": w}]),
        st.sampled_from([[{"name": "HUGGING_FACE_HUB_TOKEN"}], [{"value": "a"}], {"A": "b"}]),
    ),
    "podDisruptionBudget/minAvailable": st.just("50%") | st.integers(-9, -1),
} | {f"{place}/misspelt": number for place in maps(DEFAULTS)}


@examples(70)
@given(st.data())
def test_a_mistake_is_refused_whatever_else_is_set(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(sorted(WRONG)))
    objects, said = ask(put(data.draw(valid()), place, data.draw(WRONG[place])))
    assert not objects, place
    assert refused_in_words(said), said


# So much as is off by default, so that every template has its say.
EVERYTHING: Values = {
    "weights": {"cache": {"enabled": True, "download": True}},
    "ingress": {"enabled": True, "host": "a.example", "tlsSecret": "tls", "className": "nginx"},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}], "hostnames": ["a.example"]},
    "podMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True, "sources": {"kuberay": True, "certManager": True}},
    "dashboard": {"enabled": True},
    "podDisruptionBudget": {"protectHead": True},
    "networkPolicy": {
        "clientNamespaces": ["nginx"],
        "metricsNamespaces": ["monitoring"],
        "operatorNamespace": "kuberay",
    },
    "ray": {"gcs": {"redisAddress": "redis:6379", "existingSecret": "redis"}},
    "additionalModels": [{"model": {"preset": "qwen3-4b"}}],
}
EMPTY = {"null": None, "0": 0, "text": ""}


@pytest.mark.parametrize("empty", EMPTY)
def test_empty_values_break_no_template(empty: str) -> None:
    value = EMPTY[empty]
    changed = {
        place: put(EVERYTHING, place, value)
        for section in maps(DEFAULTS)
        for place in (f"{section}/{key}" for key in _at(DEFAULTS, section))
        if (place, value) != ("/test/image", "")
    }
    for section in ("model", "accelerator", "parallelism", "autoscaling", "engine", "reasoning"):
        for key in DEFAULTS[section]:
            one = put({"model": {"preset": "qwen3-4b"}}, f"{section}/{key}", value)
            changed[f"/additionalModels/0/{section}/{key}"] = {"additionalModels": [one]}
    with ThreadPoolExecutor() as pool:
        for place, (objects, said) in zip(changed, pool.map(ask, changed.values()), strict=True):
            assert objects or refused_in_words(said), (place, said)
            assert not [wrong for one in objects for wrong in mistyped(one)], place


def test_what_is_off_by_default_renders_together() -> None:
    objects = render(EVERYTHING)
    check(EVERYTHING, objects)
    assert {one["kind"] for one in objects} >= {"Ingress", "HTTPRoute", "PodMonitor", "Job"}


def _at(values: Values, place: str) -> Values:
    for step in place.strip("/").split("/") if place else []:
        values = values[step]
    return values
