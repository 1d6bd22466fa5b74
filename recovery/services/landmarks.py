"""What was said at fixed days after surgery and what happened then: the rows by which served models are judged."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from recovery.models import Document, Episode, Finding, Series, Snapshot
from recovery.twin.incidence import NAMED
from recovery.twin.metrics import METRICS

DAYS = (1, 2, 4, 7, 10)  # the landmark days of design section 10
OUTCOME, HORIZON_H = "complication", 168
LOOK_FOR_HOURS = 6  # a landmark's snapshot is the first of these hours
EPISODES_AT_ONCE = 200
DAYS_A_YEAR = 365.2425
RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
SKIN_TONE = "skin_tone"  # key of a baseline factor, Fitzpatrick type I to VI as 1 to 6, where somebody recorded it
NOT_RECORDED = "not recorded"
BY_METRIC = tuple(METRICS)


@dataclass(frozen=True, slots=True)
class Person:
    """Who a row is about, in the groups by which performance is shown."""

    sex: str
    age: str
    race: str
    skin_tone: str
    device: str
    site: str


@dataclass(frozen=True, slots=True)
class Row:
    """One snapshot at a landmark. risk: of a first complication within 7 days, None where the model abstained.

    happened: None while the week is not over. diagnosed_at: of the first complication, whenever that was. inputs:
    metric -> value shown. version: the risk model that spoke; causes: the hypotheses beside it, blank without any.
    """

    episode_id: int
    snapshot_id: int
    made_at: datetime
    day: int
    risk: float | None
    happened: bool | None
    diagnosed_at: datetime | None
    version: str
    causes: str
    inputs: Mapping[str, float | None]
    procedure: str
    person: Person


def landmark_rows(*, since: datetime, now: datetime) -> Iterator[Row]:
    """Rows of operations that ended from `since` on, operation by operation, a slice of them in memory at a time."""
    keys = list(_operations(since, now).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), EPISODES_AT_ONCE):
        yield from _slice(keys[start : start + EPISODES_AT_ONCE], now)


def _operations(since: datetime, now: datetime) -> QuerySet[Episode]:
    living = Episode.objects.filter(patient__deleted_at__isnull=True, surgery_end__gte=since, surgery_end__lte=now)
    return living.exclude(status=Episode.Status.CANCELLED)


def _slice(keys: list[int], now: datetime) -> Iterator[Row]:
    episodes = list(Episode.objects.filter(pk__in=keys).select_related("patient", "team").order_by("pk"))
    patients = [one.patient_id for one in episodes]
    first, people = _diagnosed(episodes), _people(episodes, patients)
    said = _said(episodes)
    for episode in episodes:
        at = first.get(episode.pk)
        for day, snapshot in sorted(said.get(episode.pk, {}).items()):
            yield _row(episode, day, snapshot, at, people[episode.pk], now)


def _said(episodes: list[Episode]) -> dict[int, dict[int, dict[str, Any]]]:
    """episode -> landmark day -> the first snapshot of its hours."""
    wanted: dict[int, dict[int, int]] = {}
    for episode in episodes:
        zero = int(episode.day_zero.timestamp() // 3600)
        wanted[episode.pk] = {zero + 24 * day + hour: day for day in DAYS for hour in range(1, LOOK_FOR_HOURS + 1)}
    hours = {hour for found in wanted.values() for hour in found}
    values = [f"content__metrics__{key}__now" for key in BY_METRIC]
    rows = Snapshot.objects.filter(episode__in=episodes, hour__in=sorted(hours))
    found: dict[int, dict[int, dict[str, Any]]] = {}
    ids = [pk for pk, episode_id, hour in rows.values_list("pk", "episode_id", "hour") if hour in wanted[episode_id]]
    full = Snapshot.objects.filter(pk__in=ids).order_by("hour")
    for one in full.values(
        "pk", "episode_id", "hour", "made_at", "content__risks", "content__model", "content__suspicion__model", *values
    ).iterator():
        day = wanted[one["episode_id"]][one["hour"]]
        found.setdefault(one["episode_id"], {}).setdefault(day, one)
    return found


def _row(
    episode: Episode, day: int, said: Mapping[str, Any], diagnosed: datetime | None, person: Person, now: datetime
) -> Row:
    made_at: datetime = said["made_at"]
    end = made_at + timedelta(hours=HORIZON_H)
    return Row(
        episode.pk,
        said["pk"],
        made_at,
        day,
        risk_in(said["content__risks"] or ()),
        None if end > now else diagnosed is not None and made_at < diagnosed <= end,
        diagnosed,
        str((said["content__model"] or {}).get("hazard", "")),
        str(said["content__suspicion__model"] or ""),
        {key: said[f"content__metrics__{key}__now"] for key in BY_METRIC},
        episode.procedure or "not known",
        person,
    )


def risk_in(risks: Any) -> float | None:
    """The risk of any complication within 7 days among stored risks."""
    for one in risks:
        if one.get("outcome") == OUTCOME and int(one.get("horizon_h") or 0) == HORIZON_H:
            value = one.get("probability")
            return None if value is None else float(value)
    return None


def _diagnosed(episodes: list[Episode]) -> dict[int, datetime]:
    """episode -> when its first complication was recorded."""
    rows = Finding.objects.filter(
        patient__in=[one.patient_id for one in episodes],
        kind=Finding.Kind.COMPLICATION,
        key__in=NAMED,
        recorded_at__isnull=False,
    ).order_by("recorded_at")
    by_patient: dict[int, list[datetime]] = {}
    for patient, at in rows.values_list("patient_id", "recorded_at"):
        if at is not None:
            by_patient.setdefault(patient, []).append(at)
    found = {}
    for episode in episodes:
        after = [at for at in by_patient.get(episode.patient_id, ()) if at >= episode.day_zero]
        if after:
            found[episode.pk] = after[0]
    return found


def _people(episodes: list[Episode], patients: list[int]) -> dict[int, Person]:
    races, tones, devices = _races(episodes), _tones(patients), _devices(patients)
    return {
        one.pk: Person(
            one.patient.sex,
            _age_band(one),
            races.get(one.patient.fhir_id, NOT_RECORDED),
            tones.get(one.patient_id, NOT_RECORDED),
            devices.get(one.patient_id, "none"),
            one.team.name if one.team else "no team",
        )
        for one in episodes
    }


def _age_band(episode: Episode) -> str:
    born = episode.patient.birth_date
    if born is None:
        return NOT_RECORDED
    years = (episode.day_zero.date() - born).days / DAYS_A_YEAR
    return "under 65" if years < 65 else "65 to 79" if years < 80 else "80 and over"


def _races(episodes: list[Episode]) -> dict[str, str]:
    """Patient document id -> race as sent, in the words of US Core."""
    wanted = [one.patient.fhir_id for one in episodes]
    rows = Document.objects.filter(type="Patient", fhir_id__in=wanted).values_list("fhir_id", "content")
    found = {key: _race(json.loads(content or "{}").get("extension") or ()) for key, content in rows}
    return {key: race for key, race in found.items() if race}


def _race(extensions: Any) -> str:
    for one in extensions:
        if isinstance(one, dict) and one.get("url") == RACE:
            parts = {part.get("url"): part for part in one.get("extension") or () if isinstance(part, dict)}
            coded = parts.get("ombCategory", {}).get("valueCoding", {}).get("display")
            return str(coded or parts.get("text", {}).get("valueString") or "")
    return ""


def _tones(patients: list[int]) -> dict[int, str]:
    rows = Finding.objects.filter(patient__in=patients, key=SKIN_TONE, number__isnull=False)
    return {patient: f"Fitzpatrick {int(number or 0)}" for patient, number in rows.values_list("patient_id", "number")}


TIER_WORDS = {"implant": "implant", "cleared": "medical device", "consumer": "wearable", "self_report": "reports only"}


def _devices(patients: list[int]) -> dict[int, str]:
    """Patient -> the most trusted source of readings the twin uses."""
    rows = Series.objects.filter(patient__in=patients).exclude(metric="").values_list("patient_id", "tier").distinct()
    order: list[str] = list(TIER_WORDS)
    found: dict[int, str] = {}
    for patient, tier in rows:
        held = found.get(patient)
        if tier in order and (held is None or order.index(tier) < order.index(held)):
            found[patient] = tier
    return {patient: TIER_WORDS[tier] for patient, tier in found.items()}
