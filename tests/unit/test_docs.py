"""Pages lead where they say, name what there is, and show what their commands print."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from pages import CHART, DEFAULTS, ROOT, Page, is_value, listed, target, values

PAGES = {path: Page(path) for path in listed("*.md")}
DOCS = [path for path in PAGES if path.startswith("docs/")]
TEXTS = [
    path
    for path in listed("*.py", "*.yaml", "*.tpl", "*.txt", "*.gotmpl", "Makefile", ".ci/run")
    if not path.startswith(("tests/chart/golden/", "requirements/"))
]
VERBS = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SHELL = ("sh", "bash", "console")
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


@each_page
def test_links_lead_somewhere(page: Page) -> None:
    broken = []
    for link in page.links():
        if re.match(r"[a-z]+:", link):
            continue  # another site's
        path, anchor = target(page, link)
        if not (ROOT / path).exists() or (anchor and anchor not in Page(path).anchors):
            broken.append(link)
    assert not broken


@each_page
def test_values_are_the_charts(page: Page) -> None:
    named = [name for code in page.code() for name in values(code)]
    for block in page.blocks(*SHELL):
        for setting in re.findall(r"--set(?:-json|-string)? '?(\S+?)=", block):
            named += values(setting)
    assert [name for name in named if not is_value(name)] == []


@each_page
def test_paths_are_there(page: Page) -> None:
    near = (ROOT / page.path).parent
    missing = []
    for code in page.code():
        code = code.replace("NAME", "*").rstrip("/")
        first = code.partition("/")[0]
        if not re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+", code):
            continue
        places = [place for place in (ROOT, near) if (place / first).exists()]
        if places and not any(any(place.glob(code)) for place in places):
            missing.append(code)
    assert not missing


@each_page
def test_verbs_of_make_are_there(page: Page) -> None:
    code = "\n".join([*(c for c in page.code() if c.startswith("make ")), *page.blocks(*SHELL)])
    assert set(re.findall(r"(?:^|[;&|] )make ([a-z][\w-]*)", code, re.MULTILINE)) <= VERBS


def test_pages_that_files_name_are_there() -> None:
    named = {
        (path, page)
        for path in TEXTS
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", (ROOT / path).read_text(errors="replace"))
    }
    assert {(path, page) for path, page in named if not (ROOT / page).exists()} == set()


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_every_page_is_two_clicks_from_the_readme() -> None:
    reached, clicked = {"README.md"}, {"README.md"}
    for _ in range(2):
        clicked = {target(PAGES[p], link)[0] for p in clicked for link in PAGES[p].links()}
        clicked = clicked & PAGES.keys() - reached
        reached |= clicked
    assert set(DOCS) - reached == set()


# What stands in a block `console` is run: each line after a $, and what it prints stands below it.
SHOWN = [
    pytest.param(command, output, id=f"{path}:{command[:60]}")
    for path, page in PAGES.items()
    for block in page.blocks("console")
    for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for PATH with the pinned Helm."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "helm").write_text(f'#!/bin/sh\nexec "{ROOT}/tools/go-tool" helm "$@"\n')
    (folder / "helm").chmod(0o755)
    return folder


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_a_command_prints_what_its_page_shows(programs: Path, command: str, output: str) -> None:
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    # Lines are wrapped to fit the page, and ... stands for what is left out.
    shown = [" ".join(part.split()) for part in output.split("...")]
    printed = " ".join(run.stdout.split())
    assert re.search(".*?".join(map(re.escape, shown)), printed), run.stdout[-2000:]


VALUES = [
    pytest.param(block, id=path)
    for path, page in PAGES.items()
    for block in page.blocks("yaml")
    if isinstance(found := yaml.safe_load(block), dict) and found.keys() <= DEFAULTS.keys()
]


@pytest.mark.parametrize("block", VALUES)
def test_values_that_a_page_shows_can_work(programs: Path, block: str) -> None:
    command = [programs / "helm", "template", "hybrid-llm", CHART, "--values", "-"]
    run = subprocess.run(command, input=block, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


# No cluster is needed to see that what a page installs can be.
INSTALLS = [
    pytest.param(arguments, id=f"{path}:{arguments[:60]}")
    for path, page in PAGES.items()
    for block in page.blocks("sh")
    for arguments in re.findall(
        r"^helm install (\S+ charts/hybrid-llm\b.*)$", block.replace("\\\n", ""), re.MULTILINE
    )
]


@pytest.mark.parametrize("arguments", INSTALLS)
def test_what_a_page_installs_can_be_rendered(programs: Path, arguments: str) -> None:
    path = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    command = ["bash", "-c", f"helm template {arguments}"]
    run = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
