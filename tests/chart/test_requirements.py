"""What the chart refuses, and how it says so; and that its own defaults do what it asks of others.

Each case is in refusals/: the values, what is left out of the chart or put in, and each line of the
answer as `key (value): [reason, way out]`, the telling parts of them. A line more or less than
these fails.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import CHART, Object, llm_configs, manifest, refusal, render, serve_config

TEMPLATES = CHART / "templates"
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
LINE = re.compile(r"^  \* (?P<head>.+?): (?P<reason>.+)\. Way out: (?P<way>.+)\.$", re.MULTILINE)
# What Helm prints when a template breaks, in words of version 3 and of version 4.
BROKEN = re.compile(
    r"error calling|nil pointer|wrong type|can't evaluate|<include |YAML parse error"
)
# Helm names the file that a refusal is from: one that says by its name what it does.
BEGINS = re.compile(
    r"execution error at \(hybrid-llm/templates/values/check\.yaml:\d+:\d+\): "
    r"these values cannot work:\n\n  \* "
)

CASES: dict[str, Object] = {
    f"{path.stem}: {name}": case
    for path in sorted((Path(__file__).parent / "refusals").glob("*.yaml"))
    for name, case in yaml.safe_load(path.read_text()).items()
}


@cache
def answer(name: str) -> str:
    """Return what Helm answers to the values of a case."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        chart = CHART
        if case.keys() & {"without", "with"}:
            ignored = shutil.ignore_patterns(case.get("without", ""))
            chart = shutil.copytree(CHART, Path(folder) / CHART.name, ignore=ignored)
            for path, text in case.get("with", {}).items():
                (chart / path).write_text(text)
        return refusal(case.get("values", {}), *case.get("args", []), chart=chart)


def lines(name: str) -> list[re.Match[str]]:
    """Return the problems that the answer to a case names."""
    return list(LINE.finditer(answer(name)))


@pytest.mark.parametrize("name", CASES)
def test_refusal(name: str) -> None:
    case, said = CASES[name], answer(name)
    assert not BROKEN.search(said), said
    assert case.get("secret", "no secret") not in said
    if "schema" in case:
        assert not lines(name), said
        for place, reason in case["schema"].items():
            assert re.search(rf"- at '{re.escape(place)}': .*{re.escape(reason)}", said), said
        return
    assert BEGINS.match(said.partition("Error: ")[2]), said
    found = {line["head"]: line for line in lines(name)}
    assert sorted(found) == sorted(case["refused"]), said
    assert len(found) == len(lines(name)) == said.count("  * "), said
    for head, (reason, way) in case["refused"].items():
        assert reason in found[head]["reason"]
        assert way in found[head]["way"]


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_a_refusal_is_said_once_and_by_a_file_named_for_it(helm: str) -> None:
    said = refusal({"accelerator": {"preset": "l50"}}, helm=helm)
    assert BEGINS.match(said.partition("Error: ")[2]), said
    assert said.count("cannot work") == said.count("l50.yaml") == 1


def sections(values: Object, place: str = "") -> Iterator[tuple[str, Object]]:
    """Yield the maps of values.yaml whose keys are the chart's, each with its place."""
    free = ("resources", "podSecurityContext", "containerSecurityContext")
    yield place, values
    for key, value in values.items():
        if isinstance(value, dict) and value and key not in free:
            yield from sections(value, f"{place}/{key}")


def scalars(values: Object, place: str = "") -> Iterator[str]:
    """Yield the places of the values that are neither maps nor lists."""
    for where, section in sections(values, place):
        for key, value in section.items():
            if not isinstance(value, dict | list):
                yield f"{where}/{key}"


def filled(places: list[str], value: Any) -> Object:
    """Return values that have `value` at each of these places."""
    values: Object = {}
    for place in places:
        *path, key = place[1:].split("/")
        section = values
        for name in path:
            section = section.setdefault(name, {})
        section[key] = value
    return values


