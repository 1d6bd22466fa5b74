"""What a patient may know about their own record: who used it, which models did, and all of it to take away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min
from django.db.models.functions import TruncDay

from recovery.models import (
    AuditEvent,
    CaregiverGrant,
    Device,
    ErasureRequest,
    Sample,
    Series,
    Snapshot,
    TeamMembership,
    User,
)
from recovery.twin.metrics import METRICS

WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Use:
    """What one person or system did of one kind on one day, `times` times, the last at `last`.

    `role`: clinician, lead, administrator, patient, caregiver, connection or system. `place`: the team, or what a
    caregiver is to the patient. `refused`: it was not allowed.
    """

    day: datetime
    last: datetime
    role: str
    name: str
    place: str
    action: str
    refused: bool
    times: int


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One pair of models ("population/hazard") that computed with the patient's data."""

    version: str
    first: datetime
    last: datetime
    times: int


@dataclass(frozen=True, slots=True)
class OwnReading:
    at: datetime
    measure: str
    value: float
    unit: str
    source: str
    received_at: datetime
    sealed: bool


@dataclass(frozen=True, slots=True)
class ErasureSeen:
    """`status` as models.ErasureRequest.Status."""

    status: str
    asked_at: datetime
    answered_at: datetime | None
    reason: str
    review_on: str


def uses_of(patient_id: int, until: datetime, zone: ZoneInfo) -> tuple[Use, ...]:
    """Every use in the 30 days before `until`, counted by day, newest first."""
    rows = AuditEvent.objects.filter(patient_id=patient_id, at__lte=until, at__gt=until - WINDOW)
    counted = (
        rows.annotate(day=TruncDay("at", tzinfo=zone))
        .values_list("day", "actor_kind", "actor_id", "actor_name", "action", "outcome")
        .annotate(times=Count("pk"), last=Max("at"))
        .order_by("-day", "-last")
    )
    found = list(counted)
    people = _people({row[2] for row in found if row[1] == "user" and row[2] is not None}, patient_id)
    return tuple(_use(row, people) for row in found)


def _use(row: tuple, people: Mapping[int, tuple[str, str, str]]) -> Use:
    day, kind, actor_id, name, action, outcome, times, last = row
    role, shown, place = people.get(actor_id, ("user", name, "")) if kind == "user" else (kind, name, "")
    return Use(day, last, role, shown, place, action, outcome != "success", times)


def _people(ids: set[int], patient_id: int) -> dict[int, tuple[str, str, str]]:
    """User id -> (role, name, team or relation)."""
    teams = dict(
        TeamMembership.objects.filter(user_id__in=ids, until__isnull=True).values_list("user_id", "team__name")
    )
    kin = dict(CaregiverGrant.objects.filter(user_id__in=ids, patient_id=patient_id).values_list("user_id", "relation"))
    rows = User.objects.filter(pk__in=ids)
    return {
        row.pk: (row.role, row.get_full_name() or row.username, kin.get(row.pk) or teams.get(row.pk, ""))
        for row in rows
    }


def earliest_use(patient_id: int) -> datetime | None:
    return AuditEvent.objects.filter(patient_id=patient_id).aggregate(first=Min("at"))["first"]


def models_of(patient_id: int) -> tuple[ModelUse, ...]:
    """Which models computed with this patient's data, the newest first."""
    rows = (
        Snapshot.objects.filter(episode__patient_id=patient_id)
        .values_list("model_version")
        .annotate(first=Min("made_at"), last=Max("made_at"), times=Count("pk"))
        .order_by("-last")
    )
    return tuple(ModelUse(*row) for row in rows)


def own_readings(patient_id: int) -> Iterator[OwnReading]:
    """Every reading that stands, oldest first, what is sealed too: it is the patient's own."""
    mine = Series.objects.filter(patient_id=patient_id)
    series = {row.pk: row for row in mine}
    sealed = set(mine.sealed().values_list("pk", flat=True))
    names = dict(Device.objects.filter(patient_id=patient_id).values_list("fhir_id", "name"))
    rows = Sample.objects.known_at(None).filter(series_id__in=series).order_by("at_ms", "series_id", "value")
    for pk, at_ms, value, received in rows.values_list("series_id", "at_ms", "value", "batch__received_at").iterator(
        chunk_size=2_000
    ):
        own = series[pk]
        yield OwnReading(
            at=datetime.fromtimestamp(at_ms / 1000, UTC),
            measure=METRICS[own.metric].label if own.metric in METRICS else own.code,
            value=round(value * own.scale + own.shift, 6),
            unit=METRICS[own.metric].unit if own.metric in METRICS else own.unit,
            source=names.get(own.source.rpartition("/")[2]) or own.source,
            received_at=received,
            sealed=pk in sealed,
        )


def erasure_of(patient_id: int) -> ErasureSeen | None:
    """The newest request of this patient."""
    row = ErasureRequest.objects.filter(patient_id=patient_id).order_by("-asked_at", "-pk").first()
    if row is None:
        return None
    review = row.review_on.isoformat() if row.review_on else ""
    return ErasureSeen(row.status, row.asked_at, row.answered_at, row.reason, review)
