"""The preflight Job: off it is not there, on it comes first, with what it looks at and little more.

What it says is in tests/unit/test_preflight_job.py, what it may read in test_preflight_rights.py.
"""

import json
from pathlib import Path

import pytest

from .conftest import CHART, ROOT, Object, go_tool, manifest, pods, render, text
from .test_kubernetes_schemas import VALUES
from .test_objects import notes

ON = {"preflight": {"enabled": True}}
NAME = "hybrid-llm-preflight"
KEYS = ("--set", "auth.existingSecret=keys")  # a key that the chart makes is another one each time


def is_hook(item: Object) -> bool:
    """Return whether Helm makes an object before an installation."""
    return "pre-install" in item["metadata"].get("annotations", {}).get("helm.sh/hook", "")


def hooks(values: Object, *args: str) -> list[Object]:
    """Return the objects of the hook."""
    return [item for item in render(values, *args) if is_hook(item)]


def job(values: Object) -> Object:
    """Return the Pod of the Job."""
    return pods(hooks(values))[NAME]["spec"]


def test_off_it_is_not_there_and_on_it_changes_nothing_else():
    off = render(None, *KEYS)
    assert not [item for item in off if is_hook(item) or "preflight" in item["metadata"]["name"]]
    others = [item for item in render(ON, *KEYS) if not is_hook(item)]
    assert others == off


def test_both_helms_render_the_same():
    assert render(ON, *KEYS, helm="helm3") == render(ON, *KEYS)


