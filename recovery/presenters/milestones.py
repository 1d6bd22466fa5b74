"""When milestones of recovery are expected, in words and as marks on one axis of postoperative days.

Each is a distribution: the days within which 8 of 10 chances lie, the middle day, and where half of people like this
one are. A milestone whose distribution does not arrive within the pathway says so in a number out of 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recovery.presenters import wording
from recovery.selectors.snapshot import MilestoneSaid, Said
from recovery.twin.milestones import OFF_OPIOIDS
from recovery.twin.of_hundred import out_of_100

LEAST_DAYS = 7  # the axis is never shorter
UNDECIDED = 0.05  # a chance of having arrived already that is worth a word


@dataclass(frozen=True, slots=True)
class MilestoneLine:
    """`*_at`, `range_*`: percentages across the axis of `MilestonesView.last_day` days; blank where not drawn."""

    label: str
    target: str
    is_reached: bool
    sentence: str
    usual: str
    note: str
    source: str
    range_start: str
    range_width: str
    middle_at: str
    usual_at: str


@dataclass(frozen=True, slots=True)
class MilestonesView:
    lines: tuple[MilestoneLine, ...]
    gist: str
    last_day: int
    now_at: str


def milestones_view(said: Said | None, usual_days: Mapping[str, int | None]) -> MilestonesView | None:
    """Those to come first, the nearest first; None where no measure of a milestone has been read. A measure that the
    patient withdrew takes its milestones along."""
    shown = [one for one in said.milestones if _may_show(one, said)] if said else []
    if not shown:
        return None
    shown.sort(key=lambda one: (one.achieved, one.median is None, one.median or 0, -(one.probability or 0.0)))
    day = shown[0].from_day
    last = _last_day(shown, usual_days)
    lines = tuple(_line(one, usual_days, last) for one in shown)
    return MilestonesView(lines, _gist(shown), last, _across(day, last))


def _may_show(one: MilestoneSaid, said: Said) -> bool:
    return one.metric in said.metrics or one.key == OFF_OPIOIDS.key


def _last_day(shown: Sequence[MilestoneSaid], usual_days: Mapping[str, int | None]) -> int:
    ahead = [one for one in shown if not one.achieved]
    named = [day for one in ahead for day in (one.early, one.median, one.late, usual_days.get(one.key))]
    return max(LEAST_DAYS, shown[0].from_day + 1, *(day for day in named if day is not None))


def _line(one: MilestoneSaid, usual_days: Mapping[str, int | None], last: int) -> MilestoneLine:
    usual = usual_days.get(one.key)
    end = last if one.late is None else one.late
    is_drawn = not one.achieved and one.early is not None and (one.late is not None or one.early < last)
    return MilestoneLine(
        label=one.label,
        target=wording.quantity(one.target, one.metric, one.unit) if one.target is not None else "",
        is_reached=one.achieved,
        sentence="Reached." if one.achieved else _sentence(one),
        usual="" if one.achieved or one.key not in usual_days else _usual_words(usual),
        note="" if one.personal else "As is usual after this operation: too few own readings yet.",
        source=one.source,
        range_start=_across(one.early, last) if is_drawn and one.early is not None else "",
        range_width=_across(end - one.early, last) if is_drawn and one.early is not None else "",
        middle_at=_across(one.median, last) if is_drawn and one.median is not None else "",
        usual_at=_across(usual, last) if usual is not None and not one.achieved else "",
    )


def _sentence(one: MilestoneSaid) -> str:
    return f"{_chance_now(one)}{_when(one)}."


def _when(one: MilestoneSaid) -> str:
    if one.median is None:
        return f"{_capital(out_of_100(one.probability or 0.0))} in 100 that it comes within the pathway"
    if one.late is None:
        return f"As likely before as after day {one.median}; {_within(one)}"
    if one.early is None or one.early == one.late:
        return f"Day {one.late}, 8 of 10 chances"
    return f"Day {one.early} to {one.late} (8 of 10 chances), middle day {one.median}"


def _within(one: MilestoneSaid) -> str:
    return f"{out_of_100(one.probability or 0.0)} in 100 that it comes within the pathway"


def _chance_now(one: MilestoneSaid) -> str:
    if one.reached is None or one.reached < UNDECIDED:
        return ""
    return f"{_capital(out_of_100(one.reached))} in 100 that it is reached by day {one.from_day}. "


def _usual_words(day: int | None) -> str:
    if day is None:
        return "Fewer than half of people like this reach it within the pathway."
    return f"Half of people like this by {'the day of surgery' if day == 0 else f'day {day}'}."


def _gist(shown: Sequence[MilestoneSaid]) -> str:
    reached = sum(one.achieved for one in shown)
    following = next((one for one in shown if not one.achieved and one.median is not None), None)
    ahead = f"; next: {following.label}, about day {following.median}" if following else ""
    return f"{reached} of {len(shown)} reached{ahead}"


def _across(day: int, last: int) -> str:
    return f"{100.0 * day / last:.1f}%"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
