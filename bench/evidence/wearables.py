"""False onsets of the product's own alert rules on people who had no operation (LifeSnaps, real Fitbit days).

Each person's days go through the real twin (generic profile, hours before an operation that never comes) and the real
default policy, looked at every six hours. One value a day reaches the twin where the product would see hourly ones:
resting heart rate, breathing rate and oxygen saturation at wake-up, steps of the whole day. A day's steps count where
the watch saw a pulse for 18 hours of it, which is the product's own gate (design section 10). Skin temperature is left
out: the product's temperature is core or oral (clinical-reference rule 2). The risk model abstains before an operation
and no hypothesis is weighed there, so these rules cannot speak here.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bench.evidence import sets
from recovery.twin import METRICS, Profile, Request, Samples, cold_start, features, fold_many, load
from recovery.twin.alert_policy import DEFAULT_POLICY
from recovery.twin.alerts import candidates
from recovery.twin.hazard_store import shipped_model
from recovery.twin.metrics import WORN_HOURS_FOR_A_DAY
from recovery.twin.risk import assess
from recovery.twin.scores import news2
from recovery.twin.signals import by_metric
from recovery.twin.state import rewind_hour

COLUMNS = {
    "resting_hr": "heart_rate",
    "full_sleep_breathing_rate": "respiratory_rate",
    "spo2": "spo2",
    "steps": "steps",
}
PULSE_SEEN = ("minutes_below_default_zone_1", *(f"minutes_in_default_zone_{zone}" for zone in (1, 2, 3)))
WAKE_H, EVERY_H, WARM_UP_DAYS = 7.0, 6, 14
GOAL = 0.5
SILENCE = "data_stopped"


def people():
    """{metric: {day: value}} of each person: the positive values, first row of a day; steps of days worn too little are
    left out, as the product does."""
    rows = pd.read_csv(sets.folder("lifesnaps-daily") / "daily_fitbit_sema.csv", low_memory=False)
    rows["day"] = pd.to_datetime(rows.date).map(pd.Timestamp.toordinal)
    rows = rows.sort_values("day").drop_duplicates(["id", "day"])
    minutes = rows[list(PULSE_SEEN)].apply(pd.to_numeric, errors="coerce").sum(axis=1)
    rows["worn"] = minutes >= 60 * WORN_HOURS_FOR_A_DAY
    for _, person in rows.groupby("id"):
        found = {}
        for column, key in COLUMNS.items():
            values = pd.to_numeric(person[column], errors="coerce")
            kept = (values > 0) & (person.worn | (METRICS[key].grain != "day"))
            found[key] = dict(zip(person.day[kept], values[kept], strict=True))
        yield found


@dataclass
class Follow:
    """One person on the way: hours before an operation that never comes, the twin, the memory, what was raised."""

    samples: dict
    first_h: float
    last_h: float
    state: object = None
    memory: dict = field(default_factory=dict)
    raised: Counter = field(default_factory=Counter)
    looks: int = 0

    @property
    def person_days(self):
        return self.looks * EVERY_H / 24.0


def follow(found):
    days = sorted({day for values in found.values() for day in values})
    origin = days[-1] + 8
    return Follow(samples_of(found, origin), 24.0 * (days[0] - origin), 24.0 * (days[-1] + 1 - origin))


def samples_of(found, origin):
    """Samples of the twin; the steps of a day span its 24 h, everything else is read at wake-up."""
    made = {}
    for key, days in found.items():
        if days:
            hours = np.array([24.0 * (day - origin) for day in sorted(days)])
            values = [days[day] for day in sorted(days)]
            whole = METRICS[key].grain == "day"
            made[key] = Samples.of(hours + (12.0 if whole else WAKE_H), values, span_hours=24.0 if whole else 1.0)
    return made


def request(person, hour, profile):
    """What is new since the last look, with the day before it: a day's steps are complete at its end only."""
    dirty = hour - EVERY_H - 24.0
    since = rewind_hour(person.state, dirty)
    timely = {
        key: s.take((s.hours >= since) & (s.hours + np.where(s.span_hours > 1, 12.0, 0.0) <= hour))
        for key, s in person.samples.items()
    }
    return Request(person.state, profile, load(timely, hour, since), dirty)


def look(person, hour, profile, params, model):
    """One look under the product's policy, counted after the warm-up."""
    seen = features(person.state, params, hour, profile)
    level = {key: signal.level for key, signal in by_metric(seen).items() if signal.is_current}
    score = news2(
        age_years=40,  # adults only here; the age changes no point
        respiratory_rate=level.get("respiratory_rate"),
        spo2=level.get("spo2"),
        pulse=level.get("heart_rate"),
    )
    risks = assess(profile, seen, hour, model)
    told, person.memory = candidates(seen, risks, (score,), DEFAULT_POLICY, person.memory)
    if hour >= person.first_h + 24 * WARM_UP_DAYS:
        person.looks += 1
        person.raised.update(c.cause for c in told if c.change == "raised")


def walk(everyone, params, model):
    """All people in step, each from their own first day."""
    profile, step = Profile(procedure=None), 1
    while going := [p for p in everyone if p.first_h + step * EVERY_H <= p.last_h]:
        hours = [p.first_h + step * EVERY_H for p in going]
        folded = fold_many([request(p, hour, profile) for p, hour in zip(going, hours, strict=True)], params)
        for person, hour, done in zip(going, hours, folded, strict=True):
            person.state = done.state
            look(person, hour, profile, params, model)
        step += 1


def false_onsets(_seeds):
    params, model = cold_start(), shipped_model()
    found = counted(params, model)
    return {
        "rule set": DEFAULT_POLICY.version,
        "twin": params.version,
        **found,
        "not_counted": "data_stopped is counted apart: where it speaks, the device was truly silent",
        "goal": f"<= {GOAL} a healthy month for the whole rule set",
        "reached": bool(found["whole_rule_set_per_30_days"] <= GOAL),
    }


def counted(params, model):
    everyone = [follow(found) for found in people()]
    walk(everyone, params, model)
    days = np.array([p.person_days for p in everyone])
    total = sum((p.raised for p in everyone), Counter())
    causes = [rule.cause for rule in DEFAULT_POLICY.rules]
    about_health = np.array([sum(n for cause, n in p.raised.items() if cause != SILENCE) for p in everyone])
    return {
        "people": len(everyone),
        "person_days": int(days.sum()),
        "onsets_by_rule_per_30_days": {cause: round(float(30 * total[cause] / days.sum()), 3) for cause in causes},
        "whole_rule_set_per_30_days": round(float(30 * about_health.sum() / days.sum()), 3),
        "whole_rule_set_95": interval(about_health, days),
    }


def interval(counts, days, seed=0):
    """95 % bootstrap over people of onsets per 30 days."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(days), (2000, len(days)))
    drawn = 30 * counts[picks].sum(axis=1) / days[picks].sum(axis=1)
    return [round(float(q), 3) for q in np.quantile(drawn, (0.025, 0.975))]
