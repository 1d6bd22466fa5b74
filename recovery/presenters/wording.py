"""Words for numbers: units, times, ages, days and states, so that every page says the same thing the same way."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.selectors.people import Person
from recovery.twin.metrics import METRICS
from recovery.twin.signals import FRESH_H

# Judgement of the product ("G", site-configurable later): past these ages a number greys and says so.
STALE_READING_HOURS = 24.0
# Blood is drawn in the morning rounds: a value speaks for a day and a half, as long as the twin takes it for current.
STALE_BLOOD_HOURS = FRESH_H["report"]
STALE_SNAPSHOT_HOURS = 3.0

STATES = {
    "act": "Act now",
    "review": "Review today",
    "watch": "Watch",
    "on_track": "On track",
    "no_data": "No data",
}
STATE_ORDER = tuple(STATES)

# UCUM code to what people read; an unknown code is shown as sent rather than dropped.
UNITS = {
    "/min": "/min",
    "%": "%",
    "Cel": "°C",
    "/d": "steps a day",
    "{score}": "of 10",
    "m/s": "m/s",
    "m": "m",
    "deg": "°",
    "10*9/L": "× 10⁹/L",
    "%{BW}": "% of body weight",
}
TIERS = {
    "implant": "Implant",
    "cleared": "Cleared medical device",
    "consumer": "Consumer wearable",
    "self_report": "Self-report",
}
MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
MISSING = "no reading"


def decimals(metric: str) -> int:
    return METRICS[metric].decimals if metric in METRICS else 1


def number(value: float | None, places: int = 0) -> str:
    """A plain decimal, thousands set apart, a true minus sign; never "None" or "nan"."""
    if value is None:
        return MISSING
    rounded = round(value, places) + 0.0
    text = f"{abs(rounded):,.{places}f}".replace(",", THIN)
    return f"{MINUS}{text}" if rounded < 0 else text


def unit(code: str, metric: str = "") -> str:
    """The unit for people; a score is "of" the highest that its metric can be."""
    if code == "{score}" and metric in METRICS:
        return f"of {METRICS[metric].plausible[1]:g}"
    return UNITS.get(code, code.strip("{}"))


def quantity(value: float | None, metric: str, code: str) -> str:
    """The number with its unit: "37.2 °C", "1 204 a day", "94 %", "112°"."""
    if value is None:
        return MISSING
    word = unit(code, metric)
    gap = "" if word == "°" or not word else "\N{NO-BREAK SPACE}"
    return f"{number(value, decimals(metric))}{gap}{word}"


def span(low: float | None, high: float | None, metric: str) -> str:
    """ "64 to 80"; one number when both round to it; blank when either is missing."""
    if low is None or high is None:
        return ""
    places = decimals(metric)
    first, last = number(low, places), number(high, places)
    return first if first == last else f"{first} to {last}"


def age_of(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the coarsest honest unit: "2 min ago", "5 h ago", "3 days ago"."""
    if moment is None:
        return "never"
    minutes = int((now - moment) / timedelta(minutes=1))
    if minutes < -1:
        return "in the future: check the device clock"
    if minutes < 1:
        return "just now"
    return f"{lasting(minutes / 60.0)} ago"


def lasting(hours: float) -> str:
    """A duration: "40 min", "5 h", "3 days"."""
    if hours < 1.5:
        return f"{max(1, round(hours * 60))} min"
    return f"{round(hours)} h" if hours < 48 else f"{int(hours // 24)} days"


def held_out(ahead_h: float) -> str:
    """Why a reading dated ahead of the clock is not in the twin."""
    return f"Held out: dated {lasting(ahead_h)} ahead of the clock"


def held_out_until(ahead_h: float) -> str:
    """The same, with what becomes of it and what to do."""
    return (
        f"{held_out(ahead_h)}. It is kept as sent and comes in when that time is here; check the clock and time zone of"
        " the device"
    )


def clock(moment: datetime | None, zone: ZoneInfo) -> str:
    """ "Thu 19 Nov 14:05" in the hospital's time."""
    return moment.astimezone(zone).strftime("%a %-d %b %H:%M") if moment else "no time"


def dated(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%-d %b %Y %H:%M")


def calendar_day(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%a %-d %b")


def short_date(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%-d %b")


def birth(born: date | None, today: date) -> str:
    """ "4 Mar 1956 (70 y)"."""
    if born is None:
        return "birth date not known"
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return f"{born.strftime('%-d %b %Y')} ({years} y)"


def recovery_day(hour: float | None) -> str:
    """Postoperative day in words: day k is the 24 h from surgery end + 24k h."""
    if hour is None:
        return "day of surgery not known"
    if hour < 0:
        days = int(-hour // 24)
        return "surgery within 24 h" if days == 0 else f"{days} day{'s' if days > 1 else ''} before surgery"
    return f"day {int(hour // 24)}"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def origin_label(person: Person) -> str:
    """Synthetic or imported people are labelled wherever they are shown."""
    if person.is_synthetic:
        return "synthetic patient"
    return person.origin
