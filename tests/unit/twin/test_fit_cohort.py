"""Reading a bulk export: hours after surgery, Celsius, arrival, history and outcomes told apart."""

import gzip
import json

import pytest

from recovery.twin.fit_cohort import data_hash, read_cohort

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "gender": "female",
    "birthDate": "1955-01-01",
    "deceasedDateTime": "2025-01-12T12:00:00Z",
}
PROCEDURE = {
    "id": "op",
    "subject": {"reference": "Patient/p1"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "23968004"}]},
    "performedPeriod": {"start": "2025-01-01T09:30:00Z", "end": "2025-01-01T12:00:00Z"},
}


def coded(code: str, **rest) -> dict:
    return {"subject": {"reference": "Patient/p1"}, "code": {"coding": [{"code": code}]}, **rest}


def observed(code: str, **rest) -> dict:
    coding = [{"system": "http://loinc.org", "code": code}]
    return {
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": coding},
        "issued": "2025-01-02T01:00:00Z",
        **rest,
    }


FILES = {
    "Patient": [PATIENT],
    "Procedure": [PROCEDURE],
    "Condition": [
        coded("13645005", onsetDateTime="2020-01-01T00:00:00Z", recordedDate="2020-01-01T00:00:00Z"),
        coded("233604007", onsetDateTime="2025-01-03T12:00:00Z", recordedDate="2025-01-04T12:00:00Z"),
    ],
    "Encounter": [
        {"class": {"code": "IMP"}, "subject": {"reference": "Patient/p1"}, "period": {"start": "2025-01-01T08:00:00Z"}},
        {"class": {"code": "IMP"}, "subject": {"reference": "Patient/p1"}, "period": {"start": "2025-01-09T12:00:00Z"}},
    ],
    "Observation": [
        observed(
            "8310-5",
            device={"reference": "Device/w"},
            effectivePeriod={"start": "2025-01-01T18:00:00Z"},
            valueSampledData={"origin": {"value": 0, "code": "[degF]"}, "period": 3600000, "data": "98.6 E 100.4"},
        ),
        observed("72514-3", effectiveDateTime="2025-01-01T20:00:00Z", valueQuantity={"value": 6}),
        observed("97816-3", valueInteger=3),
        observed("39156-5", valueQuantity={"value": 29.5}),
        observed("72166-2", valueCodeableConcept={"coding": [{"code": "77176002"}]}),
        observed("1988-5", effectiveDateTime="2025-01-01T20:00:00Z", valueQuantity={"value": 80}),
        observed("1988-5", effectiveDateTime="2025-01-02T20:00:00Z", valueQuantity={"value": 12, "code": "mg/dL"}),
        observed("718-7", effectiveDateTime="2025-01-02T20:00:00Z", valueQuantity={"value": 112, "code": "g/L"}),
        observed("6690-2", effectiveDateTime="2025-01-02T20:00:00Z", valueQuantity={"value": 9.1, "code": "10*3/uL"}),
        observed("14682-9", effectiveDateTime="2025-01-02T20:00:00Z", valueQuantity={"value": 8842, "code": "nmol/L"}),
        observed("2345-7", effectiveDateTime="2025-01-02T20:00:00Z", valueQuantity={"value": 99, "code": "mg/dL"}),
    ],
}


def write(folder, packed: bool) -> None:
    for kind, rows in FILES.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        if packed:
            (folder / f"{kind}.ndjson.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (folder / f"{kind}.ndjson").write_text(text)


@pytest.fixture(params=[True, False], ids=["gzip", "plain"])
def case(request, tmp_path):
    write(tmp_path, request.param)
    (found,) = read_cohort(tmp_path)
    return found


def test_who_and_which_operation(case):
    assert (case.profile.procedure, case.profile.sex, case.profile.bmi) == ("colectomy", "female", 29.5)
    assert case.profile.age_years == pytest.approx(70.0, abs=0.02)
    assert case.profile.surgery_end_hour_of_day == 12.0
    assert (case.factors.duration_h, case.factors.asa, case.factors.smoker) == (2.5, 3.0, True)


def test_history_and_complications_are_told_apart(case):
    assert (case.factors.copd, case.factors.diabetes) == (True, False)
    assert case.diagnoses == [(72.0, 48.0, "pneumonia")]


def test_the_index_stay_is_no_readmission(case):
    assert (case.readmitted_h, case.died_h) == (192.0, 264.0)


def test_a_fahrenheit_reading_is_read_as_celsius_and_a_gap_is_no_reading(case):
    samples = case.samples["temperature"]
    assert samples.values.tolist() == pytest.approx([37.0, 38.0])
    assert samples.hours.tolist() == [6.5, 8.5]
    assert case.arrived["temperature"].tolist() == [13.0, 13.0]


def test_a_code_the_twin_does_not_follow_is_left_out(case):
    assert set(case.samples) == {"temperature", "pain", "crp", "haemoglobin", "leukocytes"}
    assert case.samples["pain"].tiers.tolist() == [3]


def test_a_laboratory_value_is_brought_to_the_metrics_unit_and_without_one_that_converts_it_is_no_reading(case):
    values = {key: case.samples[key].values.tolist() for key in ("crp", "haemoglobin", "leukocytes")}
    assert values == {"crp": [120.0], "haemoglobin": [pytest.approx(11.2)], "leukocytes": [9.1]}
    assert case.samples["crp"].tiers.tolist() == [1]


def test_the_hash_is_of_the_content_not_of_the_packing(tmp_path):
    for name, packed in (("a", True), ("b", False)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, packed)
    assert data_hash(tmp_path / "a") == data_hash(tmp_path / "b")
    (tmp_path / "b" / "Patient.ndjson").write_text("{}\n")
    assert data_hash(tmp_path / "a") != data_hash(tmp_path / "b")
