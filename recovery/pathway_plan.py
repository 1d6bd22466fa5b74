"""What a pathway plans besides its alert rules: check-ins, milestones, ERAS elements, escalation and watch hours.

Plain JSON in `Pathway.content`, read through `Plan`. Every message of a refusal names field, value and remedy.
All shipped numbers are starting points that a site changes [G] unless their source says otherwise.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, TypeVar

from recovery.exceptions import Invalid
from recovery.twin.milestones import ALL_MILESTONES

LAST_DAY = 365
LONGEST_WINDOW_H = 48
LONGEST_WAIT_MINUTES = 24 * 60
MOST_ROWS = 40
ESCALATE_TO: Mapping[str, str] = {
    "on_call_first": "First on call",
    "on_call_second": "Second on call",
    "lead": "Ward lead",
}
PHASES: Mapping[str, str] = {"before": "Before", "during": "During", "after": "After"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
Row = TypeVar("Row")


def _refuse(field_name: str, value: object, remedy: str) -> Invalid:
    return Invalid(f'{field_name}: "{value}" cannot be used. {remedy}', field=field_name)


def _whole(field_name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _refuse(field_name, value, f"Give a whole number from {low} to {high}.")


def _clock(field_name: str, value: object) -> None:
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        raise _refuse(field_name, value, "Give a time of day as 09:00.")


def _known(field_name: str, value: object, choices: Mapping[str, str]) -> None:
    if value not in choices:
        raise _refuse(field_name, value, f"Choose one of {', '.join(choices)}.")


def _words(field_name: str, value: object, longest: int) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise _refuse(field_name, value, f"Write 1 to {longest} characters.")


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Questionnaire `questionnaire` (its key) on these postoperative days at `time`, the patient's clock; answers
    count until `window_h` hours later."""

    questionnaire: str
    days: tuple[int, ...]
    time: str
    window_h: int

    def __post_init__(self) -> None:
        name = "check_ins.questionnaire"
        if not isinstance(self.questionnaire, str) or not KEY.fullmatch(self.questionnaire):
            raise _refuse(name, self.questionnaire, "Give the key of a questionnaire: small letters, digits, - or _.")
        if not self.days:
            raise _refuse("check_ins.days", "", "Name at least one day after the operation.")
        for day in self.days:
            _whole("check_ins.days", day, 0, LAST_DAY)
        if len(set(self.days)) < len(self.days):
            raise _refuse("check_ins.days", self.days, "Name each day once.")
        _clock("check_ins.time", self.time)
        _whole("check_ins.window_h", self.window_h, 1, LONGEST_WINDOW_H)


@dataclass(frozen=True, slots=True)
class Target:
    """A milestone that is expected by the end of postoperative day `by_day`. `key`: of twin.milestones, or the site's
    own, which people tick off."""

    key: str
    label: str
    by_day: int

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not KEY.fullmatch(self.key):
            raise _refuse("milestones.key", self.key, "Use small letters, digits, - or _.")
        _words("milestones.label", self.label, 120)
        _whole("milestones.by_day", self.by_day, 0, LAST_DAY)

    @property
    def is_watched_by_the_twin(self) -> bool:
        return self.key in ALL_MILESTONES


@dataclass(frozen=True, slots=True)
class ErasElement:
    """One element of enhanced recovery that the team does. `phase`: before, during or after the operation."""

    label: str
    phase: str

    def __post_init__(self) -> None:
        _words("eras.label", self.label, 120)
        _known("eras.phase", self.phase, PHASES)


@dataclass(frozen=True, slots=True)
class Step:
    """An alert that nobody has taken is told to `to` (a key of ESCALATE_TO) after so many minutes of watch hours."""

    after_minutes: int
    to: str

    def __post_init__(self) -> None:
        _whole("escalation.after_minutes", self.after_minutes, 1, LONGEST_WAIT_MINUTES)
        _known("escalation.to", self.to, ESCALATE_TO)


