"""What surrounds the RayService: secrets, network, disruption, ways in, storage, test, notes."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from .conftest import CHART, ROOT, go_tool, manifest, pods, render, text

EDGE = {"networkPolicy": {"clientNamespaces": ["edge"]}}


def kinds(objects):
    return [o["kind"] for o in objects]


def notes(*args):
    """Return what `helm install` prints for these values."""
    run = go_tool(
        "helm", "install", "hybrid-llm", str(CHART), "--dry-run=client", "-n", "ai", *args
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split("NOTES:")[1]


def test_the_chart_makes_one_random_key():
    first, second = render(), render(None, "--include-crds")
    keys = [manifest(o, "Secret")["data"]["default"] for o in (first, second)]
    assert keys[0] != keys[1] and len(keys[0]) == 64  # 48 characters, in base64
    kept = "helm.sh/resource-policy"
    assert manifest(first, "Secret")["metadata"]["annotations"][kept] == "keep"
    gone = manifest(render({"auth": {"keep": False}}), "Secret")
    assert kept not in gone["metadata"].get("annotations", {})


def test_the_key_is_nowhere_but_in_its_secret():
    key = manifest(render(), "Secret")["data"]["default"]
    assert text().count(key) == 1


@pytest.mark.parametrize(
    "values", [{"auth": {"existingSecret": "s"}}, {"auth": {"enabled": False}}]
)
def test_no_secret_is_made_when_none_is_needed(values):
    assert "Secret" not in kinds(render(values))


def test_keys_are_mounted_and_may_come_later():
    objects = render({"auth": {"existingSecret": "mine"}})
    for name in ("hybrid-llm-head", "hybrid-llm-my-qwen-3-32b"):
        spec = pods(objects)[name]["spec"]
        volume = {v["name"]: v for v in spec["volumes"]}["api-keys"]
        assert volume["secret"] == {"secretName": "mine", "optional": True}
        env = {e["name"]: e.get("value") for e in spec["containers"][0]["env"]}
        mount = {m["name"]: m for m in spec["containers"][0]["volumeMounts"]}["api-keys"]
        assert mount["mountPath"] == env["HYBRID_LLM_API_KEYS_DIR"] and mount["readOnly"]
        assert ("HYBRID_LLM_API_KEYS_SECRET", "mine") in env.items()
        assert env["HYBRID_LLM_AUTH"] == "on"


def ports(rule):
    return sorted({p["port"] for p in rule.get("ports", [])})


def test_clients_reach_the_serve_port_alone():
    policy = manifest(
        render({"networkPolicy": {"clientNamespaces": ["apps"]}}), "NetworkPolicy", "hybrid-llm"
    )
    others = [r for r in policy["spec"]["ingress"] if "ports" in r]
    (clients,) = [r for r in others if "apps" in json.dumps(r)]
    assert ports(clients) == [8000]
    (operator,) = [r for r in others if "kuberay-operator" in json.dumps(r)]
    assert ports(operator) == [8000, 8265]
    (own,) = [r for r in policy["spec"]["ingress"] if "ports" not in r]
    assert (
        own["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "hybrid-llm"
    )
    assert len(policy["spec"]["ingress"]) == 3


@pytest.mark.parametrize(
    "values, leaves",
    [({}, True), ({"weights": {"from": "path"}, "model": {"source": "/m"}}, False)],
)
def test_https_goes_out_only_for_weights_from_the_network(values, leaves):
    policy = manifest(render(values), "NetworkPolicy", "hybrid-llm")
    assert ([443] in [ports(r) for r in policy["spec"]["egress"]]) is leaves
    assert [53] in [ports(r) for r in policy["spec"]["egress"]]


@pytest.mark.parametrize(
    "platform, opens",
    [
        ("gke", [(["169.254.169.254/32"], [80, 8080]), (["169.254.169.252/32"], [987, 988])]),
        ("eks", [(["169.254.170.23/32", "fd00:ec2::23/128"], [80])]),
        ("aks", []),
        ("gpuOperator", []),
    ],
)
def test_a_buckets_rights_are_reached_where_the_platform_has_them(platform, opens):
    values = {
        "accelerator": {"platform": platform, "preset": "h100"},
        "model": {"source": "gs://bucket/qwen"},
        "weights": {"from": "bucket"},
    }
    egress = manifest(render(values), "NetworkPolicy", "hybrid-llm")["spec"]["egress"]
    found = [
        ([to["ipBlock"]["cidr"] for to in rule["to"]], ports(rule))
        for rule in egress
        if "ipBlock" in str(rule)
    ]
    assert found == opens
    hub = {**values, "model": {}, "weights": {}}
    assert "ipBlock" not in str(manifest(render(hub), "NetworkPolicy", "hybrid-llm"))


def test_the_head_alone_reaches_the_api_server_and_only_for_the_autoscaler():
    policy = manifest(render(), "NetworkPolicy", "hybrid-llm-head")
    assert policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "head"
    assert [ports(r) for r in policy["spec"]["egress"]] == [[443, 6443]]
    fixed = render({"autoscaling": {"maxReplicas": 1}})
    assert kinds(fixed).count("NetworkPolicy") == 1


def test_selectors_select_the_pods():
    """A policy or budget whose labels no pod has would do nothing, in silence."""
    objects = render()
    labels = [
        pod["metadata"]["labels"] for name, pod in pods(objects).items() if "test" not in name
    ]
    for item in objects:
        if item["kind"] in ("NetworkPolicy", "PodDisruptionBudget"):
            selector = item["spec"].get("podSelector") or item["spec"]["selector"]
            wanted = selector["matchLabels"].items()
            assert any(wanted <= have.items() for have in labels), item["metadata"]["name"]


@pytest.mark.parametrize("least, kept", [(1, 1), (2, 1), (4, 3)])
def test_a_drain_takes_one_worker_at_a_time(least, kept):
    objects = render({"autoscaling": {"minReplicas": least, "maxReplicas": 4}})
    # A number: a RayCluster has no scale subresource that a percentage could be taken of.
    assert manifest(objects, "PodDisruptionBudget")["spec"]["minAvailable"] == kept


def test_ingress_and_route_lead_to_the_api_alone():
    objects = render(
        EDGE
        | {"ingress": {"enabled": True, "host": "llm.example.com", "tlsSecret": "tls"}}
        | {"httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]}}
    )
    ingress = manifest(objects, "Ingress")["spec"]
    assert ingress["tls"] == [{"hosts": ["llm.example.com"], "secretName": "tls"}]
    (path,) = ingress["rules"][0]["http"]["paths"]
    assert path["path"] == "/v1"
    service = path["backend"]["service"]
    assert service == {"name": "hybrid-llm-serve-svc", "port": {"number": 8000}}
    (rule,) = manifest(objects, "HTTPRoute")["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/v1"}}]
    assert rule["backendRefs"] == [{"name": "hybrid-llm-serve-svc", "port": 8000}]


@pytest.mark.parametrize("mode", ["ingress", "auto"])
def test_prometheus_may_scrape_what_the_monitor_names(mode):
    objects = render(
        {
            "serving": {"mode": mode},
            "podMonitor": {"enabled": True},
            "networkPolicy": {"metricsNamespaces": ["monitoring"]},
        }
    )
    endpoints = manifest(objects, "PodMonitor")["spec"]["podMetricsEndpoints"]
    scraped = [8080] if mode == "ingress" else [8080, 9101]  # HAProxy's
    for pod in pods(objects).values():
        if pod["metadata"]["name"].endswith("-test"):
            continue
        # The operator finds no port that a pod does not declare, by name or by number.
        declared = {
            p["name"]: p["containerPort"]
            for c in pod["spec"]["containers"]
            for p in c.get("ports", [])
        }
        assert [declared[endpoint["port"]] for endpoint in endpoints] == scraped
    policy = manifest(objects, "NetworkPolicy", "hybrid-llm")
    assert scraped in [ports(r) for r in policy["spec"]["ingress"]]


def test_the_cache_is_one_volume_for_all_and_the_job_fills_it():
    objects = render({"weights": {"cache": {"enabled": True, "download": True}}})
    claim = manifest(objects, "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    found = pods(objects)
    for name in (
        "hybrid-llm-my-qwen-3-32b",
        *[n for n in found if "download" in n],
    ):
        spec = found[name]["spec"]
        volume = {v["name"]: v for v in spec["volumes"]}["hub"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        env = {e["name"]: e.get("value") for e in spec["containers"][0]["env"]}
        mount = {m["name"]: m for m in spec["containers"][0]["volumeMounts"]}["hub"]
        assert env["HF_HOME"] == mount["mountPath"]


def test_the_job_goes_where_its_values_say_and_through_a_proxy():
    proxy = {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}
    egress = [{"ports": [{"port": 3128, "protocol": "TCP"}]}]
    pod = {
        "nodeSelector": {"pool": "cpu"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "priorityClassName": "low",
    }
    objects = render(
        {
            "env": [proxy],
            "networkPolicy": {"egress": egress},
            "commonLabels": {"team": "a"},
            "weights": {"cache": {"enabled": True, "download": True, **pod}},
        }
    )
    template = manifest(objects, "Job")["spec"]["template"]
    assert proxy in template["spec"]["containers"][0]["env"]
    assert {key: template["spec"][key] for key in pod} == pod
    assert template["metadata"]["labels"]["team"] == "a"
    policy = manifest(objects, "NetworkPolicy", "hybrid-llm-download")
    assert egress[0] in policy["spec"]["egress"]


def test_what_vllm_compiles_is_kept_beside_the_weights():
    def worker(**cache):
        return pods(render({"weights": {"cache": cache}}))["hybrid-llm-my-qwen-3-32b"]["spec"]

    container = worker(enabled=True)["containers"][0]
    env = {e["name"]: e.get("value") for e in container["env"]}
    mounts = {m["name"]: m for m in container["volumeMounts"]}
    assert env["VLLM_CACHE_ROOT"].startswith(mounts["hub"]["mountPath"] + "/")
    assert not mounts["hub"].get("readOnly")
    assert "VLLM_CACHE_ROOT" not in {e["name"] for e in worker()["containers"][0]["env"]}


def test_another_model_is_downloaded_by_another_job():
    """A Job cannot be changed."""

    def job(**model):
        values = {"weights": {"cache": {"enabled": True, "download": True}}, "model": model}
        return manifest(render(values), "Job")["metadata"]["name"]

    names = {job(), job(revision="v1"), job(preset="qwen3-4b")}
    assert len(names) == 3


@pytest.mark.parametrize(
    "reasoning, asks",
    [
        ({}, ["true", "false"]),
        ({"thinkingDefault": False, "allowOverride": False}, [""]),
    ],
)
def test_helm_test_asks_in_each_mode_there_is(reasoning, asks):
    (script,) = pods(render({"reasoning": reasoning}))["hybrid-llm-test"]["spec"]["containers"][0][
        "args"
    ]
    requests = [line for line in script.splitlines() if line.startswith("ask '")]
    assert len(requests) == len(asks)
    for request, mode in zip(requests, asks, strict=True):
        assert f'"enable_thinking": {mode}' in request or not mode
    assert "-H @/tmp/header" in script  # the key is in no argument


def test_helm_test_takes_a_key_that_has_no_modes_of_its_own(tmp_path):
    reasoning = {"keys": {"batch": {"thinkingDefault": False}, "a.b": {}}}
    (script,) = pods(render({"reasoning": reasoning}))["hybrid-llm-test"]["spec"]["containers"][0][
        "args"
    ]
    choice = script.split("ask() {")[0].replace("/keys/", f"{tmp_path}/keys/")
    choice = choice.replace("/tmp/header", f"{tmp_path}/header") + 'echo "own=$own"'
    (tmp_path / "keys").mkdir()
    for name, chosen, own in [("batch", "batch", "yes"), ("a.b", "batch", "yes"), ("me", "me", "")]:
        (tmp_path / "keys" / name).write_text(f"key of {name}")
        run = subprocess.run(["sh", "-euc", choice], capture_output=True, text=True, check=True)
        assert run.stdout == f"own={own}\n"
        assert (tmp_path / "header").read_text() == f"Authorization: Bearer key of {chosen}"
    assert "for key in /keys/*; do printf" in str(pods(render())["hybrid-llm-test"])


def test_the_notes_ask_for_no_mode_that_a_key_may_not_have():
    assert '"enable_thinking": false' in notes()
    assert "enable_thinking" not in notes("--set", "reasoning.keys.default.allowOverride=false")
    assert "enable_thinking" not in notes("--set", "model.preset=qwq-32b")


def test_the_notes_have_the_next_commands():
    printed = notes("--set", "model.preset=qwen3-4b", "--set", "accelerator.preset=l4")
    for command in (
        "kubectl --namespace ai wait rayservice/hybrid-llm --for=condition=Ready",
        "kubectl --namespace ai get secret hybrid-llm-api-keys",
        "kubectl --namespace ai port-forward service/hybrid-llm-serve-svc 8000",
        '"model": "my-qwen-3-4b"',
        "helm test hybrid-llm --namespace ai",
        "kubectl get nodes -l 'nvidia.com/gpu.product=NVIDIA-L4'",
        "sequences of full length",
    ):
        assert command in printed


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["serving.mode=ingress"], "Requests go through Ray's ingress."),
        (["additionalModels[0].model.preset=qwen3-4b"], "ingress, which several models need."),
        (["autoscaling.minReplicas=0"], "ingress, which a model that may have no replica needs."),
        (["serving.mode=auto"], None),
        (["serving.mode=direct"], None),
    ],
)
def test_the_notes_say_why_requests_go_through_the_ingress(arguments, why):
    printed = notes("--set", ",".join(arguments))
    assert ("Requests go" in printed) == (why is not None)
    assert (why or "") in printed


def test_the_notes_warn():
    printed = notes(
        "--set", "ingress.enabled=true,ingress.host=a.example,ingress.className=nginx",
        "--set", "networkPolicy.enabled=false,weights.loadFormat=dummy",
    )  # fmt: skip
    for warning in (
        "there is no certificate for a.example",
        "proxy-read-timeout",
        "networkPolicy.enabled=false",
        "random",
    ):
        assert warning in printed


def test_the_notes_know_which_names_have_a_certificate():
    printed = notes(
        "--set", "ingress.enabled=true,ingress.host=a.example,networkPolicy.enabled=false",
        "--set", "ingress.extraHosts={b.example},ingress.extraTls[0].secretName=tls",
        "--set", "ingress.extraTls[0].hosts={a.example}",
    )  # fmt: skip
    assert "URL=https://a.example" in printed
    assert "certificate for b.example" in printed and "certificate for a.example" not in printed


def test_the_notes_ask_the_load_balancer_and_warn_of_it():
    service = "service.type=LoadBalancer,service.loadBalancerSourceRanges={10.0.0.0/8}"
    printed = notes("--set", service)
    assert "get service hybrid-llm-serve-svc -o go-template=" in printed
    assert "service.type=LoadBalancer speaks HTTP" in printed and "port-forward" not in printed


def test_the_plain_manifest_can_be_applied_to_any_namespace():
    objects = [d for d in yaml.safe_load_all((ROOT / "k8s/rayservice.yaml").read_text()) if d]
    assert sorted(set(kinds(objects))) == [
        "ConfigMap",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "RayService",
        "ServiceAccount",
    ]
    for item in objects:
        assert "namespace" not in item["metadata"]
        assert "helm" not in json.dumps(item["metadata"]).lower()


def test_kubectl_apply_can_note_each_object():
    # It writes the object, as Go writes JSON, into an annotation; all of these have 256 KiB.
    for item in render():
        written = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
        size = len(re.sub("[<>&]", r"\\u0000", written).encode())
        assert size < 200_000, item["metadata"]["name"]


def test_labels_are_valid_whatever_the_charts_version(tmp_path):
    # Flux adds the chart's digest to its version: 0.1.0+50b782b6b4d1.
    chart = shutil.copytree(CHART, tmp_path / "chart")
    about = chart / "Chart.yaml"
    about.write_text(re.sub(r"(?m)^version: .*", "version: 0.1.0+50b782b6b4d1", about.read_text()))
    labels = [item["metadata"]["labels"]["helm.sh/chart"] for item in render(chart=chart)]
    assert set(labels) == {"hybrid-llm-0.1.0_50b782b6b4d1"}
