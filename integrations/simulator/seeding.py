"""The demo ward's past, taken in as it would have arrived: every six hours, through the door's own mapping.

Each round is one delivery dated with the time of its arrival, so that "what was known then" can be asked of the demo
too. Everything follows from the ward, so that a seeding cut short is simply done again: what is held is unchanged.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from integrations.fhir.receiving import Tray, Wish
from integrations.simulator import accounts, at_work, check_ins, coming, portal, resources, rosters, volunteer
from integrations.simulator.cast import PATIENT_WHO_SIGNS_IN, Member
from integrations.simulator.course import FIRST_HOUR, HOURLY, course_of
from integrations.simulator.remedies import remedies
from integrations.simulator.resources import Json
from integrations.simulator.ward import Ward, surgery_start
from recovery.audit import Actor
from recovery.services import enrolment, refresh
from recovery.services.ingestion import deliver

CHANNEL = "demo"
ACTOR = Actor.system("demo")
ROUND = timedelta(hours=6)
# Twins are brought up to date at each round of the last days only: alerts need a history, and the start is awaited.
LOOKED_AT_FOR = timedelta(hours=30)


class SeedRefused(Exception):
    """The door refused something of the demo: a fault of the demo, told with its reason."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What one seeding did."""

    patients: int
    rounds: int
    new: int
    refreshed: int


def take_in_the_past(ward: Ward, directory: Path) -> Seeded:
    """Take in the whole past of the ward, register the people, and bring the twins up to the anchor."""
    members = ward.members
    opened = ward.anchor - timedelta(days=60)
    accounts.open_wards(actor=ACTOR, now=opened)
    new = refreshed = 0
    rounds = list(rounds_of(ward, members))
    for begin, end in rounds:
        if begin > ward.anchor - check_ins.ANSWERED_FOR and end < ward.anchor:
            check_ins.answer_between(patient=PATIENT_WHO_SIGNS_IN, begin=begin, end=end, actor=ACTOR)
        new += _take_in(ward, members, begin, end)
        if end > ward.anchor - LOOKED_AT_FOR:
            accounts.register_people(directory, actor=ACTOR, now=end)  # before the first alerts: they are told
            portal.take_part(ward, begin, end, actor=ACTOR)
            refresh.owe_silent(now=end)
            refreshed += refresh.refresh_owed(clock=_standing(end))
            at_work.work(ward, begin, end)
    _announce(ward)
    accounts.register_people(directory, actor=ACTOR, now=ward.anchor)
    rosters.fill_roster(actor=ACTOR, now=ward.anchor)
    return Seeded(len(members), len(rounds), new, refreshed)


def _standing(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def rounds_of(ward: Ward, members: Sequence[Member]) -> Iterator[tuple[datetime, datetime]]:
    """(begin, end) of each round, first reading to anchor, on the quarters of the day; the last may be short."""
    first = min(ward.zero(member) + timedelta(hours=FIRST_HOUR) for member in members)
    if ward.has_volunteer:
        first = min(first, volunteer.first_sent(ward))
    begin = first.replace(hour=6 * (first.hour // 6))
    while begin < ward.anchor:
        end = min(begin + ROUND, ward.anchor)
        yield begin, end
        begin = end


def _take_in(ward: Ward, members: Sequence[Member], begin: datetime, end: datetime) -> int:
    """Deliver what arrived in one round; returns how much of it was new."""
    tray = Tray()
    operated: dict[str, str] = {}
    for member in members:
        for resource in documents_between(ward, member, begin, end):
            _take(tray, resource)
            if resource["resourceType"] == "Procedure":
                operated[member.key] = member.team
        for resource in readings_between(ward, member, begin, end):
            _take(tray, resource)
    for resource in volunteer.sent_between(ward, begin, end) if ward.has_volunteer else ():
        _take(tray, resource)
        if resource["resourceType"] == "Procedure":
            operated[volunteer.key()] = volunteer.TEAM
    delivery = tray.delivery(CHANNEL)
    if not (delivery.readings or delivery.packets or delivery.documents):
        return 0
    receipt = deliver(delivery=delivery, actor=ACTOR, now=end, atomic=False)
    refused = [one for one in receipt.outcomes.values() if one.status == "refused"]
    if refused:
        raise SeedRefused(f"{refused[0].type}: {refused[0].reason} ({len(refused)} in all)")
    for patient, team in operated.items():
        enrolment.entrust(patient_fhir_ids=[patient], team_key=team, actor=ACTOR, now=end)
    return sum(one.status == "created" for one in receipt.outcomes.values())


def _announce(ward: Ward) -> None:
    """Operations that are ordered and that no team has taken yet."""
    tray = Tray()
    for resource in coming.ordered(ward):
        _take(tray, resource)
    deliver(delivery=tray.delivery(CHANNEL), actor=ACTOR, now=ward.anchor, atomic=True)


def _take(tray: Tray, resource: Json) -> None:
    index = len(tray.readings) + len(tray.packets) + len(tray.documents)
    known = resource.get("id")
    tray.take(resource, Wish(index, "put" if known else "create", known))


def documents_between(ward: Ward, member: Member, begin: datetime, end: datetime) -> list[Json]:
    """What was written about the member in begin <= t < end, in its order."""
    return [made() for at, made in _story(ward, member) if begin <= at < end]


def _story(ward: Ward, member: Member) -> Iterator[tuple[datetime, Callable[[], Json]]]:
    """(time, resource) of each document of the member."""
    met = ward.zero(member) + timedelta(hours=FIRST_HOUR)
    operated = ward.surgery_end(member)
    admitted = surgery_start(ward, member) - timedelta(hours=3)
    yield met, lambda: resources.patient(member)
    yield met, lambda: resources.watch(member)
    for one in (*resources.history(ward, member), *resources.factors(ward, member)):
        yield admitted, partial(dict, one)
    yield operated, lambda: resources.procedure(ward, member)
    yield operated, lambda: resources.blood_loss(ward, member)
    if member.has_smart_knee:
        yield operated, lambda: resources.implant(member)
    yield operated, lambda: resources.stay(ward, member, left=False)
    yield resources.discharge(ward, member), lambda: resources.stay(ward, member, left=True)
    for at, made in remedies(ward, member):
        yield at, partial(dict, made)
    trouble = member.trouble
    if trouble is not None:
        yield resources.diagnosed_at(ward, trouble), lambda: resources.diagnosis(ward, member, trouble)


def readings_between(ward: Ward, member: Member, begin: datetime, end: datetime) -> Iterator[Json]:
    """Hourly packets and single reports of begin <= t < end, both whole hours."""
    course = course_of(ward, member)
    hours = (end - begin) // timedelta(hours=1)
    for metric in HOURLY:
        made = resources.packet(member, metric, begin, course.hour_values(metric, begin, hours))
        if made is not None:
            yield made
    for one in course.reports_between(begin, end):
        yield resources.report(member, one.metric, one.at, one.value)
