"""What is done to a release under traffic: one file a case, in changes/ and faults/."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .release import Release


@dataclass(frozen=True)
class Case:
    """Something that happens to a release while clients stream.

    Attributes:
        title: its row in the report.
        act: does it, and returns when it is done.
        replicas: how many the release has, before and after.
        modes: serving modes in which it is tried.
        own_streams: whether it kills a process that is answering, so that those answers are cut.
        seen: asserts what must be seen besides the traffic when the release is whole again.
        patience: seconds that it may take until the release is whole again.
        core: whether it is tried for every change of the repository, not only every night.
    """

    title: str
    act: Callable[[Release], None]
    replicas: int = 1
    modes: tuple[str, ...] = ("direct",)
    own_streams: bool = False
    seen: Callable[[Release], None] = lambda release: None
    patience: float = 600
    core: bool = False


def found(folder: str) -> list[Case]:
    """Return the cases of a folder, by file name."""
    paths = sorted(Path(__file__).with_name(folder).glob("[!_]*.py"))
    return [importlib.import_module(f"{__package__}.{folder}.{path.stem}").CASE for path in paths]
