"""FHIR R4 primitive values: their exact forms (datatypes.html#primitive) and the moments that dates stand for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
PATIENT_REFERENCE = re.compile(r"Patient/([A-Za-z0-9\-.]{1,64})")
DEVICE_REFERENCE = re.compile(r"Device/[A-Za-z0-9\-.]{1,64}")
LOCAL_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?")
# Characters that no FHIR string may hold: below 32 except tab, carriage return and line feed.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

_DATE_TIME = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_EXACT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,3}))?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1)
DAY_MS = 86_400_000
LONGEST_OFFSET_MS = 14 * 3_600_000


@dataclass(frozen=True, slots=True)
class ExactTime:
    """A date and time to the second or better: milliseconds since 1970, and how it was written."""

    ms: int
    offset: str  # Z or +hh:mm, as written
    digits: int  # digits of the fraction of a second, 0 to 3


def offset_ms(offset: str) -> int | None:
    """Milliseconds east of UTC, or None for an offset that no place has."""
    if offset == "Z":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    size = (hours * 60 + minutes) * 60_000
    if minutes > 59 or size > LONGEST_OFFSET_MS:
        return None
    return -size if offset[0] == "-" else size


def exact_time(text: object) -> ExactTime | None:
    """The moment `text` names when it is written to the second or millisecond with an offset; else None."""
    return _exact_time(text) if type(text) is str else None


@lru_cache(maxsize=4096)  # readings of many patients share their times
def _exact_time(text: str) -> ExactTime | None:
    match = _EXACT.fullmatch(text)
    if match is None:
        return None
    body, fraction, offset = match.groups()
    east = offset_ms(offset)
    try:
        since = datetime.fromisoformat(body) - _EPOCH
    except ValueError:
        return None
    if east is None:
        return None
    digits = len(fraction) if fraction else 0
    parts = int(fraction) * 10 ** (3 - digits) if fraction else 0
    return ExactTime(since.days * DAY_MS + since.seconds * 1000 + parts - east, offset, digits)


def write_time(ms: int, offset: str, digits: int) -> str:
    """The text that `exact_time` read: the inverse for every ExactTime."""
    local = _EPOCH + timedelta(milliseconds=ms + (offset_ms(offset) or 0))
    fraction = f".{local.microsecond // 1000:03d}"[: digits + 1] if digits else ""
    return f"{local.isoformat(timespec='seconds').partition('.')[0]}{fraction}{offset}"


@dataclass(frozen=True, slots=True)
class Span:
    """What a date of any precision stands for: low_ms <= t < high_ms."""

    low_ms: int
    high_ms: int


def span(text: str, *, lenient: bool = False) -> Span:
    """The half-open range of a FHIR date, dateTime or instant; without an offset it is read as UTC.

    `lenient` also takes minutes without seconds, as search parameters may (search.html#date).
    Raises ValueError, with a sentence, for what is no date.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a date: write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz")
    year, month, day, clock, second, fraction, offset = match.groups()
    if clock and not lenient and (second is None or offset is None):
        raise ValueError(f"{text!r} has a time: seconds and an offset (Z or +zz:zz) are then required")
    try:
        start = datetime(int(year), int(month or 1), int(day or 1))
        if clock is None:
            return _date_span(start, month, day)
        return _clock_span(start, clock, second, fraction, offset or "Z")
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a date that exists") from error


def _date_span(start: datetime, month: str | None, day: str | None) -> Span:
    if day:
        end_ms = _ms(start) + DAY_MS
    elif month:
        end_ms = _ms(start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1))
    else:
        end_ms = _ms(start.replace(month=12, day=31)) + DAY_MS
    return Span(_ms(start), end_ms)


def _clock_span(start: datetime, clock: str, second: str | None, fraction: str | None, offset: str) -> Span:
    east = offset_ms(offset)
    hour, minute, seconds = int(clock[:2]), int(clock[3:]), int(second or 0)
    if east is None or hour > 23 or minute > 59 or seconds > 60:
        raise ValueError
    low = _ms(start) + ((hour * 60 + minute) * 60 + seconds) * 1000 - east
    if second is None:
        return Span(low, low + 60_000)
    if fraction is None:
        return Span(low, low + 1000)
    low += int((fraction + "000")[:3])
    return Span(low, low + 10 ** max(0, 3 - len(fraction)))


def _ms(moment: datetime) -> int:
    since = moment - _EPOCH
    return since.days * DAY_MS + since.seconds * 1000


def moment_of(text: str) -> datetime:
    """The first instant of a FHIR date as an aware datetime. Raises ValueError."""
    return from_ms(span(text).low_ms)


def from_ms(ms: int) -> datetime:
    """Times beyond the calendar (the end of the year 9999) are its ends."""
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).replace(tzinfo=UTC)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC) if ms < 0 else datetime(9999, 12, 31, tzinfo=UTC)


def to_ms(moment: datetime) -> int:
    return _ms_exact(moment.astimezone(UTC).replace(tzinfo=None) - _EPOCH)


def _ms_exact(since: timedelta) -> int:
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
