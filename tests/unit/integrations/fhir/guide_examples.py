"""The conclusions that the guide shows, rendered by the views from one synthetic episode.

`DJANGO_SETTINGS_MODULE=twinweb.settings python -m tests.unit.integrations.fhir.guide_examples` writes them anew.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

AT = datetime(2026, 1, 9, 12, tzinfo=UTC)
DAY_ZERO = datetime(2026, 1, 6, 10, tzinfo=UTC)
KEY = UUID("6a0ad0f6-6c9c-4b6f-9a1f-0b8a3f0f9b11")
FOLDER = Path(__file__).resolve().parents[4] / "docs" / "fhir" / "examples"
MODEL = "cold-start-1/published-1"

MILESTONE = {"key": "steps_1000", "label": "1,000 steps a day", "metric": "steps", "unit": "/d", "target": 1000.0}
MILESTONE |= {"direction": "up", "from_day": 4, "early": 4, "median": 6, "late": 15, "probability": 0.97}
MILESTONE |= {"reached": 0.2, "achieved": False, "personal": True, "source": "Clinical reference 1.2"}
HEART = {"label": "Heart rate", "unit": "/min", "now": 92.0, "now_at": AT.isoformat(), "expected": 84.0}
HEART |= {"low90": 75.0, "high90": 93.0, "norm": 83.0, "deviation": 1.4, "reading": "example-heart-rate"}
HEART |= {"gates": {"accepted": 70, "down_weighted": 2, "rejected": 1}}
BREATH = {"label": "Respiratory rate", "unit": "/min", "now": 18.0, "deviation": None, "reading": ""}


def said() -> Any:
    """A synthetic snapshot: one estimate, one abstention, one milestone, two metrics, one of them silent."""
    from recovery.selectors.snapshot_json import read_snapshot
    from recovery.twin.incidence import LABELS

    reason = {"text": "respiratory rate 4 /min above own expected curve for 6 h", "direction": "raises"}
    estimate = {"outcome": "complication", "label": LABELS["complication"], "horizon_h": 168, "probability": 0.12}
    estimate |= {"low": 0.07, "high": 0.19, "reasons": [{**reason, "contribution": 1}]}
    abstained = {"outcome": "vte", "label": LABELS["vte"], "horizon_h": 72, "abstained": "no reading for 24 h"}
    content = {"state": "watch", "sentence": "Heart rate above the own expected course.", "day": 3}
    content |= {"risks": [estimate, abstained], "milestones": [MILESTONE]}
    content |= {"metrics": {"heart_rate": HEART, "respiratory_rate": BREATH}, "reasons": ["Heart rate 8 /min above."]}
    return read_snapshot(content, made_at=AT, data_until=AT, model_version=MODEL)


def rendered() -> dict[str, dict[str, Any]]:
    """Name of the file -> resource."""
    from integrations.fhir.conclusions import care_plan, detected_issue, flag, goal, provenance, recovery_index
    from integrations.fhir.conclusions.audit_event import audit_event
    from integrations.fhir.conclusions.risk_assessment import risk_assessment
    from recovery.selectors.fhir_alerts import AlertSaid
    from recovery.selectors.fhir_arrivals import ArrivalSaid
    from recovery.selectors.fhir_audit import AuditSaid
    from recovery.selectors.fhir_days import DaySaid
    from recovery.selectors.fhir_plans import PlanSaid
    from recovery.selectors.fhir_risks import EpisodeSaid

    found = said()
    alert = AlertSaid(1, 2, AT, KEY, "operation", 1, "example", alert_seen(), 3)
    day = DaySaid(1, 3, datetime(2026, 1, 9, 10, tzinfo=UTC), False, KEY, "operation", 1, "example", found)
    who = (1, KEY, "operation", "Total knee replacement", 1, "example")
    plan = PlanSaid(*who, "active", DAY_ZERO, 30, "Knee replacement", "knee", 1, "Ward 7", "UTC", AT, found)
    targets = ("Observation/implant-rom-day3", "Observation/implant-speed-day3")
    came = ArrivalSaid(7, 41, "fhir", AT, "implant gateway", "connection", 1, "example", targets, ("Device/implant",))
    search = {"query": "patient=example&code=8867-4"}
    row = (9, AT, "connection", "ehr", "search", "Observation", "success", "3f0f7b6e93a6", 1, "example")
    return {
        "RiskAssessment-example": risk_assessment(EpisodeSaid(1, 1, KEY, "operation", 1, "example", found)),
        "DetectedIssue-example": detected_issue.detected_issue(alert),
        "Flag-example": flag.flag(alert),
        "CarePlan-example": care_plan.care_plan(plan),
        "Goal-example": goal.goal(plan, plan.milestones[0]),
        "Observation-recovery-index": recovery_index.recovery_index(day),
        "Provenance-arrival": provenance.arrival(came),
        "Provenance-conclusion": provenance.conclusion(plan, found),
        "AuditEvent-query": audit_event(AuditSaid(*row, search)).resource,
    }


def alert_seen() -> Any:
    from recovery.selectors.alerts import AlertSeen, Step

    return AlertSeen(
        key=KEY,
        version=2,
        kind="physiological",
        severity="high",
        status="acknowledged",
        headline="Several readings off their own course",
        because=("respiratory rate 6 /min above own expected curve for 5 h",),
        suggestions=(),
        raised_at=AT,
        last_hit_at=AT,
        hits=1,
        snoozed_until=None,
        resolved_at=None,
        outcome="",
        owner="nurse",
        steps=(Step(AT, "open", "twinweb", ""), Step(AT, "acknowledged", "nurse", "")),
    )


if __name__ == "__main__":
    import django

    django.setup()
    from recovery.exact_json import dumps

    for name, example in rendered().items():
        text = json.dumps(json.loads(dumps(example)), indent=2, ensure_ascii=False) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
