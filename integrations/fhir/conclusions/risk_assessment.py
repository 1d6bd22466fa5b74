"""RiskAssessment: the risks of the current snapshot of an episode, as the chart and the portal show them. Pure.

One resource per episode (its id is the episode's key, its version the time of the snapshot in ms: within the hour a
snapshot is rewritten in place). Probabilities are per cent, as R4
defines probabilityDecimal; each has its interval and reasons. Where the twin abstains there is no number but why.
`basis` names the operation and the newest reading of each metric that the snapshot stands on.
"""

from datetime import timedelta
from typing import Any

from integrations.fhir.conclusions.codes import ABSENT, PRODUCT, method, profile, readings_used
from integrations.fhir.conclusions.concluded import with_head
from integrations.fhir.primitives import to_ms
from recovery.selectors.fhir_risks import EpisodeSaid
from recovery.selectors.snapshot import Risk
from recovery.services.documents import instant

INTERVAL = profile("probability-interval")
OUTCOMES = "https://twinweb.example/CodeSystem/outcome"


def version_of(found: EpisodeSaid) -> int:
    return to_ms(found.said.made_at)


def risk_assessment(found: EpisodeSaid) -> dict[str, Any]:
    said = found.said
    evidence = sorted({risk.evidence for risk in said.risks if risk.evidence})
    body = {
        "status": "final",
        "method": method(said.model_version),
        "subject": {"reference": f"Patient/{found.patient_fhir_id}"},
        "occurrenceDateTime": instant(said.made_at),
        "performer": {"display": PRODUCT},
        "basis": [{"reference": f"Procedure/{found.procedure_id}"}, *readings_used(said)],
        "prediction": [_prediction(risk, found) for risk in said.risks],
        "note": [{"text": one} for one in _notes(found, evidence)],
    }
    key, at = str(found.episode_key), instant(said.made_at)
    return with_head("RiskAssessment", key, version_of(found), at, body, profile("recovery-risk"))


def _prediction(risk: Risk, found: EpisodeSaid) -> dict[str, Any]:
    made_at = found.said.made_at
    said: dict[str, Any] = {
        "outcome": {"coding": [{"system": OUTCOMES, "code": risk.outcome}], "text": risk.label},
        "whenPeriod": {"start": instant(made_at), "end": instant(made_at + timedelta(hours=risk.horizon_h))},
    }
    if risk.probability is None:
        said["_probabilityDecimal"] = {"extension": [{"url": ABSENT, "valueCode": "as-text"}]}
        said["rationale"] = f"Not estimated: {risk.abstained or 'no reason was given'}"
        return said
    said["probabilityDecimal"] = _percent(risk.probability)
    if risk.low is not None and risk.high is not None:
        bounds = {"low": {"value": _percent(risk.low)}, "high": {"value": _percent(risk.high)}}
        said["extension"] = [{"url": INTERVAL, "valueRange": bounds}]
    reasons = "; ".join(reason.text for reason in risk.reasons if reason.text)
    return {**said, "rationale": reasons} if reasons else said


def _percent(probability: float) -> float:
    return round(min(max(probability, 0.0), 1.0) * 100, 2)


def _notes(found: EpisodeSaid, evidence: list[str]) -> list[str]:
    until = found.said.data_until
    age = f"Readings until {instant(until)}." if until else "No reading has arrived yet."
    return [age, *evidence]
