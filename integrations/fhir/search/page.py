"""A page of search results, and a resource on its way into one."""

from dataclasses import dataclass, field

from integrations.fhir.shelves import Entry
from recovery.selectors.fhir_order import Place


@dataclass(frozen=True, slots=True)
class Placed:
    """A match and its place in the order asked for."""

    entry: Entry
    place: Place


@dataclass(frozen=True, slots=True)
class Page:
    """`cursor`: where the next page begins, or None at the end; `previous`: the page before. `total` only where it was
    asked for or is known. `notes`: what the reader should be told."""

    entries: tuple[Entry, ...]
    cursor: str | None
    total: int | None
    previous: str | None = None
    included: tuple[Entry, ...] = ()
    notes: list[str] = field(default_factory=list)
