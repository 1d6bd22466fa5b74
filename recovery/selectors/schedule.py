"""Operations that are announced and that no team has taken yet: what the EHR said over FHIR."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db.models import Count, Q

from recovery.exact_json import loads
from recovery.models import Alert, Document, DocumentIndex, Episode, Patient, User
from recovery.permissions import user_can_see_schedule
from recovery.selectors.people import Person, person_of
from recovery.twin.profile import CATALOGUE, PROCEDURES, SNOMED, procedure_for_snomed

MOST = 100
LOOK_BACK = timedelta(days=2)
LOOK_AHEAD = timedelta(days=60)
SAME = timedelta(days=14)
# What announces a stay or an operation, and the search parameter that says when.
ANNOUNCES = {"ServiceRequest": "occurrence", "Encounter": "date"}
TICKET, TICKET_LASTS = "enrol", timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Announced:
    """`episode`: the operation is here as a Procedure and only wants a team. Otherwise `ticket` fills the form."""

    person: Person
    patient_id: int
    what: str
    procedure: str
    at: datetime | None
    source: str
    episode: UUID | None = None
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Nobodys:
    """Patients in recovery whom no team has: their open alerts are told to nobody until somebody takes them."""

    patients: int
    alerts: int


def nobodys(user: User, now: datetime) -> Nobodys | None:
    """Counts only, for leads, who may take them over; None where there are none. One query."""
    if user.role != User.Role.LEAD or not user_can_see_schedule(user, now):
        return None
    theirs = Episode.objects.filter(team__isnull=True, status="active", patient__deleted_at__isnull=True)
    found = theirs.aggregate(
        patients=Count("patient", distinct=True),
        alerts=Count("alerts", filter=Q(alerts__status=Alert.Status.OPEN), distinct=True),
    )
    return Nobodys(**found) if found["patients"] else None


def announced(user: User, now: datetime) -> tuple[Announced, ...]:
    """Soonest first; empty for whoever may not see the schedule. Four queries, however many rows."""
    if not user_can_see_schedule(user, now):
        return ()
    rows = [*_operations(), *_requests(now)]
    return tuple(sorted(rows, key=lambda row: (row.at is None, row.at or now, row.person.name))[:MOST])


def _operations() -> list[Announced]:
    """Procedures that arrived and lie with the intake team, or with nobody."""
    rows = (
        Episode.objects.filter(Q(team__isnull=True) | Q(team__key=settings.INTAKE_TEAM))
        .filter(status__in=["planned", "active"], patient__deleted_at__isnull=True)
        .select_related("patient")
        .order_by("-surgery_end", "-pk")[:MOST]
    )
    return [
        Announced(
            person=person_of(row.patient),
            patient_id=row.patient_id,
            what=row.procedure_text or label_of(row.procedure),
            procedure=row.procedure,
            at=row.surgery_end,
            source="Procedure",
            episode=row.key,
        )
        for row in rows
    ]


def _requests(now: datetime) -> list[Announced]:
    window = int((now - LOOK_BACK).timestamp() * 1000), int((now + LOOK_AHEAD).timestamp() * 1000)
    # A stay without an end has none in the index either: it is then its beginning that must lie in the window.
    times = DocumentIndex.objects.filter(low_ms__gte=window[0], low_ms__lte=window[1])
    which = Q()
    for kind, param in ANNOUNCES.items():
        which |= Q(type=kind, param=param)
    ids = times.filter(which).order_by("low_ms").values_list("document_id", flat=True)[: MOST * 3]
    documents = Document.objects.filter(pk__in=list(ids), deleted=False, patient__deleted_at__isnull=True)
    found = [_request(row, loads(row.content), now) for row in documents.select_related("patient")]
    wanted = [one for one in found if one is not None]
    taken = _taken({one.patient_id for one in wanted})
    return [one for one in wanted if not _is_taken(one, taken.get(one.patient_id, ()))]


def _request(row: Document, said: Mapping[str, Any], now: datetime) -> Announced | None:
    """None for what is no coming operation: a stay that has begun, a request that was withdrawn or is no operation."""
    at = _time(said)
    if at is None or at < now - LOOK_BACK or row.patient is None:
        return None
    if row.type == "Encounter":
        if said.get("status") != "planned" or said.get("class", {}).get("code") not in ("IMP", "ACUTE", "SS"):
            return None
        code: Mapping[str, Any] = next(iter(said.get("reasonCode", ())), {})
    else:
        if said.get("status") not in ("active", "draft"):
            return None
        code = said.get("code", {})
    procedure = procedure_in(code)
    if row.type == "ServiceRequest" and not procedure and not _is_surgical(said):
        return None
    text = str(code.get("text") or label_of(procedure) or "Planned stay")
    return Announced(
        person=person_of(row.patient),
        patient_id=row.patient.pk,
        what=text,
        procedure=procedure,
        at=at,
        source=row.type,
        ticket=ticket_of(row.patient, procedure, text, at),
    )


def ticket_of(patient: Patient, procedure: str, text: str, at: datetime) -> str:
    said = {"patient": patient.pk, "procedure": procedure, "text": text[:200], "at": at.isoformat()}
    return signing.dumps(said, salt=TICKET)


def read_ticket(user: User, ticket: str, now: datetime) -> tuple[Patient, Mapping[str, Any]] | None:
    """Whom a row of the schedule is about; None for a stale or foreign one, or who may not see the schedule."""
    if not ticket or not user_can_see_schedule(user, now):
        return None
    try:
        said = signing.loads(ticket, salt=TICKET, max_age=TICKET_LASTS)
    except signing.BadSignature:
        return None
    patient = Patient.objects.filter(pk=said["patient"], deleted_at__isnull=True).first()
    return (patient, said) if patient else None


def procedure_in(code: Mapping[str, Any]) -> str:
    """Key of the catalogue, or blank."""
    codings = [(one.get("system"), str(one.get("code", ""))) for one in code.get("coding", ())]
    ours = [value for system, value in codings if system == CATALOGUE and value in PROCEDURES]
    known = [procedure_for_snomed(value) for system, value in codings if system == SNOMED]
    return next(iter(ours), "") or next((one.key for one in known if one), "")


def label_of(key: str) -> str:
    return PROCEDURES[key].label if key in PROCEDURES else ""


def _is_surgical(said: Mapping[str, Any]) -> bool:
    categories = [one for concept in said.get("category", ()) for one in concept.get("coding", ())]
    return any(one.get("code") in ("387713003", "394609007") for one in categories)


def _time(said: Mapping[str, Any]) -> datetime | None:
    period = said.get("occurrencePeriod") or said.get("period") or {}
    text = said.get("occurrenceDateTime") or period.get("start")
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _taken(patients: Iterable[int]) -> dict[int, list[datetime | None]]:
    rows = Episode.objects.filter(patient_id__in=set(patients)).exclude(status__in=["cancelled", "finished"])
    taken: dict[int, list[datetime | None]] = {}
    for patient_id, end in rows.values_list("patient_id", "surgery_end"):
        taken.setdefault(patient_id, []).append(end)
    return taken


def _is_taken(one: Announced, ends: Iterable[datetime | None]) -> bool:
    return any(end is None or one.at is None or abs(end - one.at) <= SAME for end in ends)
