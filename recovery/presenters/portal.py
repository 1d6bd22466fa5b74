"""The patient's own page in plain words (reading age 9 to 11): no risk numbers, no red for an ordinary bad day.

Compared with themself first. The words come from the snapshot: a reading is "usual for you" when it lies within the
90 % band of the person's own course.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from recovery.presenters import portal_words, wording
from recovery.presenters.bedside import is_grave
from recovery.presenters.chart import ABOVE, BELOW, at_its_time, band_place, is_blood, is_daily, is_stale, last_hour
from recovery.presenters.portal_curve import OwnCurve, draw_own
from recovery.presenters.portal_operation import operation_name
from recovery.selectors.portal import OwnPage
from recovery.selectors.snapshot import MetricSaid, Said
from recovery.selectors.timeline import Observed
from recovery.twin.metrics import METRICS

PLAIN = {
    "steps": gettext_lazy("Walking (steps in a day)"),
    "pain": gettext_lazy("Pain (0 to 10)"),
    "heart_rate": gettext_lazy("Heart beats in a minute"),
    "respiratory_rate": gettext_lazy("Breaths in a minute"),
    "spo2": gettext_lazy("Oxygen in your blood"),
    "temperature": gettext_lazy("Body temperature"),
    "sleep": gettext_lazy("Sleep (hours in a night)"),
    "qor15": gettext_lazy("How well you feel (0 to 150)"),
    "walking_speed": gettext_lazy("Walking speed"),
    "cadence": gettext_lazy("Steps in a minute when walking"),
    "stride_length": gettext_lazy("Length of your stride"),
    "qualified_steps": gettext_lazy("Steps counted by your implant in a day"),
    "knee_rom": gettext_lazy("How far your knee bends"),
}
# The same inside a sentence.
NAMES = {
    "steps": gettext_lazy("steps"),
    "pain": gettext_lazy("pain"),
    "heart_rate": gettext_lazy("heart rate"),
    "respiratory_rate": gettext_lazy("breathing rate"),
    "spo2": gettext_lazy("oxygen"),
    "temperature": gettext_lazy("temperature"),
    "sleep": gettext_lazy("sleep"),
    "qor15": gettext_lazy("feeling"),
    "walking_speed": gettext_lazy("walking speed"),
    "cadence": gettext_lazy("step rate"),
    "stride_length": gettext_lazy("stride"),
    "qualified_steps": gettext_lazy("implant steps"),
    "knee_rom": gettext_lazy("knee bend"),
}
ORDER = tuple(PLAIN)
ASKED = ("act", "review")
# What the label does not say already.
UNITS = {"spo2": "%", "temperature": "°C", "walking_speed": "m/s", "stride_length": "m", "knee_rom": "°"}


@dataclass(frozen=True, slots=True)
class OwnMetric:
    key: str
    label: str
    latest: str
    when: str
    usual: str
    verdict: str
    chart: OwnCurve | None


@dataclass(frozen=True, slots=True)
class OwnView:
    """`first`: the metric that says most about this recovery, for the home page."""

    first_name: str
    operation: str
    day: str
    sentence: str
    team: str
    team_line: str
    data_line: str
    label: str
    metrics: tuple[OwnMetric, ...]

    @property
    def first(self) -> OwnMetric | None:
        drawn = [one for one in self.metrics if one.chart]
        return next((one for one in drawn if one.key in ("steps", "qualified_steps")), next(iter(drawn), None))


def own_view(page: OwnPage, now: datetime, zone: ZoneInfo) -> OwnView:
    said, end = page.said, page.operation.surgery_end
    hour = (now - end).total_seconds() / 3600.0 if end else None
    return OwnView(
        first_name=page.person.name.split(" ")[0],
        operation=operation_name(page.operation.procedure, page.operation.procedure_text),
        day=day_words(hour),
        sentence=own_sentence(page, hour),
        team=page.operation.team or _("your care team"),
        team_line=team_line(page),
        data_line=data_line(said, zone),
        label=_("made-up patient") if page.person.is_synthetic else wording.origin_label(page.person),
        metrics=own_metrics(page, hour, zone) if said and hour is not None else (),
    )


def day_words(hour: float | None) -> str:
    """Postoperative day in words: day k is the 24 h from surgery end + 24k h."""
    if hour is None:
        return _("day of surgery not known")
    if hour < 0:
        days = int(-hour // 24)
        if days == 0:
            return _("surgery within 24 h")
        return ngettext("%(n)s day before surgery", "%(n)s days before surgery", days) % {"n": str(days)}
    return _("day %(n)s") % {"n": str(int(hour // 24))}


def own_sentence(page: OwnPage, hour: float | None) -> str:
    """How am I doing, in one sentence. It reassures only when nothing at all speaks against it."""
    said = page.said
    if said is None or hour is None:
        return _("We have nothing to show yet. Your readings will appear here.")
    words = {"day": day_words(hour)}
    if said.state in ASKED:
        return _("Your readings are on your care team's list to look at.")
    fresh = [
        at_its_time(one, last_hour(page.observed.get(one.key)))
        for one in said.metrics.values()
        if band_place(one) and not is_blood(one.key)
    ]
    if not fresh:
        return _("It is %(day)s. We have no fresh readings from you.") % words
    away = [metric for metric in fresh if _is_away(metric, said)]
    if not away:
        return _("Your readings are as expected for you on %(day)s.") % words
    names = [str(NAMES.get(metric.key, metric.label.lower())) for metric in away[:3]]
    found = ngettext(
        "It is %(day)s. Your %(names)s is worth a look: see below.",
        "It is %(day)s. These are worth a look: %(names)s. See below.",
        len(names),
    )
    return found % (words | {"names": portal_words.listed(names)})


def team_line(page: OwnPage) -> str:
    """Only what is true: an alert that exists, and whether somebody has taken it."""
    words = {"team": page.operation.team or _("Your care team")}
    if page.team_has_answered:
        return _("%(team)s has seen this.") % words
    if page.team_has_alert:
        return _("%(team)s has this on its list; nobody has answered yet.") % words
    return _("%(team)s can see these readings.") % words


def data_line(said: Said | None, zone: ZoneInfo) -> str:
    if said is None or said.data_until is None:
        return _("No readings have arrived yet.")
    return _("Your newest reading is from %(when)s.") % {"when": portal_words.moment(said.data_until, zone)}


def own_metrics(page: OwnPage, hour: float, zone: ZoneInfo) -> tuple[OwnMetric, ...]:
    assert page.said is not None  # noqa: S101  (own_view asks only then)
    said = page.said
    keys = [
        key for key in ORDER if key in said.metrics and (said.metrics[key].now is not None or page.observed.get(key))
    ]
    return tuple(own_metric(said.metrics[key], page, hour, zone) for key in keys)


def own_metric(metric: MetricSaid, page: OwnPage, hour: float, zone: ZoneInfo) -> OwnMetric:
    seen, end = page.observed.get(metric.key), page.operation.surgery_end
    metric = at_its_time(metric, last_hour(seen))
    day = day_words(_hour_of_latest(metric, seen, hour))
    return OwnMetric(
        key=metric.key,
        label=str(PLAIN.get(metric.key, metric.label)),
        latest=quantity(metric.now, metric.key),
        when=_when(metric, day, zone),
        usual=usual_words(metric, day),
        verdict=_verdict(metric, page.said),
        chart=draw_own(metric, seen, now_hour=hour, surgery_end=end, zone=zone) if end else None,
    )


def quantity(value: float | None, key: str) -> str:
    """ "37.2 °C", "1 204", "6 of 10": the label says the rest of the unit."""
    if value is None:
        return _("no reading")
    number = wording.number(value, wording.decimals(key))
    if key == "pain":
        return _("%(number)s of 10") % {"number": number}
    return f"{number}{_gap(key)}{UNITS.get(key, '')}"


def _gap(key: str) -> str:
    return "\N{NO-BREAK SPACE}" if UNITS.get(key, "°") != "°" else ""


def usual_words(metric: MetricSaid, day: str) -> str:
    """ "Usual for you on day 12: 3 to 6"; blank where the twin says no range."""
    if metric.low90 is None or metric.high90 is None:
        return ""
    places = wording.decimals(metric.key)
    low, high = wording.number(metric.low90, places), wording.number(metric.high90, places)
    span = low if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}
    span = f"{span}{_gap(metric.key)}{UNITS.get(metric.key, '')}"
    return _("Usual for you on %(day)s: %(span)s") % {"day": day, "span": span}


def _hour_of_latest(metric: MetricSaid, seen: Observed | None, hour: float) -> float:
    """A daily total is of its own day; other readings are compared with now."""
    latest = last_hour(seen)
    return latest if is_daily(metric.key) and latest is not None else hour


def _when(metric: MetricSaid, day: str, zone: ZoneInfo) -> str:
    if metric.now_at is None or metric.now is None:
        return ""
    if is_daily(metric.key):
        return _("on %(day)s, the last whole day") % {"day": day}
    return portal_words.moment(metric.now_at, zone)


def _verdict(metric: MetricSaid, said: Said | None) -> str:
    if metric.now is None or is_stale(metric):
        return _("No reading lately.")
    place = band_place(metric)
    if said is not None and is_grave(metric, said):
        if metric.key == "pain":
            return _("That is a lot of pain, even if it can happen at this time. Please tell your care team.")
        return _("Please ask your care team about this reading.")
    if place in (ABOVE, BELOW):
        return _away_words(metric, "higher" if place == ABOVE else "lower")
    return _("As expected for you.") if place else ""


def _away_words(metric: MetricSaid, side: str) -> str:
    better = METRICS[metric.key].better if metric.key in METRICS else "baseline"
    if better == side:
        return (
            _("Higher than we expected: a good sign.")
            if side == "higher"
            else _("Lower than we expected: a good sign.")
        )
    return _("Higher than we expected.") if side == "higher" else _("Lower than we expected.")


def _is_away(metric: MetricSaid, said: Said) -> bool:
    return band_place(metric) in (ABOVE, BELOW) or is_grave(metric, said)
