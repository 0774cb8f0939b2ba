"""The `native` map of a model's `reasoning`: how the model itself thinks, as a preset writes it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from app.thinking.native import Native

Effort = Literal["minimal", "low", "medium", "high", "xhigh", "max"]


class Values(BaseModel):
    """Values that an operator writes: under their names, of their types, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class Terms(Values):
    """What `app.thinking.native.Native` says of each; by default that of Qwen3."""

    modes: Literal["both", "always", "never"] = "both"
    argument: str = "enable_thinking"
    enabled: bool | int | str = True
    disabled: bool | int | str = False
    default: bool = True  # whether it thinks where nothing is said
    efforts: list[Effort] = []
    switches: bool = True
    budget: Annotated[str, Field(min_length=1)] = "engine"
    tags: Annotated[list[str], Field(max_length=2)] = ["<think>", "</think>"]

    @model_validator(mode="after")
    def _can_be_told(self) -> "Terms":
        if self.modes == "both" and not self.argument:
            raise ValueError("modes is both, so argument must name what turns it on and off")
        return self

    @property
    def fixed(self) -> bool | None:
        """The mode of a model that has one alone."""
        return {"both": None, "always": True, "never": False}[self.modes]

    @property
    def native(self) -> Native:
        """The same for the middleware."""
        values = self.model_dump(exclude={"default", "efforts", "tags"})
        return Native(**values, efforts=tuple(self.efforts), tags=tuple(self.tags))
