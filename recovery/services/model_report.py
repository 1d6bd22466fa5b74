"""How the served models do on this unit's own patients, computed by a job and kept as a row.

`make_report` reads landmark snapshots and what happened in the week after, and stores figures only: no patient can be
recognised in them, and groups under 20 people are withheld (`recovery.twin.governance`).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count

from recovery import audit
from recovery.audit import Actor
from recovery.models import Alert, AlertTransition, Episode, ModelReport, ModelVersion, ShadowRisk, Snapshot
from recovery.services import served_models
from recovery.services.landmarks import Row, landmark_rows, risk_in
from recovery.twin import governance
from recovery.twin.metrics import METRICS

LOOK_BACK = timedelta(days=180)
LATELY, BEFORE = timedelta(days=30), timedelta(days=120)
"""Drift: the last 30 days against the 90 before [G: this project's choice]."""
GROUPINGS: Mapping[str, Callable[[Row], str]] = {
    "sex": lambda row: row.person.sex,
    "age": lambda row: row.person.age,
    "race": lambda row: row.person.race,
    "skin tone": lambda row: row.person.skin_tone,
    "device": lambda row: row.person.device,
    "site": lambda row: row.person.site,
}
ALARMS = ("high", "medium")  # low is information, not an alarm (design section 10)
KEPT = timedelta(days=800)
WEEK = timedelta(days=7)


def make_report(*, actor: Actor, now: datetime) -> ModelReport:
    """Judge the versions in service over the last half year, and every version in shadow beside them."""
    versions, content = figures(now)
    report = ModelReport.objects.create(
        made_at=now, since=now - LOOK_BACK, until=now, model_version=versions, content=content
    )
    audit.record(actor=actor, now=now, action="model_report", entity=f"ModelReport/{report.pk}")
    ModelReport.objects.filter(made_at__lt=now - KEPT).delete()
    return report


def figures(now: datetime) -> tuple[str, dict[str, Any]]:
    """The versions in service, and every figure of a report made at `now`. Reads only."""
    since = now - LOOK_BACK
    models = served_models.in_use()
    rows = list(landmark_rows(since=since, now=now))
    served = Spoken(models.hazard.version, models.hypotheses.version if models.hypotheses else "")
    kept = judged_rows(rows, served)
    return f"{models.population.version}/{models.hazard.version}", {
        "hazard": models.hazard.version,
        "population": models.population.version,
        "hypotheses": served.causes,
        "risk": _risk(rows, served),
        "decision": [
            asdict(one) for one in governance.decision_curve(_risks(kept), [bool(row.happened) for row in kept])
        ],
        "weeks": _weeks(kept),
        "drift": _drift(rows, now),
        "subgroups": _subgroups(rows, since, now, served),
        "burden": _burden(since, now),
        "coverage": _coverage(),
        "shadows": _shadows(rows),
    }


def differences() -> tuple[datetime, list[str]] | None:
    """Compute the newest report again for its own moment: when that was, and each figure that is another now, as
    `place: stored, now`. What arrived late since, and twins that went on, change figures truly. None without one."""
    newest = ModelReport.objects.order_by("-made_at", "-pk").first()
    if newest is None:
        return None
    _, again = figures(newest.made_at)
    plain = json.loads(json.dumps(again))
    return newest.made_at, list(_differing(newest.content, plain, ""))


def _differing(one: Any, two: Any, place: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two}):
            yield from _differing(one.get(key), two.get(key), f"{place}.{key}" if place else key)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, pair in enumerate(zip(one, two, strict=True)):
            yield from _differing(*pair, f"{place}[{number}]")
    elif one != two:
        yield f"{place}: {one}, {two}"


class Spoken(NamedTuple):
    """The versions whose risks are judged together: risk model, and the causes that were weighed beside it."""

    hazard: str
    causes: str

    def by(self, row: Row) -> bool:
        """Where no causes were weighed (or it was not noted) the risk model spoke alone."""
        return row.version == self.hazard and row.causes in ("", self.causes)


def judged_rows(rows: Sequence[Row], served: Spoken) -> list[Row]:
    """Rows by which the served risk can be judged: they spoke, with a number, and the week is over."""
    return [row for row in rows if served.by(row) and row.risk is not None and row.happened is not None]


