"""The one real record: published values on shifted days, and no word of an operation that was none."""

import csv
from datetime import UTC, datetime, timedelta

from integrations.fhir import validation
from integrations.fhir.documents.facts import facts_of
from integrations.simulator import volunteer
from integrations.simulator.ward import Ward
from recovery.services.intake import EpisodeFacts, PatientFacts

WARD = Ward(1, datetime(2026, 3, 20, 13, tzinfo=UTC))
ALWAYS = (WARD.anchor - timedelta(days=400), WARD.anchor + timedelta(days=400))


def _sent(begin: datetime = ALWAYS[0], end: datetime = ALWAYS[1]) -> list[dict]:
    return volunteer.sent_between(WARD, begin, end)


def test_every_resource_is_valid_and_stands_once() -> None:
    for one in _sent():
        validation.check(one)
    names = [(one["resourceType"], one["id"]) for one in _sent()]
    assert len(set(names)) == len(names)


def test_steps_are_the_published_ones_in_their_order() -> None:
    with volunteer.SAMPLE.open() as file:
        # The one day without a step is a day without the band (mapping.py).
        published = [float(row["steps"]) for row in csv.DictReader(file) if row["steps"] and float(row["steps"]) > 0]
    steps = [one for one in _sent() if one.get("code", {}).get("coding", [{}])[0].get("code") == "41950-7"]
    in_order = sorted(steps, key=lambda one: one["effectivePeriod"]["start"])
    assert [float(one["valueQuantity"]["value"]) for one in in_order] == published and len(published) >= 90


def test_nothing_is_sent_before_it_was_over() -> None:
    before = _sent(end=WARD.anchor)
    ends = [datetime.fromisoformat(one["effectivePeriod"]["end"]) for one in before if "effectivePeriod" in one]
    assert max(ends) == WARD.anchor, "the newest day has just ended"
    assert len(_sent(begin=WARD.anchor)) > 0, "the record goes on after the seeding"


def test_it_says_that_there_was_no_operation_and_that_the_data_are_real() -> None:
    facts = [facts_of(one["resourceType"], one) for one in _sent()]
    person = next(one for one in facts if isinstance(one, PatientFacts))
    assert not person.is_synthetic and "CC BY 4.0" in person.origin and "no surgery" in person.origin
    assert "no operation" in person.family_name
    episode = next(one for one in facts if isinstance(one, EpisodeFacts))
    assert episode.procedure == "" and episode.procedure_text.startswith("No operation")
    assert episode.surgery_end == WARD.anchor - volunteer.SHOWN_DAY * timedelta(days=1)


def test_the_source_names_licence_citation_and_doi() -> None:
    said = volunteer.SAMPLE.with_name("SOURCE.txt").read_text()
    for word in ("CC BY 4.0", "10.5281/zenodo.6826682", "Sci Data 2022;9:663", "Changed"):
        assert word in said
