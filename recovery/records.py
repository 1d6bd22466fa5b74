"""Records of which some are made for each reading that comes in."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

Kind = TypeVar("Kind")


@dataclass_transform(frozen_default=True)
def record(cls: type[Kind]) -> type[Kind]:
    """A dataclass with slots that is not changed once it is made, which the type checker sees to.

    A frozen dataclass sees to it at run time, by setting each field in a way that takes some ten times as long.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
