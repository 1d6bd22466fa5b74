"""What the wiring knows of our own condition, for those who may not import it: it plugs itself in at start."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sign:
    """One part of the system: does it work, and its figures. No patient data."""

    name: str
    ok: bool
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signs:
    """examine: every part, never raises. leave: note that a role (a process) is alive now. age: seconds since then."""

    examine: Callable[[], Sequence[Sign]]
    leave: Callable[[str], None]
    age: Callable[[str], float | None]


_plugged: list[Signs] = []


def plug_in(signs: Signs) -> None:
    _plugged[:] = [signs]


def parts() -> Sequence[Sign]:
    """Every part of the system; none where nothing was plugged in."""
    return _plugged[0].examine() if _plugged else ()


def leave_sign(role: str) -> None:
    if _plugged:
        _plugged[0].leave(role)


def age_of(role: str) -> float | None:
    return _plugged[0].age(role) if _plugged else None
