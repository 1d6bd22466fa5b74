"""Allergies in words, beside who the patient is. What is not on record is never worded as if there were none."""

from dataclasses import dataclass

from recovery.selectors.allergies import Allergies, Allergy

NOT_KNOWN = "not known to twinweb"
NONE_KNOWN = "no known allergies (says the record)"
CRITICALITY = {
    "high": "high criticality",
    "low": "low criticality",
    "unable-to-assess": "criticality could not be assessed",
    "": "criticality not stated",
}
VERIFICATION = {"confirmed": "confirmed", "unconfirmed": "unconfirmed", "": "verification not stated"}
MOST_REACTIONS = 2
# So many stand in the strip at once; the others open below it, and stand in full on paper.
MOST_IN_STRIP = 3


@dataclass(frozen=True, slots=True)
class AllergyLine:
    substance: str
    words: str
    is_high: bool


@dataclass(frozen=True, slots=True)
class AllergyStrip:
    """`said`: what is said where there is no line, or beside the lines; `more`: lines beyond MOST_IN_STRIP."""

    lines: tuple[AllergyLine, ...]
    more: tuple[AllergyLine, ...]
    said: str
    is_unknown: bool


def allergy_strip(found: Allergies) -> AllergyStrip:
    lines = tuple(_line(one) for one in found.known)
    # Nothing grave is ever folded away.
    shown = max(MOST_IN_STRIP, sum(one.is_high for one in lines))
    is_unknown = not lines and not found.none_known
    return AllergyStrip(lines[:shown], lines[shown:], _beside(found), is_unknown)


def allergy_words(found: Allergies) -> str:
    """All of it in one line of plain text."""
    lines = [f"{one.substance} ({one.words})" for one in map(_line, found.known)]
    return "; ".join(part for part in (*lines, _beside(found)) if part)


def _line(one: Allergy) -> AllergyLine:
    reactions = ", ".join(one.reactions[:MOST_REACTIONS])
    parts = (reactions, CRITICALITY[one.criticality], VERIFICATION[one.verification])
    return AllergyLine(one.substance, ", ".join(part for part in parts if part), one.criticality == "high")


def _beside(found: Allergies) -> str:
    kinds = f"no known {_listed(found.none_of)} allergy" if found.none_of else ""
    if found.known:
        return kinds
    if found.none_known:
        return NONE_KNOWN
    return f"{kinds}; others {NOT_KNOWN}" if kinds else NOT_KNOWN


def _listed(words: tuple[str, ...]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