def test_it_runs_before_all_else_and_goes_when_all_is_well():
    weights = {}
    for item in hooks(ON):
        notes_of_helm = item["metadata"]["annotations"]
        assert notes_of_helm["helm.sh/hook"] == "pre-install,pre-upgrade"
        policies = notes_of_helm["helm.sh/hook-delete-policy"].split(",")
        assert policies == ["before-hook-creation", "hook-succeeded"]
        weights[item["kind"]] = int(notes_of_helm["helm.sh/hook-weight"])
    assert max(weights, key=weights.__getitem__) == "Job"
    assert weights["RoleBinding"] > weights["Role"] and weights["Job"] > weights["RoleBinding"]
    found = manifest(hooks(ON), "Job")
    assert found["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-failed"
    assert found["spec"]["backoffLimit"] == 0
    assert found["spec"]["activeDeadlineSeconds"] < 300  # Helm's own, which would tell no reason


def given(values: Object) -> list[Object]:
    """Return the objects that the Job looks at."""
    data = manifest(hooks(values), "ConfigMap", f"{NAME}-release")["data"]
    items: list[Object] = json.loads(data["objects.json"])["items"]
    return items


@pytest.mark.parametrize("name", VALUES)
def test_it_looks_at_every_object_of_the_release(name):
    values = {**VALUES[name], **ON}

    def named(items: list[Object]) -> list[tuple[str, str]]:
        return sorted((item["kind"], item["metadata"]["name"]) for item in items)

    own = [i for i in render(values) if "helm.sh/hook" not in i["metadata"].get("annotations", {})]
    assert named(given(values)) == named(own)
    service = manifest(own, "RayService")
    assert manifest(given(values), "RayService") == service


def test_it_gets_no_secret():
    values = {**ON, "playground": {"enabled": True}}
    assert not [item for item in given(values) if "data" in item or "stringData" in item]
    objects = render(values)
    for secret in (item for item in objects if item["kind"] == "Secret"):
        (value,) = secret["data"].values()
        assert text(values).count(value) == 1


@pytest.mark.parametrize("name", VALUES)
def test_every_configmap_can_be_applied(name):
    for item in hooks({**VALUES[name], **ON}):
        assert len(json.dumps(item)) < 200_000, item["metadata"]["name"]


def test_it_has_every_file_of_the_program():
    source = ROOT / "tools" / "preflight"
    (program,) = [v for v in job(ON)["volumes"] if v["name"] == "program"]
    files = {}
    for part in program["projected"]["sources"]:
        data = manifest(hooks(ON), "ConfigMap", part["configMap"]["name"])["data"]
        files |= {item["path"]: data[item["key"]] for item in part["configMap"]["items"]}
    here = {str(p.relative_to(source)): p.read_text().strip() for p in source.rglob("*.py")}
    assert {path: content.strip() for path, content in files.items()} == here


def test_names_are_short_enough_for_any_release():
    long = {**ON, "fullnameOverride": "a" * 41}
    for item in hooks(long, "--namespace", "n" * 63):
        assert len(item["metadata"]["name"]) <= 63


def test_releases_of_two_namespaces_share_no_object_of_the_cluster():
    names = [
        {i["metadata"]["name"] for i in hooks(ON, "--namespace", space) if "Cluster" in i["kind"]}
        for space in ("one", "two")
    ]
    assert names[0] and not names[0] & names[1]
    for item in hooks(ON):
        assert ("namespace" in item["metadata"]) is not item["kind"].startswith("Cluster")


def test_the_account_is_its_own_or_one_that_is_named():
    assert job(ON)["serviceAccountName"] == NAME
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        (subject,) = manifest(hooks(ON, "--namespace", "ai"), kind)["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": NAME, "namespace": "ai"}
    named = {"preflight": {"enabled": True, "serviceAccountName": "reader"}}
    assert job(named)["serviceAccountName"] == "reader"
    kinds = {item["kind"] for item in hooks(named)}
    assert kinds == {"ConfigMap", "Job", "NetworkPolicy"}


def test_it_reaches_the_api_server_alone_and_nothing_reaches_it():
    policy = manifest(hooks(ON), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in policy
    (rule,) = policy["egress"]
    assert [port["port"] for port in rule["ports"]] == [443, 6443]
    labels = manifest(hooks(ON), "Job")["spec"]["template"]["metadata"]["labels"].items()
    assert policy["podSelector"]["matchLabels"].items() <= labels
    more = {"networkPolicy": {"egress": [{"ports": [{"port": 16443, "protocol": "TCP"}]}]}}
    assert manifest(hooks({**ON, **more}), "NetworkPolicy")["spec"]["egress"][1:] == [
        {"ports": [{"port": 16443, "protocol": "TCP"}]}
    ]
    without = hooks({**ON, "networkPolicy": {"enabled": False}})
    assert "NetworkPolicy" not in {item["kind"] for item in without}


def test_where_it_runs_is_its_own_choice():
    """Not the head's: where that finds no node, this must still run, and say so."""
    head = {"head": {"nodeSelector": {"pool": "none"}}}
    assert "nodeSelector" not in job({**ON, **head})
    own = {
        "enabled": True,
        "image": "mirror.example.com/python:3.12.11",
        "nodeSelector": {"pool": "general"},
        "tolerations": [{"key": "team", "operator": "Exists"}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
    }
    spec = job({"preflight": own, "image": {"pullSecrets": [{"name": "pull"}]}})
    (container,) = spec["containers"]
    assert container["image"] == own["image"] and container["resources"] == own["resources"]
    assert spec["nodeSelector"] == own["nodeSelector"] and spec["tolerations"] == own["tolerations"]
    assert spec["imagePullSecrets"] == [{"name": "pull"}]


def test_a_package_has_all_of_it(tmp_path: Path):
    packed = go_tool("helm", "package", str(CHART), "--destination", str(tmp_path))
    assert packed.returncode == 0, packed.stderr
    (package,) = tmp_path.iterdir()
    assert render(ON, *KEYS, chart=package) == render(ON, *KEYS)


def test_the_notes_say_where_it_says_why():
    assert "preflight" not in notes()
    said = notes("--set", "preflight.enabled=true")
    assert "kubectl --namespace ai logs job/hybrid-llm-preflight" in said
