"""What a document tells the domain: a Patient, an episode, a device or a finding. One pure mapper per type."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from integrations.fhir import codes
from integrations.fhir.documents.gait_aids import observed_aid, used_aid
from integrations.fhir.documents.opioids import opioid_of
from integrations.fhir.documents.paths import first, text, values_at
from integrations.fhir.documents.surgeon import surgeon_of
from integrations.fhir.primitives import from_ms, moment_of, span
from integrations.fhir.streams.shape import codings_of
from recovery.services.intake import DeviceFacts, EpisodeFacts, Facts, FindingFacts, PatientFacts

Json = Mapping[str, Any]

# R4 event-status of a Procedure -> Episode.Status. A completed operation begins the recovery that we follow.
_EPISODE_STATUS = {
    "preparation": "planned",
    "in-progress": "active",
    "on-hold": "planned",
    "completed": "active",
    "stopped": "active",
    "unknown": "planned",
    "not-done": "cancelled",
    "entered-in-error": "cancelled",
}
# v3-ActCode encounter classes that are a stay in hospital
_STAYS = {"IMP": "inpatient", "ACUTE": "inpatient", "NONAC": "inpatient", "SS": "inpatient", "OBSENC": "inpatient"}
_STAYS |= {"EMER": "emergency"}
_OUR_TIMES = range(1900, 2200)
_NOT_TRUE = frozenset(("refuted", "entered-in-error"))
_NO_STAY = frozenset(("planned", "cancelled", "entered-in-error"))


def facts_of(type_name: str, resource: Json) -> Facts | None:
    """The facts in a *valid* resource, or None when the domain has no use for it."""
    mapper = _MAPPERS.get(type_name)
    return mapper(resource) if mapper else None


def _patient(resource: Json) -> PatientFacts:
    tags = [tag for tag in values_at(resource, "meta.tag") if tag.get("system") == codes.ORIGIN]
    labels = {(one.get("system"), one.get("code")) for one in values_at(resource, "meta.security")}
    return PatientFacts(
        record_number=_record_number(resource),
        family_name=text(resource, "name.family", "name.text"),
        given_name=" ".join(given for given in values_at(_official_name(resource), "given") if isinstance(given, str)),
        birth_date=_full_date(resource.get("birthDate")),
        sex=resource.get("gender", "unknown"),
        died_at=_moment(resource.get("deceasedDateTime")),
        is_synthetic=codes.TEST_DATA in labels,
        origin=next((str(tag.get("display") or tag.get("code") or "") for tag in tags), ""),
    )


def _official_name(resource: Json) -> Json:
    names = list(values_at(resource, "name"))
    return next((name for name in names if name.get("use") == "official"), names[0] if names else {})


def _record_number(resource: Json) -> str:
    """The identifier typed MR (HL7 v2-0203), or else the first one."""
    held = list(values_at(resource, "identifier"))
    typed = [one for one in held if any(code == "MR" for _, code in codings_of(one.get("type")))]
    return next((str(one["value"]) for one in (*typed, *held) if "value" in one), "")


def _full_date(said: object) -> date | None:
    """A birth date to the day; a year alone is not turned into a date that nobody said."""
    return date.fromisoformat(said) if isinstance(said, str) and len(said) == 10 else None


def _moment(said: object) -> datetime | None:
    return moment_of(said) if isinstance(said, str) else None


def _end(said: object) -> datetime | None:
    """The end of a period. A day stands for its last moment, a time for itself."""
    if not isinstance(said, str):
        return None
    return moment_of(said) if "T" in said else _last_moment(said)


def _last_moment(said: str) -> datetime:
    return from_ms(span(said).high_ms - 1)


def _procedure(resource: Json) -> EpisodeFacts | None:
    """An operation: a procedure that the twin knows, or one filed as surgical. Others (a blood test) are none."""
    codings = codings_of(resource.get("code"))
    key = codes.procedure_of(codings)
    if not key and codes.SURGICAL_PROCEDURE not in codings_of(resource.get("category")):
        return None
    start, end = _performed(resource)
    title = text(resource, "code.text", "code.coding.display")
    surgeon, surgeon_id = surgeon_of(resource)
    return EpisodeFacts(key, title, start, end, _EPISODE_STATUS[resource["status"]], surgeon, surgeon_id)


def _performed(resource: Json) -> tuple[datetime | None, datetime | None]:
    """Start and end of surgery. A single time to the second is the end: day zero must lie in the past of readings."""
    period = resource.get("performedPeriod")
    if isinstance(period, Mapping):
        return _in_our_times(_moment(period.get("start"))), _in_our_times(_end(period.get("end")))
    single = resource.get("performedDateTime")
    return (None, _in_our_times(_end(single))) if isinstance(single, str) else (None, None)


def _in_our_times(said: datetime | None) -> datetime | None:
    """A time at the ends of the calendar is a way of saying "unknown": nothing can be counted from it."""
    return said if said is not None and said.year in _OUR_TIMES else None


def _device(resource: Json) -> DeviceFacts:
    kinds = codings_of(resource.get("type"))
    tier = "implant" if codes.IMPLANT_TYPES.intersection(kinds) else "consumer"
    if codes.CLEARED_TYPES.intersection(kinds):
        tier = "cleared"
    return DeviceFacts(
        name=text(resource, "deviceName.name", "type.text", "type.coding.display"),
        manufacturer=text(resource, "manufacturer"),
        kind=text(resource, "type.text", "type.coding.display"),
        udi=text(resource, "udiCarrier.carrierHRF", "udiCarrier.deviceIdentifier"),
        tier=tier,
        version=_version(resource),
    )


def _version(resource: Json) -> str:
    """Device.version, each with its type where one is said: "firmware 3.2.1, hardware B"."""
    said = []
    for one in values_at(resource, "version"):
        kind = text(one, "type.text", "type.coding.display")
        said.append(" ".join(part for part in (kind, text(one, "value")) if part))
    return ", ".join(filter(None, said))


def _condition(resource: Json) -> FindingFacts | None:
    """A complication when filed as an encounter diagnosis or when the code can be nothing else; else a comorbidity."""
    status = {code for _, code in codings_of(resource.get("verificationStatus"))}
    if status & _NOT_TRUE:
        return None
    codings = codings_of(resource.get("code"))
    categories = {code for concept in values_at(resource, "category") for _, code in codings_of(concept)}
    complication, comorbidity = codes.complication_of(codings), codes.comorbidity_of(codings)
    is_diagnosis = "encounter-diagnosis" in categories
    is_complication = is_diagnosis or bool(complication and not comorbidity)
    return FindingFacts(
        kind="complication" if is_complication else "comorbidity",
        key=complication if is_complication else comorbidity,
        code=codings[0][1] if codings else "",
        text=text(resource, "code.text", "code.coding.display"),
        onset_at=_moment(first(resource, "onsetDateTime", "onsetPeriod.start")),
        ended_at=_moment(first(resource, "abatementDateTime", "abatementPeriod.start")),
        recorded_at=_moment(resource.get("recordedDate")),
    )


def _encounter(resource: Json) -> FindingFacts | None:
    key = _STAYS.get(text(resource, "class.code"))
    started = _moment(first(resource, "period.start"))
    if key is None or started is None or resource["status"] in _NO_STAY:
        return None
    return FindingFacts(
        kind="stay",
        key=key,
        code=text(resource, "reasonCode.coding.code"),
        text=text(resource, "reasonCode.text", "reasonCode.coding.display", "type.text"),
        onset_at=started,
        ended_at=_end(first(resource, "period.end")),
        recorded_at=started,
    )


def _observation(resource: Json) -> FindingFacts | None:
    """A baseline factor (ASA class, BMI, smoking, blood loss); any other Observation is a measurement."""
    codings = codings_of(resource.get("code"))
    if codes.EQUIPMENT_USED in codings:
        return observed_aid(resource)
    key = next((codes.FACTORS[coding] for coding in codings if coding in codes.FACTORS), "")
    number = _factor_number(key, resource)
    if not key or number is None or resource["status"] in ("entered-in-error", "cancelled"):
        return None
    when = _moment(first(resource, "effectiveDateTime", "effectivePeriod.start", "effectiveInstant"))
    return FindingFacts(
        kind="factor",
        key=key,
        code=codings[0][1],
        text=text(resource, "code.text", "code.coding.display"),
        number=number,
        onset_at=when,
        recorded_at=_moment(resource.get("issued")) or when,
    )


def _factor_number(key: str, resource: Json) -> float | None:
    if key == "smoker":
        answers = codings_of(resource.get("valueCodeableConcept"))
        return next((codes.SMOKES[coding] for coding in answers if coding in codes.SMOKES), None)
    said = resource.get("valueInteger", first(resource, "valueQuantity.value"))
    if said is None or "comparator" in resource.get("valueQuantity", {}):
        return None
    wanted = {"bmi": "kg/m2", "blood_loss_ml": "mL"}.get(key)
    return float(said) if wanted is None or first(resource, "valueQuantity.code") == wanted else None


_MAPPERS: Mapping[str, Callable[[Json], Facts | None]] = {
    "Patient": _patient,
    "Procedure": _procedure,
    "Device": _device,
    "Condition": _condition,
    "Encounter": _encounter,
    "Observation": _observation,
    "DeviceUseStatement": used_aid,
    "MedicationAdministration": opioid_of,
    "MedicationRequest": opioid_of,
    "MedicationStatement": opioid_of,
}
