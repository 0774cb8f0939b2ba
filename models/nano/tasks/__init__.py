"""The tasks: every other file of this folder is one, found by listing it.

A task file defines
    SHARE: float              its share of the training examples, in parts (they need not sum to 1)
    make(draw) -> Problem     one problem from that side of the split (see problem.py)
and may define
    BASIC = True              a plain question with a bare result, on which other tasks build
    UNRELATED = True          may stand in a conversation as an earlier, unrelated turn
    THINKS = 0.6              the share of its training examples that think
"""

import functools
import importlib
import pkgutil
from types import ModuleType


@functools.cache
def all_tasks() -> dict[str, ModuleType]:
    """Return every task module by name, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


@functools.cache
def basic_tasks() -> tuple[ModuleType, ...]:
    """Return the tasks with a plain question and a bare result."""
    return tuple(task for task in all_tasks().values() if getattr(task, "BASIC", False))


@functools.cache
def unrelated_tasks() -> tuple[ModuleType, ...]:
    """Return the tasks that may stand in a conversation as an earlier, unrelated turn."""
    return tuple(task for task in all_tasks().values() if getattr(task, "UNRELATED", False))
