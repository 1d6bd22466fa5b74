"""SMART App Launch 2.2 scopes: `system/Observation.rs`, `system/*.cruds`, and the older `.read`, `.write`, `.*`.

Closed by default: what cannot be enforced here grants nothing. That is scopes with a query part
(`?category=...`), and patient/ and user/ scopes, which need a launch context that a bearer token has not.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)")
_OLD = {"read": "rs", "write": "cud", "*": "cruds"}
# FHIR interactions to the letter that permits them
LETTERS = {
    "create": "c",
    "read": "r",
    "vread": "r",
    "history-instance": "r",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search-type": "s",
    "history-type": "s",
}


@dataclass(frozen=True, slots=True)
class Grants:
    """What a token may do: (resource type or "*", letters of cruds)."""

    held: frozenset[tuple[str, str]]

    def allow(self, type_name: str, interaction: str) -> bool:
        letter = LETTERS.get(interaction)
        return letter is not None and any(letter in letters and name in ("*", type_name) for name, letters in self.held)


def parse(scopes: str) -> Grants:
    """The grants in a space-separated scope string; words that grant nothing here are passed over."""
    return Grants(frozenset(_grants(scopes.split())))


def _grants(words: Iterable[str]) -> Iterable[tuple[str, str]]:
    for word in words:
        match = _SCOPE.fullmatch(word)
        if match and match.group(2):
            yield match.group(1), _OLD.get(match.group(2), match.group(2))
