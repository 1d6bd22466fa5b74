"""What differs between two versions of a pathway, in words; and what one plans, day by day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recovery.pathway_plan import ESCALATE_TO, PHASES, Plan
from recovery.presenters.plans import days_words
from recovery.selectors.pathways import VersionSeen

CAUSES: Mapping[str, str] = {
    "suspicion": "Suspected complication",
    "deterioration": "Vital signs off their course",
    "news2": "NEWS2 score",
    "risk": "Chance of a complication",
    "activity": "Less activity than expected",
    "pain": "More pain than expected",
    "data_stopped": "Data stopped (hours)",
    "device_fault": "Device fault (share refused)",
    "model_uncertain": "Model uncertain",
}
RULE_WORDS = {
    "raise_at": "raises at",
    "close_at": "clears below",
    "high_at": "graver from",
    "hits": "hours needed",
    "window_h": "of the last hours",
    "close_after_h": "clears after hours",
    "again_after_h": "told again after hours",
    "severity": "severity",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """`before` or `after` blank: added or removed."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparable:
    """What of a version, published or not, can be compared."""

    name: str
    procedure: str
    days: int
    policy: Mapping[str, Any]
    plan: Plan


def comparable(seen: VersionSeen) -> Comparable:
    return Comparable(seen.seen.name, seen.seen.procedure, seen.seen.days, seen.policy, seen.seen.plan)


def differences(old: Comparable, new: Comparable) -> tuple[Difference, ...]:
    return tuple([*_plain(old, new), *_lists(old.plan, new.plan), *_rules(old.policy, new.policy)])


def _plain(old: Comparable, new: Comparable) -> Iterator[Difference]:
    pairs = (
        ("Name", old.name, new.name),
        ("Operation", old.procedure or "any", new.procedure or "any"),
        ("Days", str(old.days), str(new.days)),
        ("Alerts a patient-week that the team can bear", f"{old.plan.budget:g}", f"{new.plan.budget:g}"),
        ("Patient sees", _sees(old.plan), _sees(new.plan)),
    )
    return (Difference(*pair) for pair in pairs if pair[1] != pair[2])


def _sees(plan: Plan) -> str:
    return "numbers" if plan.patient_sees_numbers else "words"


def part_words(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Each row of a plan as one line."""
    return {
        "Check-in": tuple(
            f"{one.questionnaire} at {one.time}, open {one.window_h} h, days {', '.join(map(str, one.days))}"
            for one in plan.check_ins
        ),
        "Milestone": tuple(f"{one.label} by day {one.by_day}" for one in plan.milestones),
        "ERAS": tuple(f"{PHASES[one.phase]}: {one.label}" for one in plan.eras),
        "Escalation": tuple(f"after {one.after_minutes} min: {ESCALATE_TO[one.to]}" for one in plan.escalation),
        "Watch hours": tuple(f"{days_words(one.days)}, {one.start} to {one.end}" for one in plan.watch_hours),
    }


def _lists(old: Plan, new: Plan) -> Iterator[Difference]:
    before, after = part_words(old), part_words(new)
    for what in before:
        gone = [row for row in before[what] if row not in after[what]]
        come = [row for row in after[what] if row not in before[what]]
        yield from (Difference(what, row, "") for row in gone)
        yield from (Difference(what, "", row) for row in come)


def _rules(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = ({rule["cause"]: rule for rule in policy["rules"]} for policy in (old, new))
    for cause in dict.fromkeys([*before, *after]):
        label = f"Alert: {CAUSES.get(cause, cause)}"
        if cause not in after or cause not in before:
            yield Difference(label, "on" if cause in before else "", "on" if cause in after else "")
            continue
        for name, words in RULE_WORDS.items():
            one, two = before[cause].get(name), after[cause].get(name)
            if one != two:
                yield Difference(f"{label}, {words}", _said(one), _said(two))


def _said(value: object) -> str:
    return "never" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)


def by_day(plan: Plan) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """What happens on each day that has something: the preview."""
    days: dict[int, list[str]] = {}
    for one in sorted(plan.check_ins, key=lambda one: one.time):
        for day in one.days:
            days.setdefault(day, []).append(f"{one.time} {one.questionnaire}")
    for target in plan.milestones:
        days.setdefault(target.by_day, []).append(f"expected: {target.label}")
    return tuple((day, tuple(days[day])) for day in sorted(days))


def rule_rows(rules: Sequence[Mapping[str, Any]], on: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """The alert rules as the editor shows them, with their source."""
    return tuple(
        {**rule, "label": CAUSES.get(rule["cause"], rule["cause"]), "on": rule["cause"] in on} for rule in rules
    )
