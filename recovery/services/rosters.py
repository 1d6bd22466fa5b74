"""The on-call roster: who is to be told, and the leads' way of writing it."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import RosterShift, Team, User
from recovery.pathway_plan import ESCALATE_TO
from recovery.selectors.roster import members

LONGEST_SHIFT = timedelta(days=7)
LONGEST_AHEAD = timedelta(days=366)


def on_call(team: Team, level: str, now: datetime) -> list[User]:
    turns = RosterShift.objects.filter(team=team, level=level, start__lte=now, until__gt=now)
    return list(members(team, now).filter(pk__in=turns.values("user_id")))


def people_for(team: Team | None, level: str, now: datetime) -> tuple[list[User], str]:
    """Whom a step to `level` tells, and the sentence that says so. A gap tells more people, never fewer."""
    label = ESCALATE_TO.get(level, level)
    if team is None:
        return [], f"{label}: nobody could be told, because the patient is entrusted to no team."
    found = on_call(team, level, now)
    if found:
        return found, f"{label}: {_names(found)} told."
    leads = list(members(team, now).filter(role=User.Role.LEAD)) if level == "lead" else []
    if leads:
        return leads, f"{label}: {_names(leads)} told."
    everybody = list(members(team, now))
    if not everybody:
        return [], f"{label}: nobody could be told, because the team has no members."
    return everybody, f"{label}: nobody is on the roster, so the whole team was told."


def add_shift(
    *, team: Team, user_id: int, level: str, start: datetime, until: datetime, actor: Actor, now: datetime
) -> RosterShift:
    """Put somebody of the team on call. Raises Invalid, or Conflict for the same turn twice."""
    if level not in ESCALATE_TO:
        raise Invalid(f"level must be one of {', '.join(ESCALATE_TO)}.", field="level")
    if not now - LONGEST_SHIFT < start < until or until - start > LONGEST_SHIFT or start > now + LONGEST_AHEAD:
        raise Invalid("A turn ends after it begins, lasts up to 7 days, and begins within a year.", field="until")
    person = members(team, now).filter(pk=user_id).first()
    if person is None:
        raise Invalid("Only the team's own staff can be on call for it.", field="user")
    try:
        with transaction.atomic():
            shift = RosterShift.objects.create(
                team=team, user=person, level=level, start=start, until=until, noted_by=actor.name
            )
            _note(shift, "roster_add", actor, now)
    except IntegrityError:
        raise Conflict("This turn is on the roster already.") from None
    return shift


def remove_shift(*, team: Team, shift_id: int, actor: Actor, now: datetime) -> None:
    """Take a turn off the roster. Raises NotFound."""
    with transaction.atomic():
        shift = RosterShift.objects.select_for_update().filter(team=team, pk=shift_id).first()
        if shift is None:
            raise NotFound("There is no such turn.")
        _note(shift, "roster_remove", actor, now)
        shift.delete()


def _note(shift: RosterShift, action: str, actor: Actor, now: datetime) -> None:
    said = {
        "user": shift.user_id,
        "level": shift.level,
        "start": shift.start.isoformat(),
        "until": shift.until.isoformat(),
    }
    audit.record(actor=actor, now=now, action=action, entity=f"Team/{shift.team.key}", detail=said)


def _names(people: list[User]) -> str:
    return ", ".join(one.get_full_name() or one.get_username() for one in people)