def test_schema_knows_every_key() -> None:
    places = [f"{place}/nonsense" for place, _ in sections(DEFAULTS)]
    said = refusal(filled(places, 1))
    for place, _ in sections(DEFAULTS):
        assert f"at '{place}': additional properties 'nonsense' not allowed" in said


def test_schema_knows_every_type() -> None:
    places = list(scalars(DEFAULTS))
    said = refusal(filled(places, {"some": 1}))
    for place in places:
        assert re.search(f"at '{place}': (got object, want |value must be one of )", said), place
    places = [f"{p}/{k}" for p, s in sections(DEFAULTS) for k, v in s.items() if v in ([], {})]
    said = refusal(filled(places, "text"))
    for place in places:
        assert f"at '{place}': got string, want " in said


def arguments(text: str) -> list[str]:
    """Split the arguments of a template's `(list ...)`, which `text` begins with."""
    depth, found = 0, []
    for part in re.findall(r'"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+', text):
        if part == ")":
            depth -= 1
            if depth == 0:
                return found[1:]
        elif depth == 1:
            found.append("")
        if found:
            found[-1] += part + " "
        depth += part == "("
    raise ValueError(text)


def pattern(argument: str) -> str:
    """Return a regular expression for what an argument, text or printf, comes out as."""
    text = re.match(r'(?:\( printf )?"((?:[^"\\]|\\.)*)"', argument)
    if not text:
        return ".*"  # a variable
    verbs = re.split(r"%[.0-9]*[dsvf]", text[1])
    return ".*".join(re.escape(part) for part in verbs)


def rules() -> Iterator[tuple[str, str, str]]:
    """Yield each place where the templates note a problem: where, patterns of key and reason."""
    for path in sorted(TEMPLATES.glob("**/*")):
        text = path.read_text() if path.is_file() else ""
        for call in re.finditer(r'include "hybrid-llm\.problem" (?=\()', text):
            _, key, _, reason, _ = arguments(text[call.end() :])
            where = f"{path.name}:{text.count(chr(10), 0, call.start()) + 1}"
            yield where, pattern(key), pattern(reason)


RULES = list(rules())


def test_rules_are_found() -> None:
    calls = sum(path.read_text().count('hybrid-llm.problem" (') for path in TEMPLATES.glob("*.tpl"))
    assert len(RULES) == calls > 50


@pytest.mark.parametrize(("key", "reason"), [rule[1:] for rule in RULES], ids=[r[0] for r in RULES])
def test_rule_has_a_case(key: str, reason: str) -> None:
    head = re.compile(rf"{key}( \(.*\))?")
    assert any(
        head.fullmatch(line["head"]) and re.fullmatch(reason, line["reason"])
        for name in CASES
        if "refused" in CASES[name]
        for line in lines(name)
    ), "write a case for this rule into tests/chart/refusals"


# What is refused from others, the chart's own defaults do right: for each shape in ci/, and these.
SHAPES: dict[str, Object] = {
    path.stem: yaml.safe_load(path.read_text()) or {} for path in sorted(CHART.glob("ci/*.yaml"))
} | {
    "two-models": {"additionalModels": [{"model": {"preset": "qwen3-4b"}}]},
    "fixed": {"autoscaling": {"minReplicas": 2}},
    "to-zero": {"autoscaling": {"minReplicas": 0}},
    "no-drain": {"serving": {"drainSeconds": 0}},
    "short-drain": {"serving": {"drainSeconds": 10}},
    "ingress-short-drain": {"serving": {"mode": "ingress", "drainSeconds": 10}},
    "pipeline": {"parallelism": {"tensor": 4, "pipeline": 2}},
    "mi300x": {"accelerator": {"preset": "mi300x"}, "image": {"tag": "2.60.0-rocm"}},
    "a100-40gb": {"accelerator": {"preset": "a100-40gb"}},
    "a10g": {"model": {"preset": "qwen3-4b"}, "accelerator": {"preset": "a10g"}},
}
PRESET_LABELS = {
    yaml.safe_load(p.read_text())["label"] for p in CHART.glob("presets/accelerators/*")
}
OTHER_PARSERS = {"QwQ": "deepseek_r1", "DeepSeek-V3.1": "deepseek_v3"}

