"""Whose portal a person is in: their own, or that of somebody who let them in; and whom a patient let in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recovery.exceptions import NotFound
from recovery.links import MOST_TRIES, hash_of_link
from recovery.models import CaregiverGrant, Patient, User
from recovery.permissions import PortalScope, open_grants

ALL_SCOPES: tuple[PortalScope, ...] = ("see", "answer", "write", "connect")


@dataclass(frozen=True, slots=True)
class Subject:
    """The patient whose portal this is. `relation` and `called` are blank for the patient themself."""

    patient_id: int
    patient_fhir_id: str
    first_name: str
    name: str
    relation: str
    called: str
    scopes: frozenset[PortalScope]
    grant: UUID | None

    @property
    def is_self(self) -> bool:
        return self.grant is None


@dataclass(frozen=True, slots=True)
class GrantSeen:
    """`state`: waiting (link not used yet), open, ended, expired (link ran out unused).

    `told`: of what the patient lets us tell them, whether or not their scopes reach so far.
    """

    key: UUID
    called: str
    relation: str
    scopes: frozenset[PortalScope]
    state: str
    asked_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    link_until: datetime
    last_seen: datetime | None
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class Door:
    """Someone a caregiver may go in to. `told`: of what we tell the caregiver, as far as they may do it."""

    grant: UUID
    patient: str
    patient_id: int
    scopes: frozenset[PortalScope]
    told: frozenset[str]


def subject_of(user: User, scope: PortalScope | None, now: datetime, chosen: str = "") -> Subject:
    """Whose portal this person is in. `scope` None: the patient themself only, or any open grant where `chosen` is not.

    `chosen`: key of the grant that a caregiver of several people went in by; the newest that fits otherwise.
    Raises NotFound for everybody else: to them there is no such page.
    """
    if user.is_active and user.role == User.Role.PATIENT:
        patient = Patient.objects.filter(user=user, deleted_at__isnull=True).first()
        if patient is not None:
            return _subject(patient, None)
    grants = [grant for grant in open_grants(user, now).select_related("patient") if _fits(grant, scope)]
    if not grants:
        raise NotFound("There is no such page for you here.")
    return _subject_of_grant(next((one for one in grants if str(one.key) == chosen), grants[0]))


def own_subject(user: User, now: datetime) -> Subject:
    """The patient themself; what only they decide. Raises NotFound for a caregiver too."""
    found = subject_of(user, None, now)
    if not found.is_self:
        raise NotFound("There is no such page for you here.")
    return found


def _fits(grant: CaregiverGrant, scope: PortalScope | None) -> bool:
    return scope is None or scope in scopes_of(grant)


def _subject_of_grant(grant: CaregiverGrant) -> Subject:
    return _subject(grant.patient, grant)


def _subject(patient: Patient, grant: CaregiverGrant | None) -> Subject:
    return Subject(
        patient_id=patient.pk,
        patient_fhir_id=patient.fhir_id,
        first_name=patient.given_name.split(" ")[0] or patient.name,
        name=patient.name,
        relation=grant.relation if grant else "",
        called=grant.called if grant else "",
        scopes=scopes_of(grant) if grant else frozenset(ALL_SCOPES),
        grant=grant.key if grant else None,
    )


def scopes_of(grant: CaregiverGrant) -> frozenset[PortalScope]:
    return frozenset(
        name
        for name, held in zip(
            ALL_SCOPES, (grant.may_see, grant.may_answer, grant.may_write, grant.may_connect), strict=True
        )
        if held
    )


def told_of(grant: CaregiverGrant) -> frozenset[str]:
    pairs = (("check_ins", grant.told_check_ins), ("messages", grant.told_messages))
    return frozenset(name for name, held in pairs if held)


def doors_of(user: User, now: datetime) -> tuple[Door, ...]:
    """Everybody whom this caregiver may go in to."""
    return tuple(_door(one) for one in open_grants(user, now).select_related("patient"))


def _door(grant: CaregiverGrant) -> Door:
    scopes = scopes_of(grant)
    useful = {"check_ins": "answer" in scopes, "messages": "write" in scopes}
    told = frozenset(name for name in told_of(grant) if useful[name])
    return Door(grant.key, grant.patient.name, grant.patient_id, scopes, told)


def grants_of(patient_id: int, now: datetime) -> tuple[GrantSeen, ...]:
    """Whom this patient let in or asked: those that stand first, the ended last."""
    rows = CaregiverGrant.objects.filter(patient_id=patient_id).select_related("user")
    seen = [_seen(row, now) for row in rows]
    order = ("open", "waiting", "expired", "ended")
    return tuple(sorted(seen, key=lambda one: (order.index(one.state), -one.asked_at.timestamp())))


def _seen(row: CaregiverGrant, now: datetime) -> GrantSeen:
    return GrantSeen(
        key=row.key,
        called=row.called,
        relation=row.relation,
        scopes=scopes_of(row),
        state=_state(row, now),
        asked_at=row.asked_at,
        accepted_at=row.accepted_at,
        ended_at=row.ended_at,
        link_until=row.link_until,
        last_seen=row.user.last_login if row.user else None,
        told=told_of(row),
    )


def _state(row: CaregiverGrant, now: datetime) -> str:
    if row.ended_at is not None:
        return "ended"
    if row.accepted_at is not None:
        return "open"
    return "waiting" if row.link_until > now else "expired"


def invitation_of(token: str, now: datetime) -> GrantSeen:
    """The invitation that a link opens. Raises NotFound when it was used, ended, ran out, or never was."""
    row = CaregiverGrant.objects.filter(
        link_hash=hash_of_link(token), ended_at__isnull=True, link_until__gt=now, tries__lt=MOST_TRIES
    ).first()
    if row is None:
        raise NotFound("This link cannot be used any more. Please ask for a new one.")
    return _seen(row, now)
