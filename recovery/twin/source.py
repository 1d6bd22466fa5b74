"""Where a number came from, carried beside the number so that a page can print it."""

from dataclasses import dataclass
from typing import Literal

Mark = Literal["V", "G", "M", "D"]


@dataclass(frozen=True, slots=True)
class Source:
    """Provenance of one number or table.

    mark: "V" read in the named publication; "G" general clinical knowledge, unverified; "M" measured on a
    named data set in hand; "D" derived by the stated rule from numbers that carry their own source.
    """

    mark: Mark
    text: str

    def __str__(self) -> str:
        return f"{self.text} [{self.mark}]"

    def to_plain(self) -> dict[str, str]:
        return {"mark": self.mark, "text": self.text}
