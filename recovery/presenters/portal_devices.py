"""A patient's devices in plain words: true to the minute, and always one next step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from recovery.presenters.portal_words import listed, moment
from recovery.selectors.sources import SELF_REPORT, Rivals, SourceSeen
from recovery.twin.metrics import METRICS

QUIET_AFTER = timedelta(hours=2)
# A value of a whole day is there when the day is over, and counted from its start.
QUIET_AFTER_DAILY = timedelta(hours=36)
METRIC_WORDS = {
    "heart_rate": gettext_lazy("pulse"),
    "respiratory_rate": gettext_lazy("breathing"),
    "spo2": gettext_lazy("oxygen"),
    "temperature": gettext_lazy("temperature"),
    "steps": gettext_lazy("steps"),
    "pain": gettext_lazy("pain"),
    "walking_speed": gettext_lazy("walking speed"),
    "cadence": gettext_lazy("steps in a minute"),
    "stride_length": gettext_lazy("length of a stride"),
    "qualified_steps": gettext_lazy("steps counted by the implant"),
    "knee_rom": gettext_lazy("how far the knee bends"),
    "sleep": gettext_lazy("sleep"),
    "qor15": gettext_lazy("how well you feel"),
    "contact_force": gettext_lazy("load on the joint"),
    "implant_temperature": gettext_lazy("temperature at the implant"),
    "relative_implant_load": gettext_lazy("load on the plate"),
}


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """`state`: working, quiet, clock (all that is new is dated ahead), sealed or report."""

    name: str
    maker: str
    gives: str
    state: str
    state_words: str
    newest: str
    newest_value: str
    heard: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Choice:
    source: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ChoiceCard:
    metric: str
    words: str
    choices: tuple[Choice, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Supported:
    name: str
    gives: str
    needs: str


def supported() -> tuple[Supported, ...]:
    """What can send to this hospital, and what each needs; no brand is promised that was not tried."""
    return (
        Supported(
            _("A watch or wristband from your hospital"),
            _("Steps, pulse, breathing, oxygen, sleep"),
            _("Charge it each evening, wear it day and night. Your team sets it up for you."),
        ),
        Supported(
            _("A smart implant"),
            _("Steps, walking and how far the joint bends, once a day"),
            _("Its base station at home, plugged in near your bed."),
        ),
        Supported(
            _("No device"),
            _("Steps, temperature and pulse that you type in here"),
            _("A thermometer, a clock or the step counter of any phone."),
        ),
    )


def device_cards(sources: Sequence[SourceSeen], now: datetime, zone: ZoneInfo) -> tuple[DeviceCard, ...]:
    names = _names(sources)
    return tuple(_card(one, names[one.source], now, zone) for one in sources)


def _names(sources: Sequence[SourceSeen]) -> dict[str, str]:
    """Two devices of one name are told apart by a number."""
    found: dict[str, str] = {}
    for one in sources:
        name = device_name(one)
        same = sum(device_name(other) == name for other in sources if other.source in found)
        found[one.source] = f"{name} ({same + 1})" if same else name
    return found


def _card(one: SourceSeen, name: str, now: datetime, zone: ZoneInfo) -> DeviceCard:
    state, gives = _state(one, now), listed([metric_words(metric) for metric in one.metrics])
    return DeviceCard(
        name=f"{name}: {gives}" if one.tier == SELF_REPORT else name,
        maker=one.maker,
        gives=gives,
        state=state,
        state_words=_state_words(one, state, now),
        newest=moment(one.newest, zone),
        newest_value=value_words(one),
        heard=moment(one.heard, zone),
        next_step=_next_step(state),
    )


def device_name(one: SourceSeen) -> str:
    if one.tier == SELF_REPORT:
        return _("What you type in or answer")
    return one.name or _("A device without a name")


def metric_words(metric: str) -> str:
    return str(METRIC_WORDS.get(metric, metric))


def _state(one: SourceSeen, now: datetime) -> str:
    if one.tier == SELF_REPORT:
        return "report"
    if len(one.sealed) == len(one.metrics):
        return "sealed"
    daily = all(METRICS[metric].grain != "hour" for metric in one.metrics)
    limit = QUIET_AFTER_DAILY if daily else QUIET_AFTER
    if one.newest is not None and now - one.newest <= limit:
        return "working"
    return "clock" if one.ahead_until is not None else "quiet"


def _state_words(one: SourceSeen, state: str, now: datetime) -> str:
    if state == "working":
        return _("Working")
    if state == "sealed":
        return _("Not used: you took back your consent")
    if state == "report":
        return _("Your own words")
    if state == "clock":
        return _("Its clock is ahead")
    return nothing_for(one.newest or now, now)


def nothing_for(newest: datetime, now: datetime) -> str:
    """How long nothing has come, in hours, from two days on in days."""
    hours = int((now - newest).total_seconds() // 3600)
    if hours >= 48:
        return ngettext("Nothing for %(n)d day", "Nothing for %(n)d days", hours // 24) % {"n": hours // 24}
    return ngettext("Nothing for %(n)d hour", "Nothing for %(n)d hours", hours) % {"n": hours}


def _next_step(state: str) -> str:
    if state == "quiet":
        return _("Is it charged, worn, and near your phone or base station? If so, write to your team.")
    if state == "clock":
        return _("Set its date and time right. What it sends is kept, and counts once its time has come.")
    if state == "sealed":
        return _("You can allow it again under My consent.")
    return ""


def value_words(one: SourceSeen) -> str:
    if one.newest_value is None:
        return ""
    metric = METRICS[one.newest_metric]
    return f"{metric_words(one.newest_metric)} {one.newest_value:.{metric.decimals}f}"


def choice_cards(rivals: Iterable[Rivals], sources: Sequence[SourceSeen]) -> tuple[ChoiceCard, ...]:
    names = _names(sources)
    return tuple(
        ChoiceCard(
            metric=one.metric,
            words=metric_words(one.metric),
            choices=tuple(Choice(own.source, names[own.source], own.source == one.chosen) for own in one.sources),
            is_open=not one.chosen,
        )
        for one in rivals
    )
