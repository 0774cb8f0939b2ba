#!/usr/bin/env python3
"""What a release is made of, out of CHANGELOG.md and the chart. Needs no Python package.

release.py check TAG     fails with what does not agree: the tag, the versions, CHANGELOG.md
release.py notes         prints what CHANGELOG.md says of the chart's version
release.py ray           prints the version of Ray that it is for
release.py stage FOLDER  writes there the chart as it is packaged: with the app's files, the
                         licence, and in Chart.yaml its changes, images and repository, and whose
                         that is
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts" / "hybrid-llm"
CHANGELOG = ROOT / "CHANGELOG.md"
# The headings of Keep a Changelog, which are Artifact Hub's kinds too.
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="does everything agree?").add_argument("tag")
    verbs.add_parser("notes", help="what CHANGELOG.md says of the chart's version")
    verbs.add_parser("ray", help="the version of Ray that it is for")
    verbs.add_parser("stage", help="the chart as it is packaged").add_argument("folder", type=Path)
    asked = parser.parse_args()
    if asked.verb == "check":
        if wrong := problems(asked.tag):
            sys.exit(f"{asked.tag} can't be released:\n" + "\n".join(f"  * {w}" for w in wrong))
    elif asked.verb == "notes":
        print(notes())
    elif asked.verb == "ray":
        print(chart("appVersion"))
    else:
        stage(asked.folder, repository())
    return 0


def problems(tag: str) -> list[str]:
    """Return what does not agree with that tag; none, and it can be released."""
    version = tag.removeprefix("v")
    wrong = []
    if not re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", tag):
        wrong.append(f"the tag {tag} is no version. Way out: v1.2.3, or v1.2.3-rc.1")
    for where, found in versions().items():
        if found != version:
            wrong.append(f"{where} says {found}, the tag {version}. Way out: make them the same")
    ray, pinned = chart("appVersion"), ray_pinned()
    if ray != pinned:
        wrong.append(
            f"Chart.yaml: appVersion {ray}, but requirements/cpu.txt has ray {pinned}. "
            "Way out: name the Ray that is pinned"
        )
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog(), re.M):
        wrong.append(
            f"CHANGELOG.md has no section {version}. "
            f"Way out: name what is unreleased `## [{version}] - YYYY-MM-DD`"
        )
    elif not section(version):
        wrong.append(f"CHANGELOG.md: the section {version} says nothing. Way out: say what changed")
    return wrong


def versions() -> dict[str, str]:
    """Return the version that each place names which must name the released one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {"Chart.yaml": chart("version"), "pyproject.toml": str(project["version"])}
    # Those of the commands that are to be copied.
    told = re.findall(
        r"(?:/charts/hybrid-llm(?: --version |:)|@refs/tags/v)(\d[\w.-]*)",
        (ROOT / "docs" / "releases.md").read_text(),
    )
    return named | {"docs/releases.md": ", ".join(sorted(set(told))) or "none"}


def changelog() -> str:
    """Return CHANGELOG.md."""
    return CHANGELOG.read_text()


def chart(key: str) -> str:
    """Return a plain value of Chart.yaml."""
    found = re.search(rf"^{key}: *\"?([^\s\"#]+)", (CHART / "Chart.yaml").read_text(), re.M)
    if not found:
        sys.exit(
            f"{CHART}/Chart.yaml has no {key}. Way out: write `{key}: ...` on a line of its own"
        )
    return found[1]


def ray_pinned() -> str:
    """Return the version of Ray in the lock."""
    found = re.search(r"^ray==(\S+)", (ROOT / "requirements" / "cpu.txt").read_text(), re.M)
    return found[1] if found else "none"


def section(name: str) -> str:
    """Return what CHANGELOG.md has under `## [name]`, empty if nothing."""
    found = re.search(
        rf"^## \[{re.escape(name)}\][^\n]*\n(.*?)(?=^## |\Z)", changelog(), re.M | re.S
    )
    return found[1].strip() if found else ""


def notes() -> str:
    """Return what is new in the chart's version; before it is released, what is unreleased."""
    return section(chart("version")) or section("Unreleased")


def changes(text: str) -> list[dict[str, str]]:
    """Return the entries of a section, as the annotation artifacthub.io/changes has them."""
    entries: list[dict[str, str]] = []
    kind = ""
    for line in text.splitlines():
        if line.startswith("### "):
            kind = line.removeprefix("### ").strip()
            if kind not in KINDS:
                sys.exit(f"CHANGELOG.md: no heading is called {kind}. Way out: {', '.join(KINDS)}")
        elif line.startswith("- "):
            entries.append({"kind": kind.lower(), "description": line[2:].strip()})
        elif line.startswith("  ") and entries:
            entries[-1]["description"] += " " + line.strip()
    return entries


def repository() -> str:
    """Return the address of the repository whose workflow runs, empty outside of one."""
    host, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    return f"{host}/{name}" if host and name else ""


def stage(folder: Path, home: str) -> None:
    """Write the chart as it is packaged into a folder, which must not be there yet."""
    shutil.copytree(CHART, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", folder)
    about = folder / "Chart.yaml"
    text = about.read_text().rstrip("\n")
    if not re.search(r"^annotations:\n(?:  .*\n?)+\Z", text, re.M):
        sys.exit(f"{about}: annotations: must be its last key, a line each. Way out: move it there")
    text += "\n" + "\n".join(f"  {line}" for line in annotations()) + "\n"
    if home:
        owner = home.rpartition("/")[0]
        text += f"home: {home}\nsources: [{home}]\n"
        text += f"icon: {home}/raw/v{chart('version')}/docs/images/icon.svg\n"
        text += f"maintainers: [{{name: {owner.rpartition('/')[2]}, url: {owner}}}]\n"
    about.write_text(text)


def images() -> list[str]:
    """Return the images that run when the chart is installed without values, and tested."""
    tool = str(ROOT / "tools" / "go-tool")
    command = [tool, "helm", "template", "hybrid-llm", str(CHART)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    return sorted(set(re.findall(r'^ *(?:- )?image: "?([^"\s]+)"?$', run.stdout, re.M)))


def annotations() -> list[str]:
    """Return the lines of Chart.yaml's annotations that only a release knows."""
    lines = ["artifacthub.io/images: |"]
    for image in images():
        lines.append(f"  - name: {image.split('/')[-1].split(':')[0]}")
        lines.append(f"    image: {image}")
    new = changes(notes())
    lines.append("artifacthub.io/changes: |")
    for entry in new:
        lines.append(f"  - kind: {entry['kind']}")
        lines.append(f"    description: {json.dumps(entry['description'], ensure_ascii=False)}")
    security = any(entry["kind"] == "security" for entry in new)
    for key, value in {
        "prerelease": "-" in chart("version"),
        "containsSecurityUpdates": security,
    }.items():
        lines.append(f'artifacthub.io/{key}: "{str(value).lower()}"')
    return lines


if __name__ == "__main__":
    sys.exit(main())