def _risk(rows: Sequence[Row], served: Spoken) -> dict[str, Any]:
    kept = judged_rows(rows, served)
    return {
        "outcome": "first complication diagnosed within 7 days",
        "rows": len(rows),
        "abstained": sum(row.risk is None for row in rows),
        "open": sum(row.happened is None for row in rows),
        "other_version": sum(not served.by(row) for row in rows),
        "all": _judged(kept),
        "days": {str(day): _judged([row for row in kept if row.day == day]) for day in sorted({r.day for r in kept})},
    }


def _judged(rows: Sequence[Row]) -> dict[str, Any] | None:
    found = governance.judge(_risks(rows), [bool(r.happened) for r in rows], [r.episode_id for r in rows])
    return asdict(found) if found else None


def _weeks(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Observed over expected by week of the snapshot: calibration in the large with its limits."""
    by_week: dict[str, list[Row]] = {}
    for row in rows:
        year, week, _ = row.made_at.isocalendar()
        by_week.setdefault(f"{year}-W{week:02d}", []).append(row)
    told = []
    for name, found in sorted(by_week.items()):
        if len({row.episode_id for row in found}) >= governance.FEWEST_PEOPLE:
            ratio = governance.ratio(sum(bool(r.happened) for r in found), sum(r.risk or 0.0 for r in found))
            told.append({"week": name, "rows": len(found), "ratio": asdict(ratio) if ratio else None})
    return told


def _drift(rows: Sequence[Row], now: datetime) -> list[dict[str, Any]]:
    lately = [row for row in rows if row.made_at >= now - LATELY]
    before = [row for row in rows if now - BEFORE <= row.made_at < now - LATELY]
    found = [
        governance.drift(metric.label, _values(before, key), _values(lately, key)) for key, metric in METRICS.items()
    ]
    found.append(governance.category_drift("Operation", _named(before), _named(lately)))
    found.append(governance.category_drift("Device", _devices(before), _devices(lately)))
    told = [asdict(one) | {"verdict": one.verdict, "side": "input"} for one in found if one.before or one.lately]
    out = governance.drift("Risk of a complication in 7 days", _risks(before), _risks(lately))
    return [*told, asdict(out) | {"verdict": out.verdict, "side": "output"}]


def _values(rows: Sequence[Row], key: str) -> list[float]:
    return [float(v) for row in rows if isinstance(v := row.inputs.get(key), int | float)]


def _risks(rows: Sequence[Row]) -> list[float]:
    return [row.risk for row in rows if row.risk is not None]


def _named(rows: Sequence[Row]) -> list[str]:
    return [row.procedure for row in rows]


def _devices(rows: Sequence[Row]) -> list[str]:
    return [row.person.device for row in rows]


def _subgroups(rows: Sequence[Row], since: datetime, now: datetime, served: Spoken) -> dict[str, list[dict[str, Any]]]:
    kept, caught = judged_rows(rows, served), _alarms_before_events(rows, since)
    return {name: _groups(kept, rows, group, caught) for name, group in GROUPINGS.items()}


def _groups(
    kept: Sequence[Row], rows: Sequence[Row], group: Callable[[Row], str], caught: Mapping[int, bool]
) -> list[dict[str, Any]]:
    told = []
    of_episode = {row.episode_id: group(row) for row in rows}
    for name in sorted({*of_episode.values()}):
        mine = [row for row in kept if group(row) == name]
        ill = [caught[pk] for pk, label in of_episode.items() if label == name and pk in caught]
        figures = _judged(mine)
        sensitivity = governance.share(sum(ill), len(ill)) if figures and len(ill) >= governance.FEWEST_EVENTS else None
        told.append(
            {
                "group": name,
                "withheld": figures is None,
                "figures": figures,
                "sensitivity": asdict(sensitivity) if sensitivity else None,
                "ill": len(ill) if figures else None,
            }
        )
    return told


def _alarms_before_events(rows: Sequence[Row], since: datetime) -> dict[int, bool]:
    """episode that had a complication in the week after one of its rows -> whether an alarm was raised in the week
    before it was diagnosed."""
    ill = {row.episode_id: row.diagnosed_at for row in rows if row.happened}
    alarms = Alert.objects.filter(episode__in=list(ill), severity__in=ALARMS, raised_at__gte=since - WEEK)
    raised: dict[int, list[datetime]] = {}
    for episode, at in alarms.values_list("episode_id", "raised_at"):
        raised.setdefault(episode, []).append(at)
    return {pk: at is not None and any(at - WEEK <= one < at for one in raised.get(pk, ())) for pk, at in ill.items()}


def _burden(since: datetime, now: datetime) -> dict[str, Any]:
    """Alerts per patient-day, and what people made of them."""
    days = patient_days(since, now)
    alerts = Alert.objects.filter(raised_at__gte=since, raised_at__lte=now)
    by_severity = dict(alerts.order_by().values_list("severity").annotate(Count("pk")))
    outcomes = dict(alerts.filter(status="resolved").order_by().values_list("outcome").annotate(Count("pk")))
    answers = Counter(_useful(since, now))
    resolved, true = sum(outcomes.values()), outcomes.get("true_problem", 0)
    alarms = sum(by_severity.get(one, 0) for one in ALARMS)
    judged = governance.share(answers[True], answers[True] + answers[False])
    value = governance.share(true, resolved) if resolved >= governance.FEWEST_EVENTS else None
    return {
        "patient_days": round(days, 1),
        "alerts": sum(by_severity.values()),
        "by_severity": by_severity,
        "alarms_per_patient_day": asdict(rate) if (rate := governance.ratio(alarms, days)) else None,
        "resolved": resolved,
        "outcomes": outcomes,
        "useful": asdict(judged) if judged else None,
        "judged": answers[True] + answers[False],
        "ppv": asdict(value) if value else None,
    }


def _useful(since: datetime, now: datetime) -> list[bool]:
    rows = AlertTransition.objects.filter(to_status="resolved", at__gte=since, at__lte=now)
    return [one for one in rows.values_list("detail__useful", flat=True) if isinstance(one, bool)]


def patient_days(since: datetime, now: datetime) -> float:
    """Days between surgery and the end of the pathway that lie in the window, over all operations."""
    total = timedelta()
    rows = Episode.objects.filter(surgery_end__isnull=False, surgery_end__lte=now, twin__isnull=False)
    for end, days in rows.values_list("surgery_end", "pathway__days").iterator():
        if end is not None:
            total += max(min(now, end + timedelta(days=days or 30)) - max(since, end), timedelta())
    return total / timedelta(days=1)


def _coverage() -> list[dict[str, Any]]:
    """Scorecards of all current twins added up, by metric: one-step interval coverage and skill."""
    told = []
    for key, metric in METRICS.items():
        path = f"content__metrics__{key}__scorecard"
        cards = [one for one in Snapshot.objects.filter(current=True).values_list(path, flat=True) if one]
        n = sum(int(one.get("n") or 0) for one in cards)
        if len(cards) < governance.FEWEST_PEOPLE or not n:
            continue
        known = [one for one in cards if one.get("n") and one.get("coverage90") is not None]
        skills = [one["skill"] for one in known if one.get("skill") is not None]
        told.append(
            {
                "metric": metric.label,
                "twins": len(cards),
                "readings": n,
                "coverage90": round(sum(one["n"] * one["coverage90"] for one in known) / n, 3),
                "coverage50": round(sum(one["n"] * (one.get("coverage50") or 0) for one in known) / n, 3),
                "skill": round(sum(skills) / len(skills), 3) if skills else None,
                "fallback": sum(s < 0 for s in skills),
            }
        )
    return told


def _shadows(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Each version in shadow against the served one, on the very same snapshots."""
    told = {}
    for version in ModelVersion.objects.filter(status="shadow"):
        stored = ShadowRisk.objects.filter(version=version)
        spoken = {pk: risk_in(risks) for pk, risks in stored.values_list("snapshot_id", "risks").iterator()}
        both = [row for row in rows if row.risk is not None and spoken.get(row.snapshot_id) is not None]
        over = [row for row in both if row.happened is not None]
        theirs = _judged([replace(row, risk=spoken[row.snapshot_id]) for row in over])
        gaps = sorted(abs((spoken[row.snapshot_id] or 0.0) - (row.risk or 0.0)) for row in both)
        told[version.version] = {
            "spoken": len(spoken),
            "paired": len(both),
            "median_gap": round(gaps[len(gaps) // 2], 4) if gaps else None,
            "largest_gap": round(gaps[-1], 4) if gaps else None,
            "shadow": theirs,
            "served": _judged(over),
        }
    return told
