"""A patient's way into the portal as the care team sees it, and an opened invite as its pages need it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recovery.models import Episode, Patient, PortalInvite


@dataclass(frozen=True, slots=True)
class InviteSeen:
    key: UUID
    channel: str
    made_at: datetime
    made_by: str
    until: datetime
    wrong_dates: int


@dataclass(frozen=True, slots=True)
class Access:
    """`can_be_invited`: whether there is a date of birth to ask for."""

    username: str
    last_seen: datetime | None
    invite: InviteSeen | None
    can_be_invited: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """Who opened an invite: what its pages may say. `username`: of the sign-in they have already. `in_person`: its code
    was handed over by somebody who saw them."""

    first_name: str
    username: str
    in_person: bool


def access_of(episode: Episode, now: datetime) -> Access:
    patient = Patient.objects.select_related("user").get(pk=episode.patient_id)
    row = PortalInvite.objects.filter(patient=patient, used_at__isnull=True, revoked_at__isnull=True, until__gt=now)
    found = row.order_by("-made_at").first()
    seen = (
        InviteSeen(found.key, found.channel, found.made_at, found.made_by, found.until, found.wrong_dates)
        if found
        else None
    )
    user = patient.user
    return Access(
        username=user.get_username() if user else "",
        last_seen=user.last_login if user else None,
        invite=seen,
        can_be_invited=patient.birth_date is not None,
    )


def opened_by(key: str) -> Opened | None:
    found = PortalInvite.objects.select_related("patient__user").filter(key=key, used_at__isnull=True).first()
    if found is None:
        return None
    user = found.patient.user
    in_person = found.channel == PortalInvite.Channel.PRINT
    return Opened(found.patient.given_name.split(" ")[0], user.get_username() if user else "", in_person)
