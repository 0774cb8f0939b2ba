"""Objects out of manifests: those that are read already, and a file of JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import Object, Stop


def objects(documents: Sequence[Any], source: str) -> list[Object]:
    """Return the objects of documents, those of Lists by themselves.

    Raises:
        Stop: that are no manifests; it names the source.
    """
    found = [document for document in documents if document]
    if any(not isinstance(d, dict) or "kind" not in d for d in found):
        raise Stop(f"{source}: that are no manifests of Kubernetes")
    return [o for d in found for o in (d.get("items") or [] if d["kind"] == "List" else [d])]


def read_json(path: str) -> list[Object]:
    """Return the objects of a file of JSON, one or a List.

    Raises:
        Stop: it can't be read.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise Stop(f"--manifests {path}: {problem.strerror}") from None
    except ValueError as problem:
        raise Stop(f"--manifests {path}: no JSON: {problem}") from None
    return objects([document], f"--manifests {path}")
