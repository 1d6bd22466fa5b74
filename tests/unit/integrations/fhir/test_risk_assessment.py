"""A RiskAssessment says what the snapshot says, in R4's units, and nothing where the twin abstains."""

from datetime import UTC, datetime
from uuid import UUID

from integrations.fhir import validation
from integrations.fhir.conclusions.risk_assessment import INTERVAL, risk_assessment
from integrations.fhir.wire import parse_object
from recovery.exact_json import dumps
from recovery.selectors.fhir_risks import EpisodeSaid
from recovery.selectors.snapshot_json import read_snapshot

AT = datetime(2026, 1, 9, 12, tzinfo=UTC)
KEY = UUID("6a0ad0f6-6c9c-4b6f-9a1f-0b8a3f0f9b11")


def found(*risks: dict[str, object]) -> EpisodeSaid:
    said = read_snapshot({"risks": list(risks)}, made_at=AT, data_until=AT, model_version="m1")
    return EpisodeSaid(7, 3, KEY, "op1", 1, "p1", said)


def estimate(**changes: object) -> dict[str, object]:
    reasons = [{"text": "respiratory rate 4 /min above own curve", "direction": "up", "contribution": 0.8}]
    risk = {
        "outcome": "pneumonia",
        "label": "pneumonia",
        "horizon_h": 72,
        "probability": 0.0831,
        "low": 0.031,
        "high": 0.2,
    }
    return {**risk, "reasons": reasons, "evidence": "fitted on a synthetic cohort", **changes}


def test_a_risk_is_a_prediction_in_per_cent_with_its_interval_time_and_reasons() -> None:
    resource = risk_assessment(found(estimate()))
    prediction = resource["prediction"][0]
    assert prediction["probabilityDecimal"] == 8.31
    assert prediction["whenPeriod"] == {"start": "2026-01-09T12:00:00.000Z", "end": "2026-01-12T12:00:00.000Z"}
    assert prediction["rationale"] == "respiratory rate 4 /min above own curve"
    bounds = {"low": {"value": 3.1}, "high": {"value": 20.0}}
    assert prediction["extension"] == [{"url": INTERVAL, "valueRange": bounds}]
    assert {"text": "fitted on a synthetic cohort"} in resource["note"]


def test_where_the_twin_abstains_there_is_no_number_but_why() -> None:
    prediction = risk_assessment(found(estimate(probability=None, abstained="no data for 12 h")))["prediction"][0]
    assert prediction["_probabilityDecimal"]["extension"][0]["valueCode"] == "as-text"
    assert "probabilityDecimal" not in prediction and prediction["rationale"] == "Not estimated: no data for 12 h"


def test_it_is_valid_fhir_and_points_at_the_patient_and_the_operation() -> None:
    for risks in ((), (estimate(), estimate(probability=None))):
        resource = parse_object(dumps(risk_assessment(found(*risks))).encode())
        assert validation.check(resource) == "RiskAssessment"
        assert resource["subject"] == {"reference": "Patient/p1"} and resource["basis"] == [
            {"reference": "Procedure/op1"}
        ]
