"""What a release is made of agrees: versions, CHANGELOG.md, files, what Artifact Hub reads."""

import re
import subprocess
import sys
import tarfile
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

import release

from .conftest import CHART, ROOT, go_tool, render

ABOUT = yaml.safe_load((CHART / "Chart.yaml").read_text())
VERSION = ABOUT["version"]
# Artifact Hub knows no other; artifacthub.io/docs/topics/annotations/helm
CATEGORIES = {
    "ai-machine-learning",
    "database",
    "integration-delivery",
    "monitoring-logging",
    "networking",
    "security",
    "storage",
    "streaming-messaging",
}
HUBS = [
    *("alternativeName", "category", "changes", "containsSecurityUpdates", "crds", "crdsExamples"),
    *("images", "license", "links", "maintainers", "operator", "operatorCapabilities"),
    *("prerelease", "recommendations", "screenshots", "signKey"),
]
TODAY = date.today().isoformat()
NEXT = f"""# Changelog

## [Unreleased]

## [{VERSION}] - {TODAY}

### Added

- One thing, told in
  two lines.

### Security

- Another: `with` "quotes".

## [0.0.1] - 2020-01-01

### Removed

- Nothing of this.
"""


@pytest.fixture
def written(monkeypatch):
    """Let CHANGELOG.md be as it is when a version is released, or otherwise."""
    return lambda text: monkeypatch.setattr(release, "changelog", lambda: text)


def test_chart_python_project_and_page_name_one_version():
    assert release.versions() == dict.fromkeys(
        ("Chart.yaml", "pyproject.toml", "docs/releases.md"), VERSION
    )


def test_the_application_is_the_ray_that_is_pinned():
    assert ABOUT["appVersion"] == release.chart("appVersion") == release.ray_pinned()


def test_a_version_with_its_section_can_be_released(written):
    written(NEXT)
    assert release.problems(f"v{VERSION}") == []


@pytest.mark.parametrize(
    ("tag", "text", "said"),
    [
        ("v9.9.9", NEXT, f"Chart.yaml says {VERSION}, the tag 9.9.9"),
        ("v9.9.9", NEXT, f"pyproject.toml says {VERSION}, the tag 9.9.9"),
        ("v9.9.9", NEXT, f"docs/releases.md says {VERSION}, the tag 9.9.9"),
        ("v9.9.9", NEXT, "CHANGELOG.md has no section 9.9.9"),
        (VERSION, NEXT, "is no version. Way out: v1.2.3"),
        ("v1", NEXT, "the tag v1 is no version"),
        (f"v{VERSION}", NEXT.replace(f" - {TODAY}", ""), "YYYY-MM-DD"),
        (
            f"v{VERSION}",
            f"## [{VERSION}] - {TODAY}\n\n## [0.0.1] - 2020-01-01\n- x",
            "says nothing",
        ),
    ],
)
def test_what_does_not_agree_is_not_released(written, tag, text, said):
    written(text)
    assert any(said in problem for problem in release.problems(tag))


def test_another_ray_than_the_pinned_one_is_not_released(written, monkeypatch):
    written(NEXT)
    monkeypatch.setattr(release, "ray_pinned", lambda: "9.9.9")
    (problem,) = release.problems(f"v{VERSION}")
    assert f"appVersion {ABOUT['appVersion']}, but requirements/cpu.txt has ray 9.9.9" in problem


