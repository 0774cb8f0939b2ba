"""What an operator has fixed for requests to any model: the values, without what they do."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from app.surfaces.bounds import Bounds

VALUES = "HYBRID_LLM_EDGE"  # Edge in JSON; app.serve sets it


@dataclass(frozen=True)
class Edge:
    """The values; `app.edge.values` says what an operator may write."""

    origins: tuple[str, ...] = ()  # whose pages may read answers in a browser
    request_seconds: float = 60  # s that a request may take to arrive
    bounds: Bounds = Bounds()  # on what it may ask for
    max_stream_interval: int = 8  # tokens that a chunk of a stream carries at most
    # {model id: s that a request waits where it has no replica}; of another it waits for one
    wake_wait_seconds: Mapping[str, float] = field(default_factory=dict)


def dumped(edge: Edge) -> str:
    """Return the text for $HYBRID_LLM_EDGE."""
    return json.dumps(asdict(edge))


def loaded(text: str) -> Edge:
    """Return the values of that text, of an empty one those that hold by default."""
    values = json.loads(text or "{}")
    origins = tuple(values.pop("origins", ()))
    return Edge(origins, bounds=Bounds(**values.pop("bounds", {})), **values)


def values_of(edge: Edge | None) -> Edge:
    """Return what a layer was given, or what $HYBRID_LLM_EDGE has."""
    return loaded(os.environ.get(VALUES, "")) if edge is None else edge
