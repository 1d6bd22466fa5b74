"""What a search finds is what one would pick by hand: every shelf's answer held against the plain matcher.

The corpus is on all shelves (narrow rows with and without identifiers, spans and ends of their own, packets,
documents); each resource is read back, indexed and judged by `matching`, which shares no code with the SQL.
"""

import random
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.fhir import wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.reach import EVERYTHING
from integrations.fhir.routes import ROUTES
from integrations.fhir.search import grammar, readings
from integrations.fhir.search.matching import holds
from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.fhir.searching import coded, pressure, quantity
from tests.unit.integrations.fhir.observations import UCUM, heart_rate, sampled

CODES = ["8867-4", "8310-5", "55423-8"]
UNITS = [("C", "Cel"), ("F", "[degF]"), ("beats/minute", "/min"), ("steps", "{steps}")]
TIMES = ["2026-01-05T08:00:00Z", "2026-01-05T23:59:59.500Z", "2026-01-06T00:00:00+02:00", "2026-01-06T12:00:00Z"]
ENDS = ["2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z", "2026-01-07T08:00:00Z", "2026-01-06T12:34:56Z"]


def corpus(chance: random.Random) -> list[dict[str, Any]]:
    """Forty Observations of two patients."""
    return [_one(number, chance) for number in range(40)]


def _one(number: int, chance: random.Random) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": f"o{number}",
        "subject": {"reference": f"Patient/{chance.choice(['ann', 'bob'])}"},
        "device": None,
        "code": coded(chance.choice(CODES)),
        "status": chance.choice(["final", "amended"]),
        "effectiveDateTime": chance.choice(TIMES),
        "valueQuantity": quantity(chance.choice([36.5, 37, 98.6, 72, 104.25]), *chance.choice(UNITS)),
    }
    if chance.random() < 0.3:
        system = chance.choice(["urn:a", "urn:b"])
        said["identifier"] = [{"system": system, "value": chance.choice(["1", "22", "2026-01-05T08:00:00Z"])}]
    kind = chance.choice(["plain", "plain", "note", "period", "packet", "pressure", "bare"])
    if kind == "note":
        said["note"] = [{"text": "seen"}]
    elif kind == "period":
        said |= {"effectiveDateTime": None, "effectivePeriod": {"start": TIMES[0], "end": chance.choice(ENDS)}}
    elif kind == "bare":
        said["valueQuantity"] = {"value": chance.choice([37, 72]), "unit": "bpm"}
    elif kind == "packet":
        period = {"start": TIMES[0], "end": chance.choice(ENDS)}
        said |= {"valueQuantity": None, "effectiveDateTime": None, "effectivePeriod": period}
        return sampled(chance.choice(["70 71 73", "36 E 38", "E E"]), **said)
    elif kind == "pressure":
        fhir_id = said.pop("id")
        del said["valueQuantity"], said["code"]
        return pressure(fhir_id, chance.choice([120, 160]), chance.choice([70, 95]), **said)
    return heart_rate(**said)


