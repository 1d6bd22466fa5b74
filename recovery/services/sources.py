"""A patient's own sources: which of two is believed, and readings typed in by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction

from recovery import audit, queue
from recovery.audit import Actor
from recovery.consent_rules import CARE, type_of_metric
from recovery.exact_json import ExactDecimal
from recovery.exceptions import Forbidden, Invalid
from recovery.models import ConsentDecision, Patient, Series, SourceChoice
from recovery.ports import ports
from recovery.services.documents import instant
from recovery.services.ingestion import deliver
from recovery.twin.metrics import LOINC, METRICS

CHANNEL = "portal"
UCUM = "http://unitsofmeasure.org"
LATEST = timedelta(minutes=5)  # a phone's clock may run ahead a little
EARLIEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Typed:
    """How a reading is typed in: metric -> code, words, unit as sent, decimals, and the time that it covers."""

    metric: str
    code: str
    words: str
    unit: str
    digits: int
    covers: timedelta = timedelta(0)


TYPED = {
    "temperature": Typed("temperature", "8310-5", "Body temperature", "Cel", 1),
    "temperature_f": Typed("temperature", "8310-5", "Body temperature", "[degF]", 1),
    "heart_rate": Typed("heart_rate", "8867-4", "Heart rate", "/min", 0),
    "pain": Typed("pain", "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported", "{score}", 0),
    "steps": Typed("steps", "41950-7", "Number of steps in 24 hour Measured", "{steps}/d", 0, timedelta(days=1)),
}


def choose_source(*, patient_id: int, metric: str, source: str, actor: Actor, now: datetime) -> None:
    """Believe `source` (as models.Series.source) for this metric from now on and before; blank: whichever is trusted.

    The twin is made anew with it. Raises Invalid for a source that the patient has not.
    """
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient_id)
        mine = Series.objects.filter(patient_id=patient_id, metric=metric)
        if source and not mine.filter(source=source).exists():
            raise Invalid("There is no such device of yours.", field="source")
        SourceChoice.objects.filter(patient_id=patient_id, metric=metric).delete()
        if source:
            SourceChoice.objects.create(patient_id=patient_id, metric=metric, source=source, chosen_at=now)
        queue.owe_twins(dirty={patient_id: None}, now=now)
        detail = {"metric": metric, "source": source}
        audit.record(actor=actor, now=now, action="source_chosen", patient_ids=[patient_id], detail=detail)


def report_reading(*, patient_id: int, kind: str, text: str, at: datetime, actor: Actor, now: datetime) -> None:
    """Take in what the patient read off a thermometer, a clock or a phone, through the door that devices use.

    `kind`: of TYPED; `at`: when it was read, for steps the start of the day. The same reading twice is one.
    Raises Invalid for what cannot be, Forbidden where the patient withdrew that type of data from care.
    """
    typed = TYPED.get(kind)
    if typed is None:
        raise Invalid("This cannot be typed in here.", field="kind")
    _check_consent(patient_id, typed.metric)
    value = _number(text, typed)
    _check_time(at, typed, now)
    patient = Patient.objects.get(pk=patient_id)
    delivery = ports().delivery_of([_observation(patient.fhir_id, typed, value, at)], CHANNEL)
    deliver(delivery=delivery, actor=actor, now=now, atomic=True)


def _check_consent(patient_id: int, metric: str) -> None:
    said_no = ConsentDecision.objects.filter(
        patient_id=patient_id, purpose=CARE, data_type=type_of_metric(metric), allowed=False, until__isnull=True
    )
    if said_no.exists():
        raise Forbidden("You have said that these readings may not be used. Change it under My consent first.")


def _number(text: str, typed: Typed) -> Decimal:
    """As typed, with a comma or a point. Raises Invalid for what no body can have: a slip is asked about at once."""
    try:
        value = Decimal(text.strip().replace(",", ".")).quantize(Decimal(1).scaleb(-typed.digits), ROUND_HALF_UP)
    except ArithmeticError as error:
        raise Invalid("Please type a number.", field="value") from error
    low, high = METRICS[typed.metric].plausible
    shown = (float(value) - 32.0) / 1.8 if typed.unit == "[degF]" else float(value)
    if not low <= shown <= high:
        raise Invalid("This number cannot be right. Please look again.", field="value")
    return value


def _check_time(at: datetime, typed: Typed, now: datetime) -> None:
    if at + typed.covers > now + LATEST:
        raise Invalid("This time has not come yet.", field="at")
    if at < now - EARLIEST:
        raise Invalid("Please type in readings of the last 7 days only.", field="at")


def _observation(patient: str, typed: Typed, value: Decimal, at: datetime) -> dict[str, Any]:
    number: int | ExactDecimal = ExactDecimal(str(value)) if typed.digits else int(value)
    start = instant(at.astimezone(UTC).replace(microsecond=0))
    time: dict[str, Any] = {"effectiveDateTime": start}
    if typed.covers:
        time = {"effectivePeriod": {"start": start, "end": instant((at + typed.covers).astimezone(UTC))}}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": typed.code, "display": typed.words}]},
        "subject": {"reference": f"Patient/{patient}"},
        "performer": [{"reference": f"Patient/{patient}"}],
        **time,
        "valueQuantity": {"value": number, "unit": typed.unit, "system": UCUM, "code": typed.unit},
    }
