"""Each check of preflight says what is missing, why, and what mends it: preflight_cases/."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster_double import API, SPACE, World, node, pod, release, secret

from preflight.__main__ import main
from preflight.checking import check
from preflight.checks import __path__ as checks
from preflight.report import as_json, shown

Object = dict[str, Any]
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}-{case['title'].replace(' ', '-')}")
    for path in sorted(Path(__file__).with_name("preflight_cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]


def world(case: Object) -> World:
    """Return the cluster of a case."""
    made = World()
    made.kinds.pop(case.get("without_kind", ""), None)
    made.denied.update(case.get("denied", []))
    made.refused.update({path: tuple(said) for path, said in case.get("refused", {}).items()})
    made.lists.update(case.get("lists", {}))
    for path, found in case.get("objects", {}).items():
        made.objects[path] = found
        if found is None:
            del made.objects[path]
    operator = case.get("operator")
    if operator == "none":
        made.operators.clear()
    elif operator == "not ready":
        made.operators[0]["status"].clear()
    elif operator:
        made.operators[0]["spec"]["containers"][0]["image"] = operator
    if "nodes" in case:
        made.lists[f"{API}/nodes"] = [
            node(**{"name": f"gpu-{n}", **one}) for n, one in enumerate(case["nodes"])
        ]
    if "pods" in case:
        made.lists[f"{API}/pods"] = [
            pod(one["name"], one.get("on"), **one["asked"]) for one in case["pods"]
        ]
    return made


def test_where_nothing_is_missing_all_is_well() -> None:
    found = World().findings()
    assert not [(name, one.what) for name, one in found if one.severity != "ok"]
    (fits,) = [one for _, one in found if "replicas fit" in one.what]
    assert "2 of at most 2" in fits.what


def test_every_check_has_cases() -> None:
    names = {path.stem for path in Path(next(iter(checks))).glob("[!_]*.py")}
    assert names == {param.values[0] for param in CASES}


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_case(name: str, case: Object) -> None:
    made = release(*case.get("set", ()))
    groups = made.rayservice["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    groups[0]["template"]["spec"].update(case.get("patch_worker", {}))
    found = check(made, world(case).cluster())
    said = [one for at, one in found if at == name and case["says"] in one.what]
    assert said, "\n".join(f"{at} {one}" for at, one in found)
    assert {one.severity for one in said} == {case["severity"]}
    for one in said:
        assert case.get("also", "") in f"{one.why}\n{one.mend}"
        assert one.severity == "ok" or one.why
        assert one.severity != "error" or one.mend


@pytest.mark.parametrize("path", [f"{API}/nodes", f"{API}/pods", SPACE, f"{SPACE}/resourcequotas"])
def test_what_may_not_be_read_is_not_checked_and_says_so(path: str) -> None:
    made = World()
    made.denied.add(path)
    found = made.findings()
    said = [one for _, one in found if one.what.startswith("not checked") and path in one.what]
    assert said
    assert shown(found, "here").splitlines()[-1].startswith("Nothing that could be checked is in")
    assert {one.severity for one in said} == {"warning"}


def test_nothing_is_changed_and_read_only_sends_nothing() -> None:
    made = World()
    made.findings()
    posts = [path for method, path in made.sent if method != "GET"]
    assert posts
    assert all("dryRun=All" in path for path in posts)
    quiet = World()
    check(release(), quiet.cluster(read_only=True))
    assert {method for method, _ in quiet.sent} == {"GET"}


def test_no_secret_is_told() -> None:
    made = World()
    made.objects[f"{SPACE}/secrets/hf-token"] = secret("HF_TOKEN")
    found = made.findings()
    text = shown(found, "here") + as_json(found)
    assert "HF_TOKEN" in text
    assert "c2VjcmV0LXZhbHVl" not in text


def test_what_is_in_the_way_comes_first_and_the_last_line_says_what_comes_of_it() -> None:
    made = World()
    made.lists[f"{API}/nodes"] = []
    found = made.findings()
    lines = shown(found, "here").splitlines()
    assert lines[2].startswith("✗ nodes")
    assert lines[-1].startswith("It will not start: 2 in the way")
    assert json.loads(as_json(found))["well"] is False
    assert shown(World().findings(), "here").splitlines()[-1] == "Nothing is in the way."


def test_no_cluster_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert main(["--kubeconfig", str(tmp_path / "none")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    config = tmp_path / "config"
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    whole = {"clusters": [cluster], "contexts": [context], "current-context": "c"}
    config.write_text(yaml.safe_dump({**whole, "users": [{"name": "u", "user": {}}]}))
    assert main(["--kubeconfig", str(config)]) == 1
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1
    assert "no answer from the cluster at http://127.0.0.1:9" in error


def test_wrong_use_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--manifests", "-", "--set", "a=b"])
    assert ended.value.code == 2
    assert "--set a=b" in capsys.readouterr().err