@dataclass(frozen=True, slots=True)
class Watch:
    """Hours in which the team looks: weekdays (0 = Monday) from `start` to `end`, the hospital's clock."""

    days: tuple[int, ...]
    start: str
    end: str

    def __post_init__(self) -> None:
        if not self.days:
            raise _refuse("watch_hours.days", "", "Name at least one weekday.")
        for day in self.days:
            _whole("watch_hours.days", day, 0, 6)
        _clock("watch_hours.start", self.start)
        _clock("watch_hours.end", self.end)
        if self.start >= self.end:
            raise _refuse("watch_hours.end", self.end, f"It must be later than {self.start}; a night is two rows.")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of one pathway that people plan. `budget`: alerts a patient-week that the team can bear."""

    check_ins: tuple[CheckIn, ...] = ()
    milestones: tuple[Target, ...] = ()
    eras: tuple[ErasElement, ...] = ()
    escalation: tuple[Step, ...] = ()
    watch_hours: tuple[Watch, ...] = ()
    budget: float = 1.0
    patient_sees_numbers: bool = False

    def __post_init__(self) -> None:
        self._refuse_repetition("milestones.key", [one.key for one in self.milestones])
        for before, after in pairwise(self.escalation):
            if after.after_minutes <= before.after_minutes:
                raise _refuse("escalation.after_minutes", after.after_minutes, "Each step comes later than the last.")
        if not isinstance(self.budget, int | float) or not 0 < self.budget <= 50:
            raise _refuse("budget", self.budget, "Give alerts a patient-week, above 0 and at most 50.")
        if not isinstance(self.patient_sees_numbers, bool):
            raise _refuse("patient_sees_numbers", self.patient_sees_numbers, "Give true or false.")

    @staticmethod
    def _refuse_repetition(name: str, keys: Sequence[str]) -> None:
        for key in keys:
            if keys.count(key) > 1:
                raise _refuse(name, key, "Name each one once.")

    def check_within(self, days: int) -> None:
        """Raises Invalid where something is planned for after the pathway's last day."""
        for one in self.check_ins:
            if max(one.days) > days:
                raise _refuse("check_ins.days", max(one.days), f"The pathway ends on day {days}.")
        for target in self.milestones:
            if target.by_day > days:
                raise _refuse("milestones.by_day", target.by_day, f"The pathway ends on day {days}.")

    def to_plain(self) -> dict[str, Any]:
        plain = asdict(self)
        return {key: list(map(_listed, value)) if isinstance(value, tuple) else value for key, value in plain.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Plan":
        """Inverse of `to_plain`; what is not said is as shipped. Raises Invalid."""
        given = {key: plain[key] for key in plain if key in ROWS}
        rows = {key: tuple(_row(key, ROWS[key], one) for one in _list(key, value)) for key, value in given.items()}
        said = {key: plain[key] for key in ("budget", "patient_sees_numbers") if key in plain}
        unknown = sorted(set(plain) - ROWS.keys() - {"budget", "patient_sees_numbers"})
        if unknown:
            raise _refuse(unknown[0], plain[unknown[0]], f"Known are {', '.join([*ROWS, *said])}.")
        shipped = {key: getattr(DEFAULT_PLAN, key) for key in ROWS}
        return cls(**{**shipped, **rows, **said})


ROWS: Mapping[str, Callable[..., Any]] = {
    "check_ins": CheckIn,
    "milestones": Target,
    "eras": ErasElement,
    "escalation": Step,
    "watch_hours": Watch,
}


def _list(name: str, value: object) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or len(value) > MOST_ROWS:
        raise _refuse(name, value, f"Give a list of at most {MOST_ROWS} rows.")
    return value


def _row(name: str, kind: Callable[..., Row], plain: object) -> Row:
    if not isinstance(plain, Mapping):
        raise _refuse(name, plain, "Each row is an object.")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
    try:
        return kind(**values)
    except TypeError as problem:
        raise _refuse(name, dict(plain), f"A row lacks a value or has one too many ({problem}).") from problem


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in row.items()}


DEFAULT_PLAN = Plan(
    check_ins=(
        # Pain changes most in the first two weeks (clinical reference 2.4); a daily set takes two minutes (ux 5.6).
        CheckIn("daily", (*range(1, 15), 17, 21, 24, 28, 30), "09:00", 12),
        # The days for which the reference has QoR-15 norms (2.4); free with citation (1.5).
        CheckIn("qor15", (1, 3, 7, 30), "10:00", 24),
    ),
    milestones=(
        # Colorectal: 1,000 steps on day 1 go with a shorter stay [V: clinical reference 1.2]; the day is a start [G].
        Target("steps_1000", "1,000 steps a day", 3),
        Target("qor15_good", "Feels well again (QoR-15 at 122)", 14),
    ),
    # Elements common to the ERAS Society's guidelines, without their numbers [G]: the site writes its own.
    eras=(
        ErasElement("Informed and trained for the operation", "before"),
        ErasElement("Clear fluids until two hours before anaesthesia", "before"),
        ErasElement("Opioid-sparing pain relief", "during"),
        ErasElement("Kept warm", "during"),
        ErasElement("Out of bed on the day of the operation", "after"),
        ErasElement("Drinks and eats on the first day", "after"),
        ErasElement("Catheter and drains out as soon as they are not needed", "after"),
    ),
    # 15 min to a second person is the shipped start [G: the hospital's own ladder replaces it].
    escalation=(Step(15, "on_call_second"), Step(30, "lead")),
    watch_hours=(Watch((0, 1, 2, 3, 4), "08:00", "18:00"),),
    budget=1.0,  # at home about one alert a patient-week [G: clinical reference, rule 11]
    patient_sees_numbers=False,  # ux 5.5: default words and the usual range
)
