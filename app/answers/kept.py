"""What is worked out once and kept, though its arguments can't be hashed."""

import functools
from collections.abc import Callable, Hashable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_MOST = 64  # arguments that differ; more than a process has models and modes


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that works out once what it returns for the same arguments.

    Strings are the same where they are equal, all else where it is the same object. What is
    returned is shared, so nobody may change it.
    """
    known: dict[Hashable, tuple[Any, R]] = {}

    @functools.wraps(function)
    def remembered(*arguments: P.args, **named: P.kwargs) -> R:
        assert not named, "by position alone"
        key = tuple(each if isinstance(each, str) else id(each) for each in arguments)
        if key not in known:
            if len(known) >= _MOST:
                known.clear()
            # The arguments too: while they are here, nothing else has their ids.
            known[key] = arguments, function(*arguments, **named)
        return known[key][1]

    return remembered
