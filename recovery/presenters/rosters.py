"""The roster in words: whose turn it is, and where nobody's is."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from recovery.pathway_plan import ESCALATE_TO
from recovery.presenters import wording
from recovery.selectors.roster import Colleague, Gap, TeamRoster, Turn

SHOWN_GAPS = 6
WITHOUT = {
    "on_call_first": "New alerts then go to the whole team.",
    "on_call_second": "Escalations then go to the whole team.",
    "lead": "Escalations then go to the team's leads.",
}


@dataclass(frozen=True, slots=True)
class TurnLine:
    id: int
    name: str
    when: str
    counts: bool


@dataclass(frozen=True, slots=True)
class LevelView:
    key: str
    label: str
    turns: tuple[TurnLine, ...]
    gaps: tuple[str, ...]
    more_gaps: int
    without: str


@dataclass(frozen=True, slots=True)
class RosterView:
    key: str
    name: str
    levels: tuple[LevelView, ...]
    people: tuple[Colleague, ...]
    may_edit: bool


def roster_view(found: TeamRoster, zone: ZoneInfo) -> RosterView:
    levels = tuple(_level(key, found.turns[key], found.gaps[key], zone) for key in ESCALATE_TO)
    return RosterView(found.key, found.name, levels, found.people, found.may_edit)


def _level(key: str, turns: Sequence[Turn], gaps: Sequence[Gap], zone: ZoneInfo) -> LevelView:
    return LevelView(
        key,
        ESCALATE_TO[key],
        tuple(TurnLine(one.id, one.name, _span(one, zone), one.counts) for one in turns),
        tuple(_span(one, zone) for one in gaps[:SHOWN_GAPS]),
        max(0, len(gaps) - SHOWN_GAPS),
        WITHOUT[key],
    )


def _span(one: Turn | Gap, zone: ZoneInfo) -> str:
    return f"{wording.clock(one.start, zone)} to {wording.clock(one.until, zone)}"
