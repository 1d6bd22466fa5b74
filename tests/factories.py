"""Wards for tests and screenshots: synthetic people, whose readings go through the real ingestion and the real twin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from recovery.audit import Actor
from recovery.models import (
    Alert,
    Batch,
    Episode,
    Patient,
    PhoneCode,
    Sample,
    Series,
    Snapshot,
    Team,
    TeamMembership,
    User,
)
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.services import refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery, NumberReading, SeriesKey
from recovery.twin.cold_start import cold_start
from recovery.twin.metrics import METRICS
from recovery.twin.profile import PROCEDURES, Profile
from recovery.twin.simulate import simulate
from tests import deliveries as d
from tests.functional.ward import PASSWORD

ACTOR = Actor.system("test")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Story:
    """One synthetic patient: `hours` since surgery ended, and what befell them."""

    given: str
    family: str
    procedure: str
    hours: float
    seed: int
    complication: str | None = None
    onset: float = 60.0
    silent_for: float = 0.0
    implant: bool = False
    laboratory: bool = False
    readings: bool = True
    born: date = date(1951, 4, 3)
    sex: str = "female"


STORIES = (
    Story("Ida", "Hartmann", "colectomy_open", 118.4, 1, "pneumonia", 84.0, born=date(1948, 5, 4)),
    Story(
        "Samuel",
        "Okafor",
        "knee_replacement",
        98.2,
        2,
        implant=True,
        laboratory=True,
        born=date(1957, 11, 30),
        sex="male",
    ),
    Story("Maria Concepción", "García Fernández", "hip_replacement", 171.0, 3, born=date(1961, 2, 14)),
    Story("Chen", "Wei", "lobectomy_vats", 52.6, 4, "pe", 46.0, born=date(1955, 8, 8), sex="male"),
    Story("Aoife", "Ní Dhomhnaill", "cholecystectomy", 30.5, 5, born=date(1984, 6, 21)),
    Story("Jonas", "Berg", "colectomy_laparoscopic", 146.0, 6, silent_for=31.0, born=date(1969, 1, 9), sex="male"),
    Story("Fatima", "al-Rashid", "hysterectomy_minimal", 75.3, 7, born=date(1977, 12, 2)),
    Story("Grace", "Mwangi", "spinal_fusion", 220.0, 8, "ssi", 168.0, born=date(1963, 3, 17)),
    Story("Peter", "Novák", "hip_fracture", 9.5, 9, readings=False, born=date(1939, 7, 27), sex="male"),
)


def make_team(key: str = "ward-7", name: str = "Ward 7") -> Team:
    return Team.objects.get_or_create(key=key, defaults={"name": name, "is_demo": True})[0]


def make_person(username: str, role: str = "clinician", team: Team | None = None, **names: str) -> User:
    user = User.objects.create_user(username, password=PASSWORD, role=role, **names)
    if team is not None:
        TeamMembership.objects.create(team=team, user=user, since=LONG_AGO)
    return user


def prove_phone(user: User, number: str, now: datetime) -> None:
    """As if they had typed in the code that was sent to it."""
    PhoneCode.objects.get_or_create(user=user, number=number, proven_at=now, defaults={"digest": "", "sent_at": now})


def make_episode(
    team: Team | None = None, *, key: str = "p1", ended: datetime = d.SURGERY_END, **patient: Any
) -> Episode:
    """An episode without readings or snapshot. `patient`: fields of the Patient row."""
    facts = {"given_name": "Ida", "family_name": "Hartmann", "is_synthetic": True, **patient}
    person = Patient.objects.create(fhir_id=key, **facts)
    return Episode.objects.create(
        patient=person,
        fhir_id=f"{key}-op",
        procedure="knee_replacement",
        procedure_text="Total knee replacement",
        surgery_end=ended,
        team=team,
    )


def make_snapshot(episode: Episode, now: datetime, content: dict[str, Any]) -> Snapshot:
    return Snapshot.objects.create(
        episode=episode,
        hour=int(now.timestamp() // 3600),
        made_at=now,
        data_until=now - timedelta(minutes=20),
        model_version="cold-start-1/published-1",
        content=content,
    )


def make_alert(episode: Episode, now: datetime, **fields: Any) -> Alert:
    given = {
        "cause": "deterioration",
        "kind": "physiological",
        "severity": "high",
        "headline": "Several readings off their own course",
        "because": [{"text": "respiratory rate 24 /min, 6 above the own curve for 5 h"}],
        "steps": ["Consider seeing the patient now and scoring NEWS2 at the bedside."],
        "raised_at": now - timedelta(minutes=25),
        "last_hit_at": now - timedelta(minutes=5),
    }
    return Alert.objects.create(episode=episode, **{**given, **fields})


def make_reading(episode: Episode, value: float = 82.0, hour: float = 20.0) -> str:
    """The id of a heart rate `hour` hours after surgery, made where it is not there yet."""
    assert episode.surgery_end is not None
    series, _ = Series.objects.get_or_create(
        patient=episode.patient,
        template_hash="by-hand",
        defaults={"metric": "heart_rate", "code": "8867-4", "unit": "/min", "source": "Device/w", "shape": "number"},
    )
    at_ms = int((episode.surgery_end + timedelta(hours=hour)).timestamp() * 1000)
    batch = Batch.objects.create(channel="test", received_at=episode.surgery_end + timedelta(hours=hour, minutes=5))
    Sample.objects.get_or_create(series=series, at_ms=at_ms, value=value, digits=0, defaults={"batch": batch})
    return encode(ReadingId("r", series.pk, at_ms, value_mark(value, 0)))


def said(state: str = "on_track", **over: Any) -> dict[str, Any]:
    """Snapshot content by hand, for edge cases; every number in it is made up."""
    curve = {"hours": [0.0, 12.0, 24.0, 36.0, 48.0], "norm": [80.0, 79.0, 78.0, 77.0, 76.0]}
    curve |= {name: [70.0 + 5 * i - h / 24 for h in curve["hours"]] for i, name in enumerate(QUANTILES)}
    heart = {"label": "Heart rate", "unit": "/min", "now": 82.0, "now_at": "2026-03-03T11:40:00+00:00"}
    heart |= {"now_source": "Watch", "expected": 80.0, "low50": 77.0, "high50": 83.0, "low90": 71.0, "high90": 89.0}
    heart |= {"norm": 78.0, "deviation": 0.4, "baseline": 70.0, "worn": 0.9, "hours_since": 0.3, "personal": True}
    heart |= {"curve": curve, "gates": {"accepted": 20, "down_weighted": 1, "rejected": 0, "recent": []}}
    heart |= {"scorecard": {"n": 20, "coverage90": 0.9}}
    risk = {"outcome": "complication", "label": "any complication", "horizon_h": 168, "probability": 0.12}
    risk |= {"low": 0.07, "high": 0.19, "abstained": None, "model": "published-1", "evidence": "made up for a test"}
    risk |= {
        "reasons": [{"text": "heart rate 8 /min above own curve for 6 h", "direction": "raises", "contribution": 1}]
    }
    content = {"day": 1, "hour": 24.0, "state": state, "sentence": "Heart rate on the own expected course."}
    content |= {"reasons": [], "procedure_label": "Total knee replacement", "curve_note": ""}
    content |= {
        "metrics": {"heart_rate": heart},
        "risks": [risk],
        "scores": [],
        "model": {"population": "cold-start-1"},
    }
    return content | over


QUANTILES = ("q05", "q25", "q50", "q75", "q95")


def make_ward(now: datetime, stories: Sequence[Story] = STORIES, team: Team | None = None) -> list[Episode]:
    """Enrol, send and compute each story up to `now`, hour by hour at the end so that alert rules see time pass."""
    team = team or make_team()
    episodes = [_enrol(story, number, team, now) for number, story in enumerate(stories)]
    for hours_ago in (12, 8, 6, 5, 4, 3, 2, 1, 0):
        at = now - timedelta(hours=hours_ago)
        for story, number in zip(stories, range(len(stories)), strict=True):
            _send(story, number, at, since=at - timedelta(hours=1 if hours_ago < 6 else 4), first=hours_ago == 12)
        refresh.refresh_owed(clock=lambda when=at: when)
    refresh.owe_silent(now=now)
    refresh.refresh_owed(clock=lambda: now)
    return episodes


def _enrol(story: Story, number: int, team: Team, now: datetime) -> Episode:
    key = f"synthetic-{number}"
    end = now - timedelta(hours=story.hours)
    person = d.patient(
        0,
        key,
        family_name=story.family,
        given_name=story.given,
        birth_date=story.born,
        sex=story.sex,
        record_number=f"S-{4710 + number}",
    )
    operation = d.procedure(1, key, end, story.procedure)
    label = PROCEDURES[story.procedure].label
    operation = replace(operation, facts=replace(operation.facts, procedure_text=label))  # type: ignore[type-var]
    watch = d.device(2, f"watch-{number}", key, "consumer")
    watch = replace(watch, facts=replace(watch.facts, name="Wrist watch (synthetic)"))  # type: ignore[type-var]
    deliver(delivery=Delivery("test", documents=(person, operation, watch)), actor=ACTOR, now=end, atomic=True)
    Patient.objects.filter(fhir_id=key).update(is_synthetic=True)
    Episode.objects.filter(patient__fhir_id=key).update(team=team)
    return Episode.objects.select_related("patient").get(patient__fhir_id=key)


def _send(story: Story, number: int, now: datetime, *, since: datetime, first: bool) -> None:
    """The readings that arrive at `now`: all so far at first, later those of the last hours."""
    end_of_story = story.hours
    surgery_end = Episode.objects.get(patient__fhir_id=f"synthetic-{number}").surgery_end
    assert surgery_end is not None
    upto = (now - surgery_end) / timedelta(hours=1)
    begin = -1e9 if first else (since - surgery_end) / timedelta(hours=1)
    quiet_from = end_of_story - story.silent_for
    if not story.readings:
        return
    rows = [row for row in _readings(story, number) if begin < _hour(row, surgery_end) <= min(upto, quiet_from)]
    if rows:
        numbered = tuple(replace(row, index=index) for index, row in enumerate(rows))
        deliver(delivery=Delivery("test", readings=numbered), actor=ACTOR, now=now, atomic=False)


def _hour(row: NumberReading, surgery_end: datetime) -> float:
    return (row.at_ms - surgery_end.timestamp() * 1000) / HOUR_MS


_made: dict[tuple[int, int], list[NumberReading]] = {}


def _readings(story: Story, number: int) -> list[NumberReading]:
    """The whole simulated stream of a story, made once."""
    surgery_end = Episode.objects.get(patient__fhir_id=f"synthetic-{number}").surgery_end
    assert surgery_end is not None
    key = (story.seed, int(surgery_end.timestamp()))
    if key not in _made:
        profile = Profile(procedure=story.procedure, surgery_end_hour_of_day=float(surgery_end.hour))
        stream = simulate(
            story.seed,
            cold_start(),
            profile,
            last_hour=int(story.hours) + 1,
            complication=story.complication,
            onset_hour=story.onset,
            implant=story.implant,
            laboratory=story.laboratory,
        )
        _made[key] = [row for name, found in stream.samples.items() for row in _rows(name, number, found, surgery_end)]
    return _made[key]


def _rows(metric: str, number: int, found: Any, surgery_end: datetime) -> list[NumberReading]:
    places = METRICS[metric].decimals
    sources = {
        0: ("Device/implant", "implant"),
        1: ("Device/monitor", "cleared"),
        2: (f"Device/watch-{number}", "consumer"),
    }
    rows = []
    for hour, value, tier in zip(found.hours, found.values, found.tiers, strict=True):
        source, name = sources.get(int(tier), ("Patient", "self_report"))
        key = SeriesKey(
            f"synthetic-{number}",
            metric,
            "http://loinc.org",
            metric,
            METRICS[metric].unit,
            1.0,
            0.0,
            source,
            name,
            "number",
            f'{{"of":"{number}","metric":"{metric}","source":"{source}"}}',
            0,
        )
        at = int(surgery_end.timestamp() * 1000 + hour * HOUR_MS)
        rows.append(NumberReading(0, key, at, round(float(value), places), places))
    return rows
