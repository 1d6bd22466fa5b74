"""Provenance: who brought which readings and documents of a patient, and on what the twin's conclusions stand. Pure.

One per delivery and patient, and one per episode for the current snapshot (model version, readings used). `patient` is
an extension of our guide, so that a patient's own are found although their targets are many: R5's own element under its
cross-version address is refused by R4 validators that hold no R5 definitions.
"""

from typing import Any

from integrations.fhir.conclusions.codes import BASE, PRODUCT, Json, profile, readings_used
from integrations.fhir.conclusions.concluded import with_head
from integrations.fhir.conclusions.goal import goal_id
from integrations.fhir.primitives import DEVICE_REFERENCE, to_ms
from recovery.selectors.fhir_arrivals import ArrivalSaid
from recovery.selectors.fhir_plans import PlanSaid
from recovery.selectors.snapshot import Said
from recovery.services.documents import instant

PATIENT = profile("provenance-patient")
OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
TRANSMITTER = "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type"
ARRIVAL, CONCLUSION = "arrival-", "twin-"


def arrival(found: ArrivalSaid) -> dict[str, Any]:
    body = {
        "extension": [_patient(found.patient_fhir_id)],
        "target": [{"reference": one} for one in found.targets],
        "recorded": instant(found.received_at),
        "activity": {"coding": [{"system": OPERATIONS, "code": "CREATE", "display": "create"}]},
        "agent": [_sender(found), *(_device(one) for one in found.sources if DEVICE_REFERENCE.fullmatch(one))],
        "entity": [{"role": "source", "what": _batch(found)}],
    }
    at = instant(found.received_at)
    return with_head("Provenance", f"{ARRIVAL}{found.row_id}", 1, at, body, profile("arrival-provenance"))


def conclusion(found: PlanSaid, said: Said) -> dict[str, Any]:
    """Of what the current snapshot says: the risks, the plan and its goals."""
    targets = [f"RiskAssessment/{found.key}", f"CarePlan/{found.key}"]
    targets += [f"Goal/{goal_id(found, one)}" for one in found.milestones]
    model = {"system": f"{BASE}/model", "value": said.model_version}
    assembler = {"coding": [{"system": PARTICIPANTS, "code": "assembler", "display": "Assembler"}]}
    sources = [{"reference": f"Procedure/{found.procedure_id}"}, *readings_used(said)]
    body = {
        "extension": [_patient(found.patient_fhir_id)],
        "target": [{"reference": one} for one in targets],
        "occurredDateTime": instant(said.made_at),
        "recorded": instant(said.made_at),
        "activity": {"coding": [{"system": OPERATIONS, "code": "UPDATE", "display": "revise"}]},
        "agent": [{"type": assembler, "who": {"identifier": model, "display": f"{PRODUCT} {said.model_version}"}}],
        "entity": [{"role": "source", "what": one} for one in sources],
    }
    at = said.made_at
    name = f"{CONCLUSION}{found.key}"
    return with_head("Provenance", name, to_ms(at), instant(at), body, profile("conclusion-provenance"))


def _patient(fhir_id: str) -> Json:
    return {"url": PATIENT, "valueReference": {"reference": f"Patient/{fhir_id}"}}


def _sender(found: ArrivalSaid) -> Json:
    """The system that sent it: our own Connection of that name, which has no resource."""
    kind = {"coding": [{"system": TRANSMITTER, "code": "transmitter", "display": "Transmitter"}]}
    identifier = {"system": f"{BASE}/{found.sender_kind or 'sender'}", "value": found.sender or "unknown"}
    return {"type": kind, "who": {"identifier": identifier, "display": found.sender or "unknown"}}


def _device(reference: str) -> Json:
    kind = {"coding": [{"system": PARTICIPANTS, "code": "performer", "display": "Performer"}]}
    return {"type": kind, "who": {"reference": reference}}


def _batch(found: ArrivalSaid) -> Json:
    identifier = {"system": f"{BASE}/batch", "value": str(found.batch_id)}
    return {"identifier": identifier, "display": f"Delivery {found.batch_id} by {found.channel}"}
