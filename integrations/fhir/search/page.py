"""A page of search results."""

from dataclasses import dataclass

from integrations.fhir.shelves import Entry


@dataclass(frozen=True, slots=True)
class Page:
    """`cursor`: where the next page begins, or None at the end. `total` only where it was asked for or is known."""

    entries: tuple[Entry, ...]
    cursor: str | None
    total: int | None
