"""SMART App Launch 2.2 scopes: `patient/Observation.rs?category=...|vital-signs`, `user/*.cruds`, `system/*.read`.

This module knows the words; what they reach is `integrations.fhir.reach`. Closed by default: what is not understood
here grants nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote

Context = Literal["patient", "user", "system"]
_SCOPE = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<said>c?r?u?d?s?|read|write|\*)(?:\?(?P<query>.*))?"
)
_OLD = {"read": "rs", "write": "cud", "*": "cruds"}
# A word of scopes is of these characters alone (RFC 6749 section 3.3): scopes are kept side by side, and a blank of any
# kind inside one would make two of it.
_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
# What need not be written as %XX in a constraint: anything else could end it, or the scope.
_PLAIN = ":/|,$.!*()@?"
# What is asked for beside data: who the person is, which patient is open, and a token for later.
ABOUT_THE_LAUNCH = ("openid", "fhirUser", "launch", "launch/patient", "launch/encounter")
FOR_LATER = ("offline_access", "online_access")
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
class Scope:
    """One scope of data. `type`: "*" for all. `letters`: of cruds. `query`: search parameters that what it reaches
    must satisfy."""

    context: Context
    type: str
    letters: str
    query: tuple[tuple[str, str], ...] = ()

    def covers(self, type_name: str, letter: str) -> bool:
        return letter in self.letters and self.type in ("*", type_name)

    @property
    def text(self) -> str:
        query = "&".join(f"{quote(name, safe=_PLAIN)}={quote(value, safe=_PLAIN)}" for name, value in self.query)
        return f"{self.context}/{self.type}.{self.letters}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Grants:
    """What a token may do, as far as its scopes say: whose data that is follows from who holds it."""

    held: tuple[Scope, ...]

    def of(self, type_name: str, interaction: str) -> tuple[Scope, ...]:
        letter = LETTERS.get(interaction)
        return tuple(one for one in self.held if letter is not None and one.covers(type_name, letter))

    def allow(self, type_name: str, interaction: str) -> bool:
        return bool(self.of(type_name, interaction))


def parse(scopes: str) -> Grants:
    """The grants in a space-separated scope string; words that grant nothing here are passed over."""
    return Grants(tuple(dict.fromkeys(one for word in scopes.split() if (one := read_scope(word)) is not None)))


def read_scope(word: str) -> Scope | None:
    """A scope of data, its letters written out; None for any other word."""
    match = _SCOPE.fullmatch(word) if _WORD.fullmatch(word) else None
    if match is None or not match["said"] or (match["query"] is not None and match["said"] in _OLD):
        return None
    query = tuple(parse_qsl(match["query"] or "", keep_blank_values=True))
    if match["query"] is not None and (not query or any(not name or not value for name, value in query)):
        return None
    context: Context = match["context"]  # type: ignore[assignment]  # the pattern knows three
    return Scope(context, match["type"], _OLD.get(match["said"], match["said"]), query)


def granted(asked: Iterable[str], registered: str) -> list[str]:
    """Of the words asked for, what a client registered with `registered` may have: whole, narrowed, or not at all."""
    most, words = parse(registered).held, registered.split()
    found: dict[str, None] = {}
    for word in asked:
        scope = read_scope(word)
        for one in [word] if scope is None and word in words else _narrowed(word, scope, most):
            found[one] = None
    return list(found)


def _narrowed(word: str, scope: Scope | None, most: Iterable[Scope]) -> list[str]:
    """The word as it was written where one registered scope covers it; otherwise what registered scopes leave of it."""
    parts: list[str] = []
    for one in most if scope is not None else ():
        left = _both(scope, one) if scope is not None else None
        if left is None:
            continue
        if left == scope:
            return [word]
        parts.append(left.text)
    return parts


def _both(asked: Scope, most: Scope) -> Scope | None:
    """What two scopes allow together."""
    type_name = asked.type if most.type == "*" else most.type
    letters = "".join(one for one in asked.letters if one in most.letters)
    if asked.context != most.context or asked.type not in ("*", type_name) or not letters:
        return None
    query = (*asked.query, *(one for one in most.query if one not in asked.query))
    return Scope(asked.context, type_name, letters, query)
