"""What a CDS card is made of: who the patient is here, and what the current snapshot and the open alerts say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q
from django.db.models.fields.json import KeyTransform

from recovery.models import Alert, Card, Document, DocumentIndex, Episode, Patient, Snapshot, TrustedEhr
from recovery.selectors.alerts import AlertSeen, alert_seen
from recovery.selectors.people import Operation, Person, operation_of, person_of
from recovery.selectors.snapshot import Said
from recovery.selectors.snapshot_json import read_snapshot

MOST_IDENTIFIERS = 20
SAID_ON_A_CARD = ("state", "sentence", "reasons", "procedure_label", "day", "hour", "risks", "milestones")


@dataclass(frozen=True, slots=True)
class KnownPatient:
    """`sender_id`: row of the connected system that sent the Patient last; None when it was no connected system."""

    row_id: int
    fhir_id: str
    birth_date: date | None
    sex: str
    died: bool
    sender_id: int | None


@dataclass(frozen=True, slots=True)
class Followed:
    """The operation whose recovery is followed now. `said` None: nothing has been computed yet."""

    episode_id: int
    person: Person
    operation: Operation
    said: Said | None
    alerts: tuple[AlertSeen, ...]


@dataclass(frozen=True, slots=True)
class Ehr:
    """An EHR that signs its calls, and the connected system whose scopes it has."""

    row_id: int
    connection_id: int
    name: str
    scopes: str
    issuer: str
    jwks: dict[str, Any]
    jwks_url: str


@dataclass(frozen=True, slots=True)
class CardFate:
    """Of one service: how often its cards were shown, taken up, and put aside."""

    service: str
    shown: int
    accepted: int
    overridden: int


def patients_identified(identifiers: Collection[tuple[str, str]]) -> list[KnownPatient]:
    """The patients who have one of these identifiers (system, value), each once. A value alone identifies nobody."""
    usable = [one for one in identifiers if all(one)][:MOST_IDENTIFIERS]
    if not usable:
        return []
    wanted = Q()
    for system, value in usable:
        wanted |= Q(system=system, value=value)
    entries = DocumentIndex.objects.filter(wanted, type="Patient", param="identifier")
    return _known(Document.objects.filter(pk__in=entries.values("document_id")).defer("content"))


def patient_by_id(fhir_id: str) -> KnownPatient | None:
    return next(iter(_known(Document.objects.filter(fhir_id=fhir_id))), None)


def _known(documents: Any) -> list[KnownPatient]:
    rows = documents.filter(type="Patient", deleted=False, patient__deleted_at__isnull=True)
    return [
        _patient(row.patient, row.batch.connection_id if row.batch else None)
        for row in rows.select_related("patient", "batch").order_by("pk")
        if row.patient is not None
    ]


def _patient(row: Patient, sender_id: int | None) -> KnownPatient:
    return KnownPatient(row.pk, row.fhir_id, row.birth_date, row.sex, row.died_at is not None, sender_id)


def followed(patient: KnownPatient) -> Followed | None:
    """The newest operation that is being followed; None when there is none."""
    rows = Episode.objects.filter(patient_id=patient.row_id, status=Episode.Status.ACTIVE, surgery_end__isnull=False)
    episode = rows.select_related("team", "patient").order_by(F("surgery_end").desc(), "-pk").first()
    if episode is None:
        return None
    standing = Alert.objects.filter(episode=episode, status__in=[Alert.Status.OPEN, Alert.Status.ACKNOWLEDGED])
    alerts = standing.select_related("owner").prefetch_related("transitions").order_by("-raised_at")
    return Followed(
        episode.pk,
        person_of(episode.patient),
        operation_of(episode),
        _said(episode.pk),
        tuple(alert_seen(row) for row in alerts),
    )


def _said(episode_id: int) -> Said | None:
    """The current snapshot without its metrics and curves, which are nine tenths of it: an EHR waits for the card."""
    row = (
        Snapshot.objects.filter(episode_id=episode_id, current=True)
        .annotate(**{f"said_{name}": KeyTransform(name, "content") for name in SAID_ON_A_CARD})
        .values("made_at", "data_until", "model_version", *(f"said_{name}" for name in SAID_ON_A_CARD))
        .first()
    )
    if row is None:
        return None
    content = {name: row[f"said_{name}"] for name in SAID_ON_A_CARD}
    return read_snapshot(
        content, made_at=row["made_at"], data_until=row["data_until"], model_version=row["model_version"]
    )


def ehr_by_issuer(issuer: str, now: datetime) -> Ehr | None:
    """None as well when its connected system was revoked or has expired."""
    row = TrustedEhr.objects.select_related("connection").filter(issuer=issuer[:300]).first()
    if row is None or row.connection.revoked_at is not None:
        return None
    if row.connection.expires_at is not None and row.connection.expires_at <= now:
        return None
    return Ehr(
        row.pk, row.connection_id, row.connection.name, row.connection.scopes, row.issuer, row.jwks, row.jwks_url
    )


def fates(*, since: datetime) -> list[CardFate]:
    """What became of the cards shown since then, by service."""
    counted: dict[str, list[int]] = {}
    for service, outcome in Card.objects.filter(shown_at__gte=since).values_list("service", "outcome"):
        tally = counted.setdefault(service, [0, 0, 0])
        tally[0] += 1
        tally[1] += outcome == "accepted"
        tally[2] += outcome == "overridden"
    return [CardFate(service, *tally) for service, tally in sorted(counted.items())]


def overrides(*, since: datetime) -> Sequence[tuple[str, int]]:
    """Why cards were put aside: (reason, how often), the most frequent first."""
    reasons: dict[str, int] = {}
    rows = Card.objects.filter(shown_at__gte=since, outcome="overridden").values_list("reason", flat=True)
    for reason in rows:
        reasons[reason] = reasons.get(reason, 0) + 1
    return sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
