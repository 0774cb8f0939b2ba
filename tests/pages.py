"""The pages of the repository, as a reader sees them: links, headings, code, commands."""

import fnmatch
import functools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts" / "hybrid-llm"
PARSER = MarkdownIt("commonmark").enable("table")


def listed(*patterns: str) -> list[str]:
    """Return the paths that git has, or would take, and that are there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted({line for line in run.stdout.splitlines() if (ROOT / line).exists()})


@dataclass(frozen=True)
class Page:
    """A file of Markdown, by its path from the root."""

    path: str

    @functools.cached_property
    def tokens(self) -> list[Token]:
        """What the parser makes of it, without nesting."""
        flat: list[Token] = []
        for token in PARSER.parse((ROOT / self.path).read_text()):
            flat += [token, *(token.children or [])]
        return flat

    @functools.cached_property
    def anchors(self) -> set[str]:
        """The anchors that GitHub gives its headings."""
        found: set[str] = set()
        for before, token in zip(self.tokens, self.tokens[1:], strict=False):
            if before.type != "heading_open":
                continue
            words = "".join(t.content for t in token.children or [] if t.type != "image")
            name = anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            count = 0
            while anchor in found:
                count += 1
                anchor = f"{name}-{count}"
            found.add(anchor)
        return found

    def links(self) -> Iterator[str]:
        """Yield where its links and images lead."""
        for token in self.tokens:
            if target := token.attrs.get("href") or token.attrs.get("src"):
                yield unquote(str(target))
            elif token.type in ("html_inline", "html_block"):
                yield from re.findall(r"\b(?:href|src)=\"([^\"]+)\"", token.content)

    def code(self) -> list[str]:
        """Return what stands in backticks within the text."""
        return [token.content for token in self.tokens if token.type == "code_inline"]

    def blocks(self, *languages: str) -> list[str]:
        """Return its blocks of code in these languages."""
        fences = (token for token in self.tokens if token.type == "fence")
        return [fence.content for fence in fences if fence.info in languages]


def target(page: Page, link: str) -> tuple[str, str]:
    """Return the path from the root that a relative link leads to, and its anchor."""
    path, _, anchor = link.partition("#")
    if not path:
        return page.path, anchor
    whole = (ROOT / page.path).parent.joinpath(path).resolve()
    return (str(whole.relative_to(ROOT)) if whole.is_relative_to(ROOT) else f"../{path}"), anchor


# The chart's values

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
PRESETS = {
    "model": "models",
    "accelerator": "accelerators",
}  # whose overrides are a preset's fields
FILE = re.compile(r"\.(go|json\w*|mjs|md|py|sh|svg|tpl|txt|ya?ml)$")
VALUE = re.compile(r"[a-z]\w*(?:\.[\w*]+)+(?=$|[=\s,]|:\s)")


def values(text: str) -> list[str]:
    """Return the names of the chart's values at the start of a piece of code.

    Args:
        text: `autoscaling.minReplicas: 0`, or another program's.
    """
    found = VALUE.match(text)
    if not found or FILE.search(found[0]) or found[0].partition(".")[0] not in DEFAULTS:
        return []
    return [found[0]]


def is_value(name: str) -> bool:
    """Tell whether the chart has a value of that name; `*` stands for any part of one."""
    top, _, rest = name.partition(".")
    if top in PRESETS and rest.startswith("overrides."):
        field = rest.split(".")[1]
        files = (CHART / "presets" / PRESETS[top]).glob("*.yaml")
        return any(field in yaml.safe_load(file.read_text()) for file in files)
    places = [DEFAULTS]
    for part in name.split("."):
        # What is empty by default takes names of its owner's: labels, keys, engine arguments.
        if any(place in ({}, []) for place in places):
            return True
        maps = [place for place in places if isinstance(place, dict)]
        places = [p[key] for p in maps for key in p if fnmatch.fnmatchcase(key, part)]
    return bool(places)
