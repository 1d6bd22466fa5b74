"""What a series of streamed readings says of all its readings: index entries of its template, length in time, unit.

Templates differ from patient to patient in subject and device alone, so they are read once without the two.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from integrations.fhir import wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.routes import ROUTES
from integrations.fhir.search.matching import entry_matches
from integrations.fhir.streams import template, units
from integrations.fhir.streams.template import Filling
from recovery.selectors.fhir_criteria import CANONICAL, Criterion, Match
from recovery.selectors.fhir_streams import SeriesSeen
from recovery.services.intake import IndexEntry

# What differs from reading to reading; every other parameter is answered by the series' template.
OF_THE_READING = frozenset(("date", "identifier", "identifier:of-type", "value-quantity", "combo-value-quantity"))
_NUMBERS = ("value-quantity", "combo-value-quantity")
_NOBODY, _NOTHING = "Patient/.nobody.", "Device/.nothing."
_STAND_IN = "1970-01-01T00:00:00Z"
# (dimension, scale, shift) from the unit as sent to the base unit; None for a unit that is not known.
Base = tuple[str, float, float] | None


@dataclass(frozen=True, slots=True)
class Seen:
    """`width_ms`: what one reading covers in time, as indexed; None where its end is its own. `own`: names of the
    strings that each reading has for itself."""

    row: SeriesSeen
    entries: tuple[IndexEntry, ...]
    width_ms: int | None
    own: tuple[str, ...]
    base: Base


def see(row: SeriesSeen) -> Seen:
    patient, device = f"Patient/{row.patient}", row.source
    text = row.template.replace(_quoted(patient), _quoted(_NOBODY))
    if device.startswith("Device/"):
        text = text.replace(_quoted(device), _quoted(_NOTHING))
    shape = _shape(text)
    names = {_NOBODY: patient, _NOTHING: device}
    entries = tuple(
        replace(entry, value=names[entry.value]) if entry.value in names else entry for entry in shape.entries
    )
    return Seen(row, entries, shape.width_ms, shape.own, shape.base)


def _quoted(reference: str) -> str:
    """As it stands inside the text of a template, where quotes are escaped."""
    return f'\\"{reference}\\"'


@dataclass(frozen=True, slots=True)
class Shape:
    entries: tuple[IndexEntry, ...]
    width_ms: int | None
    own: tuple[str, ...]
    base: Base


@lru_cache(maxsize=4096)
def _shape(text: str) -> Shape:
    """The index entries that all readings share (date, identifier and value are stand-ins)."""
    parsed = template.parse(text)
    slots = json.dumps([_STAND_IN] * len(parsed.own))
    stand_in = Filling("x", 1, _STAND_IN, 0, None, 0.0, 0, "1", slots)
    resource = wire.parse_object(template.render(text, stand_in).encode())
    entries = index_entries(ROUTES["Observation"], resource)
    dates = [one for one in entries if one.param == "date"]
    width = None
    if len(dates) == 1 and "end_text" not in parsed.own:
        width = (dates[0].high_ms or 0) - (dates[0].low_ms or 0)
    return Shape(entries, width, parsed.own, _base(resource))


def _base(resource: Mapping[str, Any]) -> Base:
    quantity = resource.get("valueQuantity") or resource.get("valueSampledData", {}).get("origin", {})
    code = units.code_of(quantity.get("system"), quantity.get("code"), quantity.get("unit"))
    return units.base_of(code)


def rough_texts(criteria: Sequence[Criterion]) -> list[tuple[str, ...]]:
    """For each criterion that needs a certain code, the texts of which the template must hold one."""
    found = []
    for one in criteria:
        codes = [match.value for match in one.matches]
        if one.kind == "token" and not one.negated and one.missing is None and codes and all(codes):
            found.append(tuple(_inside(_inside(code)) for code in codes if code))
    return found


def _inside(text: str) -> str:
    """As it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def bounds(criterion: Criterion, seen: Seen) -> tuple[Match, ...] | None:
    """The alternatives of a value criterion in the unit that the series was sent in; empty when none can hold.

    None when rows cannot tell: what is asked for is no number, or is not asked for as one.
    """
    if criterion.negated:
        return None
    if criterion.kind == "quantity" and criterion.param in _NUMBERS:
        return tuple(
            found for match in criterion.matches if (found := _in_unit(match, criterion.param, seen)) is not None
        )
    if criterion.kind != "composite" or len(criterion.components) != 2 or criterion.components[1][0] not in _NUMBERS:
        return None
    (param, kind), (number, _) = criterion.components
    mine = [entry for entry in seen.entries if entry.param == param and entry.part == 0]
    return tuple(
        found
        for match in criterion.matches
        if any(entry_matches(kind, match.parts[0], entry) for entry in mine)
        and (found := _in_unit(match.parts[1], number, seen)) is not None
    )


def _in_unit(match: Match, param: str, seen: Seen) -> Match | None:
    """The bounds as numbers of the series; None when its unit is not the one asked for."""
    mine = [entry for entry in seen.entries if entry.param == param]
    if match.system is None or not match.system.startswith(CANONICAL):
        same = any(match.system in (None, entry.system) and match.value in (None, entry.value) for entry in mine)
        return replace(match, system=None, value=None) if same else None
    if seen.base is None or not any(entry.system == match.system for entry in mine):
        return None
    _, scale, shift = seen.base
    low, high = (units.tidy((bound - shift) / scale) for bound in (match.low, match.high))
    return replace(match, system=None, value=None, low=low, high=high)


def identified_by(own: Sequence[tuple[str, ...]], seen: Seen) -> tuple[tuple[tuple[str, ...], ...], bool]:
    """(texts to look for, whether the reading's own strings begin with them, so that the index finds them)."""
    names = [name for name in seen.own if name.startswith("identifier")]
    if not own or len(names) != 1 or seen.own[0] != names[0]:
        return tuple(own), False
    if any(_looks_like_a_time(text) for texts in own for text in texts):
        return tuple(own), False
    end = "]" if len(seen.own) == 1 else ","
    return tuple(tuple(f"[{text}{end}" for text in texts) for texts in own), True


def _looks_like_a_time(text: str) -> bool:
    """The index leaves out what begins like a time (migration 0006)."""
    return len(text) > 11 and text[5] == "-" and text[8] == "-" and text[11] == "T"
