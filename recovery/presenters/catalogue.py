"""The alert catalogue in words: when a rule raises, when it closes, how grave, and where its numbers come from."""

from dataclasses import dataclass

from recovery.pathway_plan import ESCALATE_TO, WEEKDAYS, Plan
from recovery.presenters.alerts import KINDS, SEVERITIES
from recovery.selectors.catalogue import PolicyShown, steps_of, title_of
from recovery.twin.alert_policy import Rule

# What the number of a rule is, by cause (twin.alert_measures).
MEASURES = {
    "suspicion": "chance that a complication is under way",
    "deterioration": "strength of the vital signs' deviation from the own course",
    "news2": "NEWS2 points",
    "risk": "chance of a complication within 24 h",
    "activity": "strength of the deviation of steps",
    "pain": "strength of the deviation of pain",
    "data_stopped": "hours since the newest reading",
    "device_fault": "share of the last day's readings refused",
    "model_uncertain": "1 while the model abstains",
}


@dataclass(frozen=True, slots=True)
class RuleShown:
    cause: str
    title: str
    lane: str
    severity: str
    severity_word: str
    raises: str
    graver: str
    closes: str
    again: str
    source: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyView:
    version: str
    pathways: str
    is_readable: bool
    rules: tuple[RuleShown, ...]
    ladder: tuple[str, ...]
    hours: tuple[str, ...]
    budget: str


def catalogue_view(found: tuple[PolicyShown, ...]) -> tuple[PolicyView, ...]:
    return tuple(
        PolicyView(
            version=one.version,
            pathways=", ".join(one.pathways),
            is_readable=one.is_readable,
            rules=tuple(_rule(rule) for rule in one.rules),
            ladder=_ladder(one.plan),
            hours=tuple(
                f"{', '.join(WEEKDAYS[day] for day in w.days)} {w.start} to {w.end}" for w in one.plan.watch_hours
            ),
            budget=f"{one.plan.budget:g} alerts a patient-week",
        )
        for one in found
    )


def _rule(rule: Rule) -> RuleShown:
    measure = MEASURES.get(rule.cause, rule.cause)
    looks = "at one look" if rule.hits == 1 else f"in {rule.hits} of {rule.window_h} hours"
    quiet = f"for {rule.close_after_h:g} h" if rule.close_after_h else "at the next look"
    return RuleShown(
        cause=rule.cause,
        title=title_of(rule.cause),
        lane=KINDS.get(rule.kind, rule.kind),
        severity=rule.severity,
        severity_word=SEVERITIES[rule.severity],
        raises=f"{measure} at {rule.raise_at:g} or more {looks}",
        graver=f"one step graver from {rule.high_at:g}" if rule.high_at is not None else "",
        closes=f"below {rule.close_at:g} {quiet}",
        again=f"told again after {rule.again_after_h:g} h" if rule.again_after_h is not None else "",
        source=rule.source,
        steps=steps_of(rule.cause),
    )


def _ladder(plan: Plan) -> tuple[str, ...]:
    return tuple(f"after {step.after_minutes} min: {ESCALATE_TO.get(step.to, step.to)}" for step in plan.escalation)
