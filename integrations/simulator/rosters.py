"""The demo's on-call roster: who is told of the synthetic ward's alerts in the week from the anchor on."""

from contextlib import suppress
from datetime import datetime, timedelta

from integrations.simulator.accounts import TEAMS
from integrations.simulator.cast import WARD_B
from recovery.audit import Actor
from recovery.exceptions import Conflict
from recovery.selectors.roster import team_people
from recovery.services import enrolment, rosters

DAYS = 7
BY_DAY = timedelta(hours=12)


def fill_roster(*, actor: Actor, now: datetime) -> None:
    """Ward B's nurse is first on call by day, its lead is called second; nights are left open, so that the page shows
    what a gap looks like. Turns that are there stay."""
    team = enrolment.open_team(key=WARD_B, name=TEAMS[WARD_B], is_demo=True, actor=actor, now=now)
    people = team_people(team, now)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(DAYS):
        start = midnight + timedelta(days=day, hours=7)
        for person in people:
            level = "on_call_second" if person.is_lead else "on_call_first"
            with suppress(Conflict):
                rosters.add_shift(
                    team=team, user_id=person.id, level=level, start=start, until=start + BY_DAY, actor=actor, now=now
                )