each_shape = pytest.mark.parametrize("shape", SHAPES)


@cache
def objects(shape: str) -> list[Object]:
    """Return what a shape renders to."""
    return render(SHAPES[shape])


def ray_service(shape: str) -> Object:
    """Return the spec of a shape's RayService."""
    return manifest(objects(shape), "RayService")["spec"]


def application(shape: str) -> Object:
    """Return the arguments of a shape's Serve application."""
    return serve_config(objects(shape))["applications"][0]["args"]


def in_place(shape: str) -> list[Object]:
    """Return what Serve takes up in place of each deployment."""
    return serve_config(objects(shape))["applications"][0]["deployments"]


def models(shape: str) -> list[Object]:
    """Return the LLMConfigs of a shape."""
    return llm_configs(objects(shape))


def groups(shape: str) -> list[Object]:
    """Return the worker groups in which a shape's models answer, in the models' order."""
    of_all = ray_service(shape)["rayClusterConfig"]["workerGroupSpecs"]
    label = "app.kubernetes.io/component"
    return [g for g in of_all if g["template"]["metadata"]["labels"][label] == "worker"]


def pod_specs(shape: str) -> list[Object]:
    """Return the pod specs of head and workers."""
    cluster = ray_service(shape)["rayClusterConfig"]
    return [g["template"]["spec"] for g in [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]]


def environment(pod: Object) -> dict[str, Object]:
    """Return the environment of a pod's Ray container by name."""
    return {one["name"]: one for one in pod["containers"][0]["env"]}


def replicas(model: Object) -> tuple[int, int]:
    """Return the fewest and the most replicas of an LLMConfig."""
    deployment = model["deployment_config"]
    scaling = deployment.get("autoscaling_config")
    if scaling:
        return scaling["min_replicas"], scaling["max_replicas"]
    return deployment["num_replicas"], deployment["num_replicas"]


@each_shape
def test_ranks_of_a_replica_share_a_host(shape: str) -> None:
    for model, group in zip(models(shape), groups(shape), strict=True):
        limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
        accelerators = [int(count) for name, count in limits.items() if name.endswith(".com/gpu")]
        if model.get("accelerator_config") == {"kind": "cpu"}:
            assert not accelerators and "placement_group_config" not in model
            continue
        engine = model["engine_kwargs"]
        ranks = engine["tensor_parallel_size"] * engine.get("pipeline_parallel_size", 1)
        assert int(group["resources"]["CPU"]) > accelerators[0]
        if "bundles" in model["placement_group_config"]:  # tests/chart/test_hosts.py
            continue
        assert accelerators == [ranks]
        assert model["placement_group_config"] == {
            "bundle_per_worker": {"CPU": 1, "GPU": 1},
            "strategy": "STRICT_PACK",
        }


@each_shape
def test_hub_token_comes_from_a_secret_alone(shape: str) -> None:
    spec = ray_service(shape)
    assert "TOKEN" not in spec["serveConfigV2"]
    for model in models(shape):
        assert not [n for n in model["runtime_env"]["env_vars"] if re.search("(?i)token|key", n)]
    for pod in pod_specs(shape):
        found = environment(pod)
        assert "HUGGING_FACE_HUB_TOKEN" not in found
        if SHAPES[shape].get("weights", {}).get("from", "hub") == "hub":
            source = found["HF_TOKEN"]["valueFrom"]["secretKeyRef"]
            assert source == {"name": "hf-token", "key": "HF_TOKEN", "optional": True}
            assert "value" not in found["HF_TOKEN"]
        else:
            assert "HF_TOKEN" not in found and found["HF_HUB_OFFLINE"]["value"] == "1"
    secrets = [one["metadata"]["name"] for one in objects(shape) if one["kind"] == "Secret"]
    assert all(name.endswith("-api-keys") for name in secrets)


@each_shape
def test_dead_fields_are_absent(shape: str) -> None:
    text = yaml.safe_dump(objects(shape))
    assert not re.search("(service|deployment)UnhealthySecondThreshold", text)
    for model in models(shape):
        assert not {"device", "model", "served_model_name"} & model["engine_kwargs"].keys()


