"""Who may see and do what: `visible_*` for lists, `can` answers for one patient, `check_*` raises.

Closed by default, and one table: RIGHTS says what a role may do to a patient by their relationship. A clinician's
relationship is a *current* membership of the team that an episode of the patient is entrusted to, or an emergency
access that they opened with a reason; a patient's is being them; a caregiver's is a patient's open grant. Whoever has
no relationship may nothing: an administrator runs the product and sees no patient.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from django.conf import settings
from django.db.models import Q, QuerySet

from recovery.exceptions import Forbidden, NotFound
from recovery.models import Alert, CaregiverGrant, EmergencyAccess, Episode, Patient, TeamMembership, User

# view: read; act: answer alerts, mark readings, write; export: take away as a file; plan: operation, team, pathway.
Action = Literal["view", "act", "export", "plan", "administer"]
Relationship = Literal["team", "emergency", "self", "caregiver"]
_NOTHING: frozenset[Action] = frozenset()
RIGHTS: Mapping[tuple[str, Relationship], frozenset[Action]] = MappingProxyType(
    {
        ("clinician", "team"): frozenset({"view", "act", "export", "plan"}),
        ("lead", "team"): frozenset({"view", "act", "export", "plan"}),
        # To help in an emergency, not to take data away or to move the patient to another team.
        ("clinician", "emergency"): frozenset({"view", "act"}),
        ("lead", "emergency"): frozenset({"view", "act"}),
        ("patient", "self"): frozenset({"view", "export"}),
        ("caregiver", "caregiver"): frozenset({"view"}),
    }
)
# What a patient may let a caregiver do in the portal: see how they are doing, answer check-ins, write, connect devices.
PortalScope = Literal["see", "answer", "write", "connect"]


def current_team_ids(user: User, now: datetime) -> QuerySet[TeamMembership, Any]:
    """Teams of which the user is a member at `now`."""
    return (
        TeamMembership.objects.filter(user=user, since__lte=now)
        .filter(Q(until__isnull=True) | Q(until__gt=now))
        .values("team_id")
    )


def open_emergencies(user: User, now: datetime) -> QuerySet[EmergencyAccess]:
    """Records that this clinician has opened in an emergency and that are open at `now`."""
    if not user.is_active or not user.is_clinical:
        return EmergencyAccess.objects.none()
    mine = EmergencyAccess.objects.filter(user=user, opened_at__lte=now, until__gt=now)
    return mine.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=now))


def visible_episodes(user: User, now: datetime) -> QuerySet[Episode]:
    """Episodes that the user may see at `now`: their teams' and opened in an emergency (clinical roles), their own
    (patients), or those of people who let them (caregivers)."""
    if not user.is_active:
        return Episode.objects.none()
    living = Episode.objects.filter(patient__deleted_at__isnull=True)
    if user.is_clinical:
        opened = open_emergencies(user, now).values("patient_id")
        return living.filter(Q(team_id__in=current_team_ids(user, now)) | Q(patient_id__in=opened))
    if user.role == User.Role.PATIENT:
        return living.filter(patient__user=user)
    if user.role == User.Role.CAREGIVER:
        return living.filter(patient_id__in=open_grants(user, now).filter(may_see=True).values("patient_id"))
    return Episode.objects.none()


def visible_patients(user: User, now: datetime) -> QuerySet[Patient]:
    if not user.is_active:
        return Patient.objects.none()
    if user.role == User.Role.PATIENT:
        return Patient.objects.filter(user=user, deleted_at__isnull=True)
    return Patient.objects.filter(id__in=visible_episodes(user, now).values("patient_id"))


def exportable_episodes(user: User, now: datetime) -> QuerySet[Episode]:
    """Of the episodes that the user sees, those of patients whom the table lets them take away as a file."""
    seen = visible_episodes(user, now)
    if user.role == User.Role.PATIENT:
        return seen
    entrusted = Episode.objects.filter(team_id__in=current_team_ids(user, now)).values("patient_id")
    return seen.filter(patient_id__in=entrusted) if user.is_clinical else Episode.objects.none()


def open_grants(user: User, now: datetime) -> QuerySet[CaregiverGrant]:
    """What patients let this caregiver do at `now`, the newest first. Nothing once a patient has ended it."""
    if not user.is_active or user.role != User.Role.CAREGIVER:
        return CaregiverGrant.objects.none()
    mine = CaregiverGrant.objects.filter(user=user, accepted_at__lte=now, patient__deleted_at__isnull=True)
    return mine.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=now)).order_by("-accepted_at", "-pk")


def visible_alerts(user: User, now: datetime) -> QuerySet[Alert]:
    """Alerts are for staff: a patient is told by people, not by an alert list."""
    if not user.is_clinical:
        return Alert.objects.none()
    return Alert.objects.filter(episode__in=visible_episodes(user, now))


def relationships(user: User, patient: Patient, now: datetime) -> frozenset[Relationship]:
    """How this person stands to this patient at `now`; empty: a stranger."""
    if not user.is_active or patient.deleted_at is not None:
        return frozenset()
    if user.role == User.Role.PATIENT:
        return frozenset({"self"}) if patient.user_id == user.pk else frozenset()
    if user.role == User.Role.CAREGIVER:
        may_see = open_grants(user, now).filter(may_see=True, patient=patient).exists()
        return frozenset({"caregiver"}) if may_see else frozenset()
    if not user.is_clinical:
        return frozenset()
    found: set[Relationship] = set()
    if Episode.objects.filter(patient=patient, team_id__in=current_team_ids(user, now)).exists():
        found.add("team")
    if open_emergencies(user, now).filter(patient=patient).exists():
        found.add("emergency")
    return frozenset(found)


def can(user: User, action: Action, patient: Patient, now: datetime) -> bool:
    """Whether the table gives `action` to this person, for any of their relationships to the patient."""
    return any(action in RIGHTS.get((user.role, one), _NOTHING) for one in relationships(user, patient, now))


user_can = can


def check_user_can(user: User, action: Action, patient: Patient, now: datetime) -> None:
    """Raises NotFound where even the patient's existence is secret, Forbidden where only the action is not allowed."""
    if not user_can(user, "view", patient, now):
        raise NotFound("There is no such patient, or it is not one of yours.")
    if not user_can(user, action, patient, now):
        raise Forbidden("Your role does not allow this for this patient.")


