"""Who belongs to a Group: patients, and the patients of groups within it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from integrations.fhir import shelves, wire
from integrations.fhir.outcomes import FhirError
from integrations.fhir.primitives import LOCAL_REFERENCE, span, to_ms
from integrations.fhir.reach import Reach
from integrations.fhir.routes import ROUTES

DEEPEST = 5


def members_of(group: Mapping[str, Any], now: datetime, reach: Reach, depth: int = 0) -> Iterator[str]:
    """Patient ids of those who belong to it at `now`. A group that cannot be read brings nobody."""
    for member in group.get("member", ()):
        reference = member.get("entity", {}).get("reference", "")
        match = LOCAL_REFERENCE.fullmatch(reference.partition("/fhir/")[2] or reference)
        if match is None or member.get("inactive") is True or not _belongs(member.get("period", {}), now):
            continue
        if match.group(1) == "Patient":
            yield match.group(2)
        elif match.group(1) == "Group" and depth < DEEPEST:
            yield from _within(match.group(2), now, reach, depth + 1)


def _within(fhir_id: str, now: datetime, reach: Reach, depth: int) -> Iterator[str]:
    try:
        found = shelves.read(ROUTES["Group"], fhir_id, reach)
    except FhirError:
        return
    yield from members_of(wire.parse_object(found.text.encode()), now, reach, depth)


def _belongs(period: Mapping[str, Any], now: datetime) -> bool:
    at = to_ms(now)
    try:
        begun = "start" not in period or span(period["start"]).low_ms <= at
        return begun and ("end" not in period or at < span(period["end"]).high_ms)
    except ValueError:
        return False
