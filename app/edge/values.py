"""The `edge` map of a Serve config's `args`: what holds for requests to any model."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from app.edge.fixed import Edge
from app.surfaces.bounds import Bounds

# As a browser writes it: all lower case, no path; or `*` for all
Origin = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9+.-]*://[a-z0-9.:\[\]_-]+)$")]


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class Cors(_Values):
    """What pages of other origins may do in a browser."""

    allowed_origins: list[Origin] = []  # those whose pages may read answers; empty: none


Count = Annotated[int, Field(ge=1)]


class Limits(_Values):
    """The most that one request may ask for, of what costs something besides its tokens."""

    choices: Count = Bounds.choices  # `n`
    prompts: Count = Bounds.prompts  # in one plain completion
    tools: Count = Bounds.tools
    schema_bytes: Count = Bounds.schema_bytes  # of all its JSON schemas
    grammar_bytes: Count = Bounds.grammar_bytes  # of a regular expression, a grammar, choices


class EdgeValues(_Values):
    """The values; each may be left out."""

    cors: Cors = Cors()
    limits: Limits = Limits()
    # That a request may take to arrive, its body included
    request_seconds: Annotated[float, Field(gt=0, le=3600)] = Edge.request_seconds
    # Tokens that a chunk of a stream carries at most, which is when its process is busy
    max_stream_interval: Annotated[int, Field(ge=1, le=64)] = Edge.max_stream_interval
    # {model id: seconds that a request waits for its first replica; then it gets a 503}
    wake_wait_seconds: dict[str, Annotated[float, Field(ge=0, le=3600)]] = {}


def parse(given: object) -> Edge:
    """Return the values, also of those that `given` leaves out.

    Args:
        given: the `edge` map as written, or None.

    Raises:
        ValueError: the map has a mistake; the message is one line that says where.
    """
    try:
        values = EdgeValues.model_validate({} if given is None else given)
    except ValidationError as failure:
        raise ValueError("; ".join(map(_line, failure.errors()))) from None
    bounds = Bounds(**values.limits.model_dump())
    origins = tuple(values.cors.allowed_origins)
    return Edge(
        origins,
        values.request_seconds,
        bounds,
        values.max_stream_interval,
        values.wake_wait_seconds,
    )


def _line(failure: Mapping[str, Any]) -> str:
    """Return what pydantic says of one mistake."""
    place = ".".join(map(str, ("edge", *failure["loc"])))
    if failure["type"] == "extra_forbidden":
        inner: dict[Any, type[BaseModel]] = {("cors",): Cors, ("limits",): Limits}
        model = inner.get(failure["loc"][:-1], EdgeValues)
        known = ", ".join(str(field.alias) for field in model.model_fields.values())
        return f"{place}: there is no such value; there are {known}"
    if failure["type"] == "string_pattern_mismatch":
        return f"{place}: an origin is written as https://app.example.com, in lower case, or *"
    return f"{place}: {failure['msg']}"
