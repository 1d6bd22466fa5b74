"""The home page around the person's own course: today's one task, goals, the next visit."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from recovery.presenters import portal_words
from recovery.presenters.check_ins import watch_words
from recovery.selectors.portal_home import Goal, Home, PlanText
from recovery.selectors.snapshot import Said, headline_risk


@dataclass(frozen=True, slots=True)
class Task:
    """`slot` blank: nothing to do now, and `words` says so."""

    title: str
    words: str
    slot: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class GoalView:
    key: UUID
    text: str
    closeness: int
    words: str
    since: str


@dataclass(frozen=True, slots=True)
class HomeView:
    task: Task
    watch: str
    goals: tuple[GoalView, ...]
    visit: str
    plans: tuple[PlanText, ...]
    shown_at: str
    done_slot: str


def home_view(home: Home, now: datetime, language: str) -> HomeView:
    zone = ZoneInfo(home.zone)
    return HomeView(
        task=task_of(home, zone, now, language),
        watch=watch_words(home.watch, is_elsewhere=_is_elsewhere(home, now)),
        goals=tuple(_goal(one, zone, language) for one in home.goals),
        visit=_visit(home, zone),
        plans=home.plans,
        shown_at=portal_words.moment(now, zone),
        done_slot=home.sent.slot if home.sent else "",
    )


def _is_elsewhere(home: Home, now: datetime) -> bool:
    hospital = ZoneInfo(home.hospital_zone)
    return now.astimezone(ZoneInfo(home.zone)).utcoffset() != now.astimezone(hospital).utcoffset()


def task_of(home: Home, zone: ZoneInfo, now: datetime, language: str) -> Task:
    """The one thing to do today; done, or when the next one comes."""
    if home.todo:
        slot, form = home.todo[0]
        until = _("Please answer until %(when)s.") % {"when": portal_words.moment(slot.closes, zone)}
        return Task(form.title(language), until, slot.name, False)
    if home.sent is not None:
        words = _("You have done today's check-in. Thank you.")
    else:
        words = _("There is nothing to do now.")
    if home.coming is not None:
        words += " " + _("The next questions come %(when)s.") % {"when": portal_words.moment(home.coming.opens, zone)}
    return Task(_("Today"), words, "", home.sent is not None)


def _goal(goal: Goal, zone: ZoneInfo, language: str) -> GoalView:
    return GoalView(
        key=goal.key,
        text=goal.text,
        closeness=goal.closeness,
        words=_("You are there.") if goal.closeness == 10 else _how_close(goal.closeness, language),
        since=portal_words.day(goal.updated_at, zone),
    )


def _how_close(closeness: int, language: str) -> str:
    return _("%(number)s of 10 there") % {"number": closeness}


def _visit(home: Home, zone: ZoneInfo) -> str:
    if home.visit is None:
        return ""
    parts = (portal_words.moment(home.visit.at, zone), home.visit.words, home.visit.place)
    return portal_words.listed([one for one in parts if one])


def risk_words(said: Said | None) -> str:
    """The week's chance of any complication out of 100, with its range and its other side (ux 2); only where the
    pathway lets patients see numbers."""
    risk = headline_risk(said.risks) if said else None
    if risk is None or risk.probability is None or risk.low is None or risk.high is None:
        return ""
    parts = {"n": round(100 * risk.probability), "low": round(100 * risk.low), "high": round(100 * risk.high)}
    words = {name: str(min(max(value, 1), 99)) for name, value in parts.items()}
    words["rest"] = str(100 - int(words["n"]))
    return (
        _(
            "Of 100 people like you, about %(n)s have a problem after surgery in the next 7 days"
            " (likely between %(low)s and %(high)s). About %(rest)s do not."
        )
        % words
    )
