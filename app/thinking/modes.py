"""The modes of a request's thinking: on, off, and on only where the model is in doubt."""

from typing import Literal

ADAPTIVE: Literal["adaptive"] = "adaptive"
Mode = bool | Literal["adaptive"]


def in_words(mode: Mode) -> str:
    """Return a mode's name for people: on, off or adaptive."""
    return mode if isinstance(mode, str) else "on" if mode else "off"
