"""What the demo sends is valid FHIR R4, says that it is made up, and is understood by the door."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from integrations.fhir import validation
from integrations.fhir.documents.facts import facts_of
from integrations.fhir.streams.mapping import map_observation
from integrations.simulator import resources
from integrations.simulator.cast import CAST, Member
from integrations.simulator.course import HOURLY, course_of
from integrations.simulator.seeding import documents_between
from integrations.simulator.ward import Ward
from recovery.services.intake import DeviceFacts, EpisodeFacts, FindingFacts, NumberReading, PacketReading, PatientFacts
from recovery.twin.metrics import METRICS

WARD = Ward(1, datetime(2026, 3, 20, 13, tzinfo=UTC))
LONG_AGO = WARD.anchor - timedelta(days=90)


def _documents(member: Member) -> list[resources.Json]:
    return documents_between(WARD, member, LONG_AGO, WARD.anchor)


def _readings(member: Member) -> Iterator[tuple[str, resources.Json]]:
    """(metric, Observation): a packet, a single value, a minute of steps, and every kind of report."""
    course = course_of(WARD, member)
    for metric in HOURLY:
        yield metric, resources.packet(member, metric, LONG_AGO, np.array([1.0, np.nan, 3.0])) or {}
    yield "heart_rate", resources.vital(member, "heart_rate", WARD.anchor, 71.0)
    yield "temperature", resources.vital(member, "temperature", WARD.anchor, 37.0)
    yield "steps", resources.minute_of_steps(member, WARD.anchor, 0)
    for report in {one.metric: one for one in course.reports}.values():
        yield report.metric, resources.report(member, report.metric, report.at, report.value)


@pytest.mark.parametrize("member", CAST, ids=lambda member: member.key)
def test_every_document_is_valid_and_names_its_patient(member: Member) -> None:
    for document in _documents(member):
        validation.check(document)
        owner = document.get("subject", document.get("patient", {"reference": f"Patient/{member.key}"}))
        assert owner == {"reference": f"Patient/{member.key}"}


@pytest.mark.parametrize("member", [CAST[0], CAST[19]], ids=lambda member: member.key)
def test_every_reading_fits_the_streams_shelf_under_its_metric(member: Member) -> None:
    for metric, reading in _readings(member):
        mapped = map_observation(0, reading)
        assert mapped is not None, reading
        assert mapped.unmapped is None and mapped.reading.series.metric == metric
        assert (mapped.reading.series.scale, mapped.reading.series.shift) == (1.0, 0.0)
        usual = "cleared" if METRICS[metric].family == "laboratory" else "consumer"
        tier = "self_report" if metric == "pain" else usual
        assert mapped.reading.series.tier == tier


def test_an_hour_without_the_watch_is_an_error_token_and_no_point() -> None:
    sent = resources.packet(CAST[0], "steps", WARD.anchor, np.array([12.0, np.nan, 0.0]))
    assert sent is not None and sent["valueSampledData"]["data"] == "12 E 0"
    mapped = map_observation(0, sent)
    assert mapped is not None and isinstance(mapped.reading, PacketReading)
    assert [value for _, value in mapped.reading.points] == [12.0, 0.0]
    assert resources.packet(CAST[0], "steps", WARD.anchor, np.array([np.nan, np.nan])) is None


def test_a_minute_without_steps_is_a_zero_that_covers_a_minute() -> None:
    mapped = map_observation(0, resources.minute_of_steps(CAST[0], WARD.anchor, 0))
    assert mapped is not None and isinstance(mapped.reading, NumberReading)
    assert (mapped.reading.value, mapped.reading.series.span_ms) == (0.0, 60_000)


def test_values_are_written_with_the_decimals_of_their_metric() -> None:
    for metric, reading in _readings(CAST[0]):
        if "valueQuantity" in reading:
            written = str(reading["valueQuantity"]["value"])
            assert len(written.partition(".")[2]) == METRICS[metric].decimals


@pytest.mark.parametrize("member", CAST, ids=lambda member: member.key)
def test_the_door_understands_who_it_is_and_that_nobody_is_real(member: Member) -> None:
    facts = [facts_of(one["resourceType"], one) for one in _documents(member)]
    patient = next(one for one in facts if isinstance(one, PatientFacts))
    assert patient.is_synthetic and patient.origin.startswith("Synthetic")
    assert (patient.given_name, patient.family_name) == (member.given, member.family)
    episode = next(one for one in facts if isinstance(one, EpisodeFacts))
    assert episode.surgery_end == WARD.surgery_end(member) and episode.status == "active"
    assert bool(episode.procedure) == (member.operation != "hernia")
    tiers = sorted(one.tier for one in facts if isinstance(one, DeviceFacts))
    assert tiers == (["consumer", "implant"] if member.has_smart_knee else ["consumer"])
    findings = {one.key for one in facts if isinstance(one, FindingFacts)}
    assert {"asa", "bmi", "smoker", "blood_loss_ml", "inpatient"} <= findings


def test_only_a_diagnosis_that_was_made_is_in_the_record() -> None:
    for member in (one for one in CAST if one.trouble):
        assert member.trouble is not None
        kinds = [facts_of(one["resourceType"], one) for one in _documents(member)]
        told = {one.key for one in kinds if isinstance(one, FindingFacts) and one.kind == "complication"}
        assert told == ({member.trouble.kind} if member.trouble.diagnosed_hours_ago else set())