def user_can_administer(user: User) -> bool:
    return user.is_active and user.role == User.Role.ADMINISTRATOR


def check_user_can_administer(user: User) -> None:
    if not user_can_administer(user):
        raise Forbidden("This page is for administrators.")


def user_can_steward_models(user: User) -> bool:
    """Administrators, and staff who were named model stewards; never a patient."""
    named = user.is_model_steward and user.is_staff_member
    return user.is_active and (named or user.role == User.Role.ADMINISTRATOR)


def check_user_can_steward_models(user: User) -> None:
    if not user_can_steward_models(user):
        raise Forbidden("This page is for administrators and model stewards.")


REVIEW_WITHIN = timedelta(hours=72)
"""An emergency access that nobody has looked at for so long is overdue [G: this project's choice]."""


def user_can_review_emergencies(user: User) -> bool:
    """Administrators, and staff who were named privacy officers."""
    named = user.is_privacy_officer and user.is_staff_member
    return user.is_active and (named or user.role == User.Role.ADMINISTRATOR)


def check_user_can_review_emergencies(user: User) -> None:
    if not user_can_review_emergencies(user):
        raise Forbidden("This page is for privacy officers.")


def user_can_edit_pathways(user: User) -> bool:
    return user.is_active and user.role in (User.Role.LEAD, User.Role.ADMINISTRATOR)


def check_user_can_edit_pathways(user: User) -> None:
    if not user_can_edit_pathways(user):
        raise Forbidden("Pathways are published by ward leads and administrators.")


def user_can_enrol(user: User) -> bool:
    return user.is_active and user.is_clinical


def user_can_see_schedule(user: User, now: datetime) -> bool:
    """Leads of a team, and members of the intake team: the schedule names patients who are nobody's yet."""
    if not user_can_enrol(user):
        return False
    mine = current_team_ids(user, now)
    return (mine if user.role == User.Role.LEAD else mine.filter(team__key=settings.INTAKE_TEAM)).exists()


def check_user_can_enrol(user: User) -> None:
    if not user_can_enrol(user):
        raise Forbidden("Patients are enrolled by the care team.")
