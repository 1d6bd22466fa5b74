"""Every rule that can raise an alert, as the pathways in force have it: the rows that the risk file cites."""

from dataclasses import dataclass

from recovery.models import Pathway
from recovery.pathway_plan import Plan
from recovery.selectors.pathways import plan_of
from recovery.twin.alert_policy import DEFAULT_POLICY, AlertPolicy, BadPolicy, Rule
from recovery.twin.alert_wording import STEPS, TITLES


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """One policy with the pathways that use it. `is_readable` False: what is stored contradicts itself."""

    version: str
    pathways: tuple[str, ...]
    rules: tuple[Rule, ...]
    plan: Plan
    is_readable: bool = True


def policies() -> tuple[PolicyShown, ...]:
    """Active pathways, together where rules, ladder and hours are the same."""
    groups: dict[tuple[AlertPolicy | None, Plan], list[str]] = {}
    for pathway in Pathway.objects.filter(active=True).order_by("name"):
        plan = plan_of(pathway)
        told = Plan(escalation=plan.escalation, watch_hours=plan.watch_hours, budget=plan.budget)
        groups.setdefault((_read(pathway), told), []).append(f"{pathway.name} v{pathway.version}")
    return tuple(
        PolicyShown(
            version=policy.version if policy else "",
            pathways=tuple(names),
            rules=policy.rules if policy else (),
            plan=plan,
            is_readable=policy is not None,
        )
        for (policy, plan), names in groups.items()
    )


def _read(pathway: Pathway) -> AlertPolicy | None:
    try:
        return AlertPolicy.from_plain(pathway.policy) if pathway.policy else DEFAULT_POLICY
    except BadPolicy:
        return None


def title_of(cause: str) -> str:
    return TITLES.get(cause, cause)


def steps_of(cause: str) -> tuple[str, ...]:
    return tuple(STEPS.get(cause, ()))