_prefixes = st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
_days = st.sampled_from(
    ["2026", "2026-01", "2026-01-05", "2026-01-06", "2026-01-05T22:00:00Z", "2026-01-05T08:30Z"]
    + ["2026-01-05T08:00:00.5Z", *TIMES[:2], *ENDS]
)
_dates = st.builds(lambda prefix, day: ("date", prefix + day), _prefixes, _days)
_numbers = st.builds(
    lambda prefix, number, unit: prefix + number + unit,
    _prefixes,
    st.sampled_from(["37", "37.0", "36.5", "98.6", "72", "1e2", "160", "0.6"]),
    st.sampled_from(
        [
            "",
            f"|{UCUM}|Cel",
            f"|{UCUM}|[degF]",
            f"|{UCUM}|/min",
            f"|{UCUM}|/h",
            "||bpm",
            "||Cel",
            f"|{UCUM}|mm[Hg]",
            "|urn:x|y",
        ]
    ),
)
_codes = st.sampled_from([*CODES, "http://loinc.org|8867-4", "|8867-4", "8480-6", "8867-4,8310-5", "http://loinc.org|"])
_identifiers = st.sampled_from(["1", "22", "urn:a|1", "urn:b|", "|1", "2", "urn:b|22,urn:a|1", "2026-01-05T08:00:00Z"])
_params = st.one_of(
    _dates,
    _dates,
    st.tuples(st.sampled_from(["value-quantity", "combo-value-quantity", "component-value-quantity"]), _numbers),
    st.tuples(st.sampled_from(["code", "code:not", "combo-code", "component-code"]), _codes),
    st.tuples(st.sampled_from(["identifier", "identifier:not"]), _identifiers),
    st.tuples(
        st.sampled_from(["patient", "subject", "patient:Patient"]), st.sampled_from(["ann", "bob", "ann,bob", "x"])
    ),
    st.tuples(st.sampled_from(["status", "status:not"]), st.sampled_from(["final", "amended", "final,amended"])),
    st.tuples(
        st.sampled_from(["code-value-quantity", "combo-code-value-quantity", "component-code-value-quantity"]),
        st.builds(lambda code, number: f"{code}${number}", st.sampled_from([*CODES, "8480-6", "8462-4"]), _numbers),
    ),
    st.tuples(
        st.sampled_from(["identifier", "value-quantity", "date", "component-code", "performer"]).map(
            "{}:missing".format
        ),
        st.sampled_from(["true", "false"]),
    ),
)
_orders = st.sampled_from(["", "date", "-date", "code,-date", "-status,patient", "-_lastUpdated", "identifier:x"])


@pytest.fixture
def held(door: Door) -> list[dict[str, Any]]:
    """The corpus as it reads once it is stored."""
    people = [{"resourceType": "Patient", "id": name} for name in ("ann", "bob")]
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in [*people, *corpus(random.Random(11))]
    ]
    response = door.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert response.status_code == 200, response.content
    found = [wire.parse_object(door.get(f"Observation/o{number}").content) for number in range(40)]
    assert all(one["resourceType"] == "Observation" for one in found)
    return found


def picked(held: list[dict[str, Any]], request: grammar.SearchRequest) -> list[str]:
    """By hand: the ids of those that satisfy every criterion."""
    route = ROUTES["Observation"]
    return sorted(
        one["id"]
        for one in held
        if all(
            holds(criterion, index_entries(route, one), f"Observation/{one['id']}") for criterion in request.criteria
        )
    )


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    pairs=st.lists(_params, min_size=1, max_size=3),
    order=_orders,
    count=st.sampled_from([3, 1000]),
    few=st.sampled_from([1, 16]),
)
def test_a_search_finds_what_one_would_pick_by_hand(
    door: Door, held: list[dict[str, Any]], pairs: list[tuple[str, str]], order: str, count: int, few: int
) -> None:
    request = grammar.parse(
        ROUTES["Observation"],
        pairs,
        base="http://testserver/fhir",
        strict=True,
        now=timezone.now(),
        reach=EVERYTHING,
    )
    url = f"Observation?{urlencode([*pairs, ('_count', str(count)), ('_total', 'accurate')])}"
    url += f"&_sort={order}" if order else ""
    found: list[str] = []
    total = None
    while url:
        with patch.object(readings, "FEW_SERIES", few):
            page = content(door.get(url))
        assert page["resourceType"] == "Bundle", page
        total = page["total"] if total is None else total
        found += [one["resource"]["id"] for one in page.get("entry", []) if one["search"]["mode"] == "match"]
        links = {one["relation"]: one["url"] for one in page["link"]}
        url = links.get("next", "").partition("/fhir/")[2]
    assert sorted(found) == picked(held, request), pairs
    assert total == len(found), pairs