@each_shape
def test_worker_pods_follow_the_replicas(shape: str) -> None:
    cluster = ray_service(shape)["rayClusterConfig"]
    scaled = cluster.get("enableInTreeAutoscaling", False)
    assert scaled == any(low != high or not low for low, high in map(replicas, models(shape)))
    for model, group in zip(models(shape), groups(shape), strict=True):
        low, high = replicas(model)
        assert group["minReplicas"] == low and group["maxReplicas"] >= high
        assert ("replicas" in group) is not scaled
        assert group.get("replicas", low) == low
    most = sum(high for _, high in map(replicas, models(shape)))
    assert sum(group["maxReplicas"] for group in groups(shape)) >= most


@each_shape
def test_drain_times_fit_into_one_another(shape: str) -> None:
    longest = max(
        deployment.get("graceful_shutdown_timeout_s", 0) for deployment in in_place(shape)
    )
    for group in ray_service(shape)["rayClusterConfig"]["workerGroupSpecs"]:
        pod = group["template"]["spec"]
        found = environment(pod)
        drain = int(found["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"]["value"])
        assert pod["terminationGracePeriodSeconds"] > drain >= longest
        if "RAY_SERVE_ENABLE_HA_PROXY" in found:
            # An answer, a gateway's connection that waits 90 s for its next, and that one.
            most = int(found["RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S"]["value"])
            assert most >= drain + 90 + drain
    assert ray_service(shape)["rayClusterDeletionDelaySeconds"] > longest


@each_shape
def test_replicas_ask_for_a_label_that_nodes_have(shape: str) -> None:
    for model, group in zip(models(shape), groups(shape), strict=True):
        label = model.get("accelerator_type")
        announced = {n: c for n, c in group["resources"].items() if n != "CPU"}
        if label is None:
            assert model["accelerator_config"] == {"kind": "cpu"} and not announced
        else:  # the autoscaler needs it, and where Ray finds no label itself, so does the node
            announced.pop(group["groupName"], None)  # of several hosts
            assert announced == {f"accelerator_type:{label}": "1"}
            assert label in PRESET_LABELS and label not in ("A100-40G", "A100-80G", "A10", "RTX")
            assert group["template"]["spec"]["nodeSelector"]


@each_shape
def test_modes_and_versions_are_the_same_on_head_and_workers(shape: str) -> None:
    head, *workers = pod_specs(shape)
    own = "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"
    for pod in workers:
        assert environment(pod) == environment(head) | {own: environment(pod)[own]}
        assert pod["containers"][0]["image"] == head["containers"][0]["image"]
    needs_ingress = shape in ("two-models", "to-zero") or "ingress" in shape
    direct = not needs_ingress
    for name in ("RAY_SERVE_ENABLE_HA_PROXY", "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING"):
        assert environment(head).get(name, {}).get("value") == ("1" if direct else None)
    assert any(d["name"] == "OpenAiIngress" for d in in_place(shape)) is not direct
    assert ray_service(shape)["rayClusterConfig"]["rayVersion"] in head["containers"][0]["image"]


@each_shape
def test_thinking_is_parsed_and_never_greedy(shape: str) -> None:
    for model in models(shape):
        engine = model["engine_kwargs"]
        source = model["model_loading_config"]["model_source"]
        parser = next((own for name, own in OTHER_PARSERS.items() if name in source), "qwen3")
        assert engine["reasoning_parser"] == parser
        assert engine["override_generation_config"]["temperature"] == 0.6


def test_way_out_works() -> None:
    assert render({"accelerator": {"preset": "l4"}, "parallelism": {"tensor": 4}})


def test_to_zero_leaves_a_pod_for_the_ingress() -> None:
    *_, group = ray_service("to-zero")["rayClusterConfig"]["workerGroupSpecs"]
    assert group["minReplicas"] == 1
    options = application("to-zero")["ingress_deployment_config"]["ray_actor_options"]
    assert options["resources"].keys() <= group["resources"].keys()
