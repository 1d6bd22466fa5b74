"""Words for what is planned: changes of an operation, and a pathway in a line."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from recovery.pathway_plan import WEEKDAYS
from recovery.selectors.pathways import PathwaySeen
from recovery.selectors.plans import ChangeSeen

WHAT = {"day_zero": "Operation", "team": "Team", "status": "Following", "pathway": "Pathway", "surgeon": "Surgeon"}
STATUS = {"active": "followed", "finished": "ended"}


def change_words(change: ChangeSeen, teams: Mapping[str, str], zone: ZoneInfo) -> str:
    before, after = (_value(change.what, one, teams, zone) for one in (change.before, change.after))
    return f"{before} → {after}"


def _value(what: str, said: Mapping[str, Any], teams: Mapping[str, str], zone: ZoneInfo) -> str:
    if what == "day_zero":
        return moment_words(said.get("end"), zone)
    if what == "team":
        return teams.get(str(said.get("team")), str(said.get("team") or "no team"))
    if what == "status":
        return STATUS.get(str(said.get("status")), str(said.get("status")))
    if what == "surgeon":
        return f"{said.get('surgeon') or 'nobody named'}{' (written by the team)' if said.get('by_hand') else ''}"
    return f"{said['key']} v{said['version']}" if said.get("key") else "the shipped plan"


def moment_words(text: object, zone: ZoneInfo) -> str:
    if not text:
        return "no time"
    at = datetime.fromisoformat(str(text)).astimezone(zone)
    return f"{at:%-d %b %Y, %H:%M}"


def pathway_line(seen: PathwaySeen) -> str:
    """What a pathway brings, in one sentence."""
    plan = seen.plan
    asked = sum(len(one.days) for one in plan.check_ins)
    watch = plan.watch_hours[0] if plan.watch_hours else None
    hours = f"watched {days_words(watch.days)} {watch.start} to {watch.end}" if watch else "no watch hours"
    numbers = "patient sees numbers" if plan.patient_sees_numbers else "patient sees words"
    return f"{seen.days} days, {asked} check-ins, {len(plan.milestones)} milestones, {hours}, {numbers}."


def days_words(days: tuple[int, ...]) -> str:
    """(0, 1, 2, 3, 4) -> "Mon to Fri"; (5, 6) -> "Sat, Sun"."""
    ordered = sorted(days)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{WEEKDAYS[ordered[0]]} to {WEEKDAYS[ordered[-1]]}"
    return ", ".join(WEEKDAYS[day] for day in ordered)
