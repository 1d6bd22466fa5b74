"""Observations whose text fits one sent before: read quicker, and never otherwise than by reading them in full."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.fhir import bundle, wire
from integrations.fhir.interactions import Place
from integrations.fhir.outcomes import FhirError
from integrations.fhir.reach import EVERYTHING
from integrations.fhir.streams import recalled
from integrations.fhir.streams.mapping import map_observation
from integrations.fhir.streams.recalled import MouldBook, Recalled, map_entry, parse_bundle
from tests.unit.integrations.fhir.observations import heart_rate, json_of

PLACE = Place("http://here/fhir", datetime(2026, 1, 5, tzinfo=UTC), EVERYTHING)
ISSUED = "2026-01-05T08:00:01.5+01:00"


def sent(number: int, **changes: Any) -> dict[str, Any]:
    said = {
        "subject": {"reference": f"Patient/p{number}"},
        "identifier": [{"system": "urn:watch", "value": f"reading-{number}"}],
        "effectiveDateTime": f"2026-01-05T08:{number:02d}:00Z",
        "issued": ISSUED,
        "valueQuantity": {**heart_rate()["valueQuantity"], "value": 60 + number},
    }
    return heart_rate(**{**said, **changes})


def entry(observation: dict[str, Any], url: str = "urn:uuid:1") -> dict[str, Any]:
    return {"fullUrl": url, "resource": observation, "request": {"method": "POST", "url": "Observation"}}


def body_of(observations: list[dict[str, Any]], **layout: Any) -> bytes:
    entries = [entry(one) for one in observations]
    return json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}, **layout).encode()


def taught(**layout: Any) -> MouldBook:
    """A book that has seen two readings of the same kind."""
    book = MouldBook()
    parse_bundle(body_of([sent(1), sent(2)], **layout), book)
    return book


def recalled_of(body: bytes, book: MouldBook) -> list[bool]:
    return [isinstance(one["resource"], Recalled) for one in parse_bundle(body, book)["entry"]]


@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"separators": (",", ":")}], ids=["plain", "lines", "tight"])
def test_a_reading_of_a_kind_seen_twice_is_recalled_and_reads_as_it_does_in_full(layout: dict[str, Any]) -> None:
    body = body_of([sent(3), sent(4)], **layout)
    found = parse_bundle(body, book := taught(**layout))
    assert recalled_of(body, book) == [True, True]
    assert found == wire.parse_object(body)
    assert json.dumps(found, default=str) == json.dumps(wire.parse_object(body), default=str)  # and in the same order
    assert [map_entry(n, one["resource"]) for n, one in enumerate(found["entry"])] == [
        map_observation(n, one["resource"]) for n, one in enumerate(wire.parse_object(body)["entry"])
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"valueQuantity": {"value": "72"}},
        {"valueQuantity": {"value": 72, "unit": "beats/hour"}},
        {"valueQuantity": None},
        {"effectiveDateTime": "yesterday"},
        {"effectiveDateTime": "2026-01-05"},
        {"effectiveDateTime": "2026-13-05T08:00:00Z"},
        {"subject": {"reference": "Group/1"}},
        {"subject": {"reference": "Patient/" + "x" * 65}},
        {"device": {"reference": "urn:uuid:1"}},
        {"device": None},
        {"status": "entered-in-error"},
        {"issued": "soon"},
        {"identifier": [{"system": "urn:watch", "value": " "}]},
        {"identifier": [{"system": "urn:watch", "value": 'a "quoted" one'}]},
        {"identifier": [{"system": "urn:watch", "value": "x" * 300}]},
        {"identifier": [{"system": "urn:other", "value": "x"}]},
        {"note": [{"text": "walked"}]},
        {"id": "mine"},
    ],
    ids=str,
)
def test_what_differs_in_more_than_a_few_plain_values_is_mapped_as_ever(changes: dict[str, Any]) -> None:
    body = body_of([sent(3), sent(4, **changes), sent(5)])
    found, full = parse_bundle(body, taught()), wire.parse_object(body)
    assert found == full
    assert [map_entry(0, one["resource"]) for one in found["entry"]] == [
        map_observation(0, one["resource"]) for one in full["entry"]
    ]


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?", fullmatch=True))
def test_a_number_is_recalled_to_the_digit(text: str) -> None:
    body = body_of([sent(3), sent(4)]).replace(b'"value": 64', f'"value": {text}'.encode())
    found, full = parse_bundle(body, taught()), wire.parse_object(body)
    assert found == full
    for one, other in zip(found["entry"], full["entry"], strict=True):
        value, expected = (each["resource"]["valueQuantity"]["value"] for each in (one, other))
        assert (type(value), str(getattr(value, "text", value))) == (
            type(expected),
            str(getattr(expected, "text", expected)),
        )
        assert map_entry(0, one["resource"]) == map_observation(0, other["resource"])


HOSTILE = st.text(st.sampled_from('"\\{}[]:,x \n\x01é0'), max_size=12)


@given(HOSTILE, st.sampled_from([b"reading-4", b"Patient/p4", b"2026-01-05T08:04:00Z", b"64", b"urn:uuid:1"]))
def test_no_text_in_a_hole_makes_another_structure(text: str, place: bytes) -> None:
    body = body_of([sent(3), sent(4), sent(5)]).replace(place, text.encode())
    book = taught()
    try:
        full: Any = wire.parse_object(body)
    except FhirError as refused:
        with pytest.raises(FhirError) as error:
            parse_bundle(body, book)
        assert str(error.value) == str(refused)
    else:
        assert parse_bundle(body, book) == full


@pytest.mark.parametrize("tail", [b"", b"}", b'],"id":"x"}', b"]} x", b'],"type":"batch"}'], ids=repr)
def test_a_bundle_that_ends_otherwise_is_read_in_full(tail: bytes) -> None:
    body = body_of([sent(3)])[:-2] + tail
    try:
        full = wire.parse_object(body)
    except FhirError as refused:
        with pytest.raises(FhirError) as error:
            parse_bundle(body, taught())
        assert str(error.value) == str(refused)
    else:
        assert parse_bundle(body, taught()) == full


def test_an_entry_with_a_number_for_an_address_makes_no_mould() -> None:
    body = body_of([sent(1), sent(2), sent(3)]).replace(b'"fullUrl": "urn:uuid:1"', b'"fullUrl": 55')
    assert recalled_of(body, MouldBook()) == [False, False, False]


def test_a_reading_under_an_id_or_a_condition_of_the_sender_makes_no_mould() -> None:
    said = [entry(sent(number)) for number in range(1, 4)]
    for one in said:
        one["request"]["ifNoneExist"] = "identifier=urn:watch|x"
    body = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": said}).encode()
    assert recalled_of(body, MouldBook()) == [False, False, False]
    assert recalled_of(body_of([sent(n, id=f"own-{n}") for n in range(1, 4)]), MouldBook()) == [False] * 3


def test_moulds_are_few_and_the_last_used_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalled, "MOST_MOULDS", 2)
    book = MouldBook()
    for unit in ("a", "b", "a", "c"):
        kind = {"valueQuantity": {"value": json_of("1"), "unit": unit}}
        parse_bundle(body_of([sent(1, **kind), sent(2, **kind), sent(3, **kind)]), book)
    assert recalled_of(body_of([sent(4, valueQuantity={"value": 2, "unit": "a"})]), book) == [True]
    assert recalled_of(body_of([sent(4, valueQuantity={"value": 2, "unit": "b"})]), book) == [False]


@pytest.mark.parametrize("place", [0, 1, 3])
def test_what_is_wrong_with_one_entry_is_not_overlooked_among_recalled_ones(place: int) -> None:
    said: list[Any] = [entry(sent(number)) for number in range(3, 6)]
    said.insert(place, [{"resource": 1}])
    book = taught()
    sent_bundle = parse_bundle(json.dumps({"resourceType": "Bundle", "type": "batch", "entry": said}).encode(), book)
    answers = bundle.Answers()
    asked = bundle._read_all(sent_bundle["entry"], lambda *_: True, answers, PLACE, False)
    assert list(answers.results) == [place]
    assert [(n, one.index, one.method, one.type) for n, one in asked.items()] == [
        (n, n, "POST", "Observation") for n in range(4) if n != place
    ]
    assert [one.resource["subject"]["reference"] for one in asked.values()] == [f"Patient/p{n}" for n in (3, 4, 5)]


def test_scopes_that_allow_no_observations_refuse_each_recalled_one() -> None:
    found = parse_bundle(body_of([sent(3), sent(4)]), taught())
    answers = bundle.Answers()
    assert bundle._read_all(found["entry"], lambda *_: False, answers, PLACE, False) == {}
    assert [one.status for one in answers.results.values() if isinstance(one, FhirError)] == [403, 403]
