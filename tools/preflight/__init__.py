"""Whether a release would start in a cluster: what is missing there, and what mends it."""

from typing import Any

Object = dict[str, Any]  # of the Kubernetes API, as JSON


class Stop(Exception):
    """Why it can't go on, in one line for whoever asked."""