def test_the_command_says_what_is_wrong_and_fails():
    command = [sys.executable, ROOT / "tools/release.py", "check", "v9.9.9"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("v9.9.9 can't be released:\n  * Chart.yaml says")


def test_release_notes_are_the_versions_section(written):
    written(NEXT)
    assert release.notes().startswith("### Added\n\n- One thing")
    assert "Nothing of this" not in release.notes()


def test_what_is_unreleased_is_known_too(written):
    written("# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- A bug.\n")
    assert release.notes() == "### Fixed\n\n- A bug."


def test_a_heading_that_artifact_hub_does_not_know_is_refused():
    with pytest.raises(SystemExit, match="no heading is called New. Way out: Added, Changed"):
        release.changes("### New\n\n- x")


@pytest.fixture
def staged(tmp_path):
    """Return the chart as it is packaged, of somebody's repository."""
    release.stage(tmp_path / "hybrid-llm", "https://github.com/somebody/hybrid-llm")
    return tmp_path / "hybrid-llm"


def about(folder: Path) -> dict:
    """Return what Chart.yaml of a folder says."""
    read: dict = yaml.safe_load((folder / "Chart.yaml").read_text())
    return read


def test_the_staged_chart_says_its_changes_and_whose_it_is(written, tmp_path):
    written(NEXT)
    release.stage(tmp_path / "hybrid-llm", "https://github.com/somebody/hybrid-llm")
    told = about(tmp_path / "hybrid-llm")
    assert yaml.safe_load(told["annotations"]["artifacthub.io/changes"]) == [
        {"kind": "added", "description": "One thing, told in two lines."},
        {"kind": "security", "description": 'Another: `with` "quotes".'},
    ]
    assert told["annotations"]["artifacthub.io/containsSecurityUpdates"] == "true"
    assert told["annotations"]["artifacthub.io/prerelease"] == "false"
    assert told["home"] == "https://github.com/somebody/hybrid-llm"
    assert told["sources"] == ["https://github.com/somebody/hybrid-llm"]
    assert told["maintainers"] == [{"name": "somebody", "url": "https://github.com/somebody"}]
    icon = told["icon"].removeprefix(f"{told['home']}/raw/v{VERSION}/")
    assert (ROOT / icon).read_text().startswith("<svg ")


def test_the_staged_chart_adds_to_chart_yaml_and_changes_nothing_there(staged):
    told = about(staged)
    for key, value in ABOUT.items():
        if key != "annotations":
            assert told[key] == value
    assert ABOUT["annotations"].items() <= told["annotations"].items()
    # Artifact Hub takes strings, of YAML where it wants more.
    assert {type(value) for value in told["annotations"].values()} == {str}


def test_the_changelog_in_the_repository_is_one_that_can_be_told(staged):
    changes = yaml.safe_load(about(staged)["annotations"]["artifacthub.io/changes"])
    assert changes
    assert all(entry["kind"] and entry["description"] for entry in changes)


def test_no_repository_is_named_outside_of_a_workflow(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    release.stage(tmp_path / "hybrid-llm", release.repository())
    assert not {"home", "sources", "icon", "maintainers"} & about(tmp_path / "hybrid-llm").keys()


def test_both_helms_find_the_staged_chart_well_made(staged):
    for helm in ("helm", "helm3"):
        run = go_tool(helm, "lint", "--strict", str(staged))
        assert run.returncode == 0, run.stdout + run.stderr


def test_the_package_has_the_charts_files_the_programs_and_no_others(staged, tmp_path):
    (staged / "app/__pycache__").mkdir(exist_ok=True)
    (staged / "app/__pycache__/serve.cpython-311.pyc").write_bytes(b"")
    run = go_tool("helm", "package", str(staged), "--destination", str(tmp_path))
    assert run.returncode == 0, run.stderr
    with tarfile.open(tmp_path / f"hybrid-llm-{VERSION}.tgz") as package:
        members = package.getmembers()
    assert all(member.isfile() for member in members)  # not the links that the programs are
    packaged = {member.name.removeprefix("hybrid-llm/") for member in members}
    programs = {"app": "app", "preflight": "tools/preflight"}
    kept = files("charts/hybrid-llm") - {*programs, "README.md.gotmpl"} | {"LICENSE"}
    for name, place in programs.items():
        kept |= {f"{name}/{file}" for file in files(place)}
    assert packaged == kept
    assert "app/thinking/decision.py" in packaged


def files(folder: str) -> set[str]:
    """Return the files of a folder that git has, or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", folder]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / line for line in listed.splitlines()]
    there = [path for path in paths if path.exists() or path.is_symlink()]
    return {str(path.relative_to(ROOT / folder)) for path in there}


def test_artifact_hub_is_told_every_image_that_runs_without_values(staged):
    told = yaml.safe_load(about(staged)["annotations"]["artifacthub.io/images"])
    used = set(re.findall(r"'image': '([^']+)'", str(render())))
    assert {entry["image"] for entry in told} == used
    assert {entry["name"] for entry in told} == {"ray-llm", "curl"}


def test_artifact_hub_is_told_the_licence_and_a_category_that_it_knows():
    annotations = ABOUT["annotations"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert annotations["artifacthub.io/license"] == project["license"] == "Apache-2.0"
    assert annotations["artifacthub.io/category"] in CATEGORIES
    for link in yaml.safe_load(annotations["artifacthub.io/links"]):
        assert link.keys() == {"name", "url"} and link["url"].startswith("https://")


def test_artifact_hub_knows_every_annotation(staged):
    """One that it does not know it leaves out, and says nothing."""
    named = {key for key in about(staged)["annotations"] if key.startswith("artifacthub.io/")}
    assert named <= {f"artifacthub.io/{name}" for name in HUBS}


def test_the_values_for_a_laptop_render_with_an_image_that_a_release_pushes():
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    pushed = workflow["jobs"]["image"]["env"]["IMAGE"].rpartition("}}/")[2]
    values = yaml.safe_load((ROOT / "k8s/nano.yaml").read_text())
    objects = str(render(values, "--set", f"image.repository=ghcr.io/owner/{pushed}"))
    assert f"'image': 'ghcr.io/owner/{pushed}:{ABOUT['appVersion']}'" in objects
    assert "rayproject" not in objects
