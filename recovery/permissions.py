"""Who may see and do what: `visible_*` for lists, `user_can_*` answers, `check_user_can_*` raises.

Closed by default. A clinician's right follows from a *current* membership of the team that the patient's episode is
entrusted to; a patient sees only themself; a caregiver does what a patient's open grant says; an administrator runs
the product and sees no patient.
"""

from datetime import datetime
from typing import Any, Literal

from django.db.models import Q, QuerySet

from recovery.exceptions import Forbidden, NotFound
from recovery.models import Alert, CaregiverGrant, Episode, Patient, TeamMembership, User

Action = Literal["view", "act", "export", "administer"]
CLINICAL_ACTIONS = frozenset({"view", "act", "export"})
PATIENT_ACTIONS = frozenset({"view", "export"})
CAREGIVER_ACTIONS = frozenset({"view"})
# What a patient may let a caregiver do in the portal: see how they are doing, answer check-ins, write, connect devices.
PortalScope = Literal["see", "answer", "write", "connect"]


def current_team_ids(user: User, now: datetime) -> QuerySet[TeamMembership, Any]:
    """Teams of which the user is a member at `now`."""
    return (
        TeamMembership.objects.filter(user=user, since__lte=now)
        .filter(Q(until__isnull=True) | Q(until__gt=now))
        .values("team_id")
    )


def visible_episodes(user: User, now: datetime) -> QuerySet[Episode]:
    """Episodes that the user may see at `now`: their teams' (clinical roles) or their own (patients)."""
    if not user.is_active:
        return Episode.objects.none()
    living = Episode.objects.filter(patient__deleted_at__isnull=True)
    if user.is_clinical:
        return living.filter(team_id__in=current_team_ids(user, now))
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


def user_can(user: User, action: Action, patient: Patient, now: datetime) -> bool:
    if not visible_patients(user, now).filter(pk=patient.pk).exists():
        return False
    special = {User.Role.PATIENT.value: PATIENT_ACTIONS, User.Role.CAREGIVER.value: CAREGIVER_ACTIONS}
    return action in special.get(user.role, CLINICAL_ACTIONS)


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
    named = user.is_model_steward and user.role != User.Role.PATIENT
    return user.is_active and (named or user.role == User.Role.ADMINISTRATOR)


def check_user_can_steward_models(user: User) -> None:
    if not user_can_steward_models(user):
        raise Forbidden("This page is for administrators and model stewards.")
