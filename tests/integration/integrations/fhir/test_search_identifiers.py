"""A streamed reading is found by its identifier, whoever's it is, without a look at all readings."""

import pytest
from django.db import connection
from django.utils import timezone

from integrations.fhir.reach import EVERYTHING
from integrations.fhir.routes import ROUTES
from integrations.fhir.search import grammar, readings
from recovery.selectors import fhir_streams
from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.fhir.searching import ids
from tests.unit.integrations.fhir.observations import heart_rate, sampled


def reading(value: str, minute: int = 0, **more: object) -> dict[str, object]:
    at = f"2026-01-05T08:{minute:02d}:00Z"
    return heart_rate(identifier=[{"system": "urn:i", "value": value}], effectiveDateTime=at, **more)


def test_conditions_on_an_identifier_find_a_streamed_reading(door: Door, patient: str) -> None:
    first = door.post("Observation", reading("one"))
    again = door.post("Observation", reading("one", 5), **{"If-None-Exist": "identifier=urn:i|one"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert content(again)["id"] == content(first)["id"]
    assert ids(door, "Observation?identifier=urn:i|one") == [content(first)["id"]]


@pytest.mark.parametrize(
    "value", ["a,b", 'say "so"', "back\\slash", "ünï", "2026-01-05T08:00:00Z", "%", "_", "x" * 200]
)
def test_an_identifier_is_found_whatever_is_in_it(door: Door, patient: str, value: str) -> None:
    assert door.post("Observation", reading(value, issued="2026-01-05T09:00:00Z")).status_code == 201
    assert door.post("Observation", reading("other", 1)).status_code == 201
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace("%", "%25")
    for asked in (f"urn:i|{escaped}", escaped):
        assert len(ids(door, f"Observation?identifier={asked}")) == 1, asked


def test_every_identifier_of_a_reading_finds_it(door: Door, patient: str) -> None:
    two = [{"system": "urn:i", "value": "one"}, {"system": "urn:j", "value": "two"}]
    period = {"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T08:07:11Z"}
    assert door.put("Observation/a", heart_rate(id="a", identifier=two)).status_code == 201
    own_end = heart_rate(id="b", identifier=two, effectiveDateTime=None, effectivePeriod=period)
    assert door.put("Observation/b", own_end).status_code == 201
    assert door.put("Observation/c", sampled(id="c", identifier=two[1:])).status_code == 201
    assert sorted(ids(door, "Observation?identifier=urn:j|two")) == ["a", "b", "c"]
    assert sorted(ids(door, "Observation?identifier=one")) == ["a", "b"]


def test_the_database_looks_an_identifier_up(door: Door, patient: str) -> None:
    assert door.post("Observation", reading("one")).status_code == 201
    pairs = [("identifier", "urn:i|one")]
    request = grammar.parse(
        ROUTES["Observation"],
        pairs,
        base="http://testserver/fhir",
        strict=True,
        now=timezone.now(),
        reach=EVERYTHING,
    )
    (group,) = readings.groups(request)
    assert group.query.own_indexed
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = fhir_streams._rows_of(group.query).explain()
    assert "by_own" in plan or "slots" in plan.partition("Index Cond")[2].partition("\n")[0], plan
