"""Finds the versions that this repository pins, and says which of them renovate.json5 reads.

A pin is found by its looks alone, so that one of a new kind is found too. What Renovate's own
managers read is said here in short: `renovate --platform=local --dry-run=extract` shows all of it.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# What a pin looks like: in any file, or in those whose name matches.
LOOKS = [
    ("", r"(?<![\w./-])(?<!>=)[v^~]?\d+\.\d+\.\d+(?![.\d])[\w.+-]*"),  # >= is what is supported
    ("", r"(?<=[@:])v?\d+\.\d+\.\d+(?![.\d])[\w.+-]*"),
    ("", r"\b[0-9a-f]{40}\b"),
    ("", r"\bsha256:[0-9a-f]{64}\b"),
    ("", r"\buses: *(?!\./)\S+"),
    (r"\.ya?ml$", r"\b[iI]mage: *[\"']?[\w./-]+:[\w.-]+"),
    (r"Dockerfile", r"^FROM [\w./-]+:\S+"),
    (r"go\.txt$", r"@\S+"),
    (r"pyproject\.toml$", r"(?<=\")[\w.-]+(\[[\w,-]+\])?[=<>~!]=?[^\"]+(?=\")"),
    (r"requirements/.*\.(in|txt)$", r"^[\w.-]+(\[[\w,-]+\])?[=<>~!]=[^\s;]+"),
]

# Where versions are no pins, and why: whole files, and lines.
NO_PINS = {
    r"\.md$|\.md\.gotmpl$": "documents; tests hold their tables to the pins",
    r"(^|/)go\.sum$|package-lock\.json$": "locks, made by the tool that reads them",
    r"^tests/.*\.py$|^tests/chart/(golden|refusals)/|_cases/": "values that a test is about",
    r"^(bench|models/nano|tests/unit/recorded)/.*\.(json|jsonl|svg|sse)$": "data",
    r"^tests/chart/configs/.*\.json$": "models' own config.json",
    r"^renovate\.json5$": "what reads them",
}
NO_PIN = [
    ("", r"^\s*(#|//)", "a comment"),
    ("", r"hybrid-llm\.local/", "an image that is built here, and never pulled"),
    ("", r"\"openapi\": |\"cniVersion\": ", "the version of a format"),
    (r"/Chart\.yaml$", r"^version: ", "our own"),
    (r"pyproject\.toml$", r"^version = ", "our own"),
    (r"^k8s/gitops/", r"\{tag: |\{environment: ", "our own: an environment's, by a commit"),
    (r"^k8s/gitops/.*/sops/", r"^ {4}version: ", "of the SOPS that has encrypted it"),
    (r"\.tpl$", r"semverCompare ", "what is supported"),
    (r"\.py$", r"Way out: ", "a message"),
]
GENERATED = re.compile(r"Generated .*`make render`|^#    make lock$", re.MULTILINE)

# Renovate's own managers: the files that they look for, and the lines that they read there.
BUILT_IN = {
    "argocd": (r"(?!)", r"^\s*targetRevision: "),
    "dockerfile": (r"(^|/)Dockerfile[^/]*$", r"^FROM |^ARG \w+=[\w.-]+/[\w./-]+:"),
    "flux": (r"(?!)", r"^ {6}version: "),
    "github-actions": (r"^\.github/(workflows|actions)/.+\.ya?ml$", r"\buses: \S+@\S+"),
    "gomod": (r"(^|/)go\.mod$", r"^go |^(require |replace |\t)\S+ (=> \S+ )?v"),
    "helm-values": (r"(^|/)values\.ya?ml$", r"^\s*(tag|\w*[iI]mage): "),
    "kubernetes": (r"(?!)", r"^\s*-?\s*image: "),
    "npm": (r"(^|/)package\.json$", r"^\s*\"[^\"]+\": \"[^\"]+\",?$"),
    "pep621": (r"(^|/)pyproject\.toml$", r"\"[\w.-]+(\[[\w,-]+\])?[=<>~!]=?[^\"]+\""),
    "pip_requirements": (r"(?!)", r"^[\w.-]+(\[[\w,-]+\])?[=<>~!]="),
}
# Left out by config:recommended, unless told otherwise.
NO_TESTS = ["**/node_modules/**", "**/vendor/**", "**/examples/**", "**/test/**", "**/tests/**"]


@dataclass(frozen=True)
class Pin:
    """One version, and where it stands."""

    path: str
    line: int
    start: int  # in the file's text
    end: int
    text: str  # its line

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text.strip()}"


def files() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file of the repository."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in sorted(set(names.split("\0")) - {""}):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            try:
                yield name, path.read_text()
            except UnicodeDecodeError:
                continue  # weights, pictures


def pins(path: str, text: str) -> Iterator[Pin]:
    """Yield what looks like a pin."""
    head = "".join(text.splitlines(keepends=True)[:5])
    if any(re.search(where, path) for where in NO_PINS) or GENERATED.search(head):
        return
    looks = [re.compile(look) for where, look in LOOKS if re.search(where, path)]
    none = [re.compile(look) for where, look, _ in NO_PIN if re.search(where, path)]
    start = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        # What stands behind a value is said of it. GitHub's version of a commit is only said so.
        said = line if "uses:" in line else re.split(r"\s(?:#|//)", line, maxsplit=1)[0]
        if not any(look.search(line) for look in none):
            spans = {match.span() for look in looks for match in look.finditer(said)}
            for begin, end in sorted(spans):
                yield Pin(path, number, start + begin, start + end, line)
        start += len(line)


def read_by(config: dict[str, Any], pin: Pin, text: str) -> set[str]:
    """Return the managers of a Renovate configuration that read a pin."""
    ignored = list(config.get("ignorePaths", []))
    if ":ignoreModulesAndTests" not in config.get("ignorePresets", []):
        ignored += NO_TESTS
    if any(matches(pattern, pin.path) for pattern in ignored):
        return set()
    found = set()
    for name, (where, line) in BUILT_IN.items():
        settings = config.get(name, {})
        patterns = [f"/{where}/", *settings.get("managerFilePatterns", [])]
        if settings.get("enabled", True) and any(matches(p, pin.path) for p in patterns):
            found |= {name} if re.search(line, pin.text) else set()
    for manager in config["customManagers"]:
        if any(matches(pattern, pin.path) for pattern in manager["managerFilePatterns"]):
            found |= {manager["description"]} if covers(manager, pin, text) else set()
    return found


def covers(manager: dict[str, Any], pin: Pin, text: str) -> bool:
    """Return whether a custom manager takes a pin for a version, and no other part of the file."""
    for expression in map(re.compile, map(python, manager["matchStrings"])):
        value = "currentDigest" if "currentDigest" in expression.groupindex else "currentValue"
        for match in expression.finditer(text):
            if match.start(value) < pin.end and pin.start < match.end(value):
                return True
    return False


def python(expression: str) -> str:
    """Return an expression of JavaScript as one of Python, which names groups otherwise."""
    return re.sub(r"\(\?<(?=\w)", "(?P<", expression)


def matches(pattern: str, path: str) -> bool:
    """Return whether a path is among those of Renovate's pattern: /an expression/, or a glob."""
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return bool(re.search(python(pattern[1:-1]), path))
    parts = re.split(r"(\*\*/|\*\*|\*)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return bool(re.fullmatch("".join(meaning.get(p) or re.escape(p) for p in parts), path))
