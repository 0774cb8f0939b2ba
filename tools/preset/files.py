"""What a model publishes of itself: read from a folder or a file, or from the hub.

Nothing of it is run: no remote code, and a chat template only in the sandbox of transformers.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import Stop

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
TEMPLATE = "chat_template.jinja"
_HASH = r"[0-9a-f]{40}"

Read = Callable[[str], str | None]  # the text of a file of the model's repository


@dataclass(frozen=True)
class Files:
    """What was found.

    Args:
        source: owner/name on the hub, or "" where nothing says it.
        revision: commit of its repository, or "".
        where: what the files were read from, for the draft's comment.
        config: its config.json.
        sampling: its generation_config.json, or {}.
        template: its chat template, or "".
        file_bytes: of all its weights, or None.
        licence: as its card says it, or "".
    """

    source: str
    revision: str
    where: str
    config: dict[str, Any]
    sampling: dict[str, Any]
    template: str
    file_bytes: int | None
    licence: str


def from_path(path: Path, source: str, template: Path | None) -> Files:
    """Read them from a folder, or from a config.json and what lies beside it.

    Args:
        path: of the folder or the file.
        source: owner/name, or "" for what a folder of the hub's cache says.
        template: a file of the chat template, or None for the model's own.

    Raises:
        Stop: there is no config.json, or it can't be read.
    """
    file = path / CONFIG if path.is_dir() else path
    if not file.is_file():
        raise Stop(f"CONFIG={path}: no such file; give a model's config.json, or its folder")
    folder = file.parent

    def read(name: str) -> str | None:
        beside = file if name == CONFIG else folder / name
        return beside.read_text() if beside.is_file() else None

    revision = ""
    if cached := re.search(rf"models--([^/]+)--([^/]+)/snapshots/({_HASH})", str(file.resolve())):
        source, revision = source or f"{cached[1]}/{cached[2]}", cached[3]
    return _read(read, source, revision, str(path), template)


def from_hub(source: str, template: Path | None) -> Files:
    """Read them from the hub, or from its cache on this machine.

    Args:
        source: owner/name.
        template: a file of the chat template, or None for the model's own.

    Raises:
        Stop: there is no such model, or the hub can't be reached.
    """
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    @contextmanager
    def asking() -> Iterator[None]:
        otherwise = f"download its {CONFIG} and {TEMPLATE} yourself: "
        otherwise += f"make preset MODEL={source} CONFIG=folder"
        try:
            yield
        except EntryNotFoundError:
            raise
        except HfHubHTTPError as error:
            status = error.response.status_code
            told = "log in, or set HF_TOKEN" if status in (401, 403) else "check its name"
            raise Stop(
                f"MODEL={source}: the hub answers {status}; {told}; or {otherwise}"
            ) from None
        except Exception:  # each way of having no network has a class of its own
            raise Stop(f"MODEL={source}: the hub can't be reached; {otherwise}") from None

    with asking():
        revision = HfApi().model_info(source, timeout=10).sha or ""

    def read(name: str) -> str | None:
        try:
            with asking():
                return Path(hf_hub_download(source, name, revision=revision)).read_text()
        except EntryNotFoundError:
            return None

    return _read(read, source, revision, f"https://huggingface.co/{source}", template)


def _read(read: Read, source: str, revision: str, where: str, template: Path | None) -> Files:
    config = _json(read, CONFIG)
    if not config:
        raise Stop(f"{where}: has no {CONFIG}, of which a draft is made")
    if template and not template.is_file():
        raise Stop(f"TEMPLATE={template}: no such file")
    return Files(
        source,
        revision,
        where,
        config,
        _json(read, "generation_config.json"),
        template.read_text() if template else _template(read),
        _json(read, INDEX).get("metadata", {}).get("total_size"),
        _licence(read("README.md") or ""),
    )


def _json(read: Read, name: str) -> dict[str, Any]:
    try:
        found = json.loads(read(name) or "{}")
    except ValueError as error:
        raise Stop(f"{name}: is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Stop(f"{name}: is no JSON object")
    return found


def _template(read: Read) -> str:
    """Return the chat template: a file of its own, or a field of the tokenizer's."""
    if text := read(TEMPLATE):
        return text
    field = _json(read, "tokenizer_config.json").get("chat_template")
    if isinstance(field, list):  # several, by name
        field = next((one["template"] for one in field if one["name"] == "default"), "")
    return field or ""


def _licence(card: str) -> str:
    front = re.match(r"---\n(.*?)\n---", card, re.DOTALL)
    said = yaml.safe_load(front[1]) if front else {}
    named = said.get("license_name") or said.get("license") or ""
    return str(named)
