"""People, teams, pathways, and who is entrusted to whom."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound
from recovery.models import Episode, Pathway, Patient, Team, TeamMembership, User
from recovery.twin.alert_policy import DEFAULT_POLICY, AlertPolicy
from recovery.twin.errors import TwinError
from recovery.twin.profile import PROCEDURES


def open_team(*, key: str, name: str, is_demo: bool = False, actor: Actor, now: datetime) -> Team:
    """The team of that key, made when it is not there yet."""
    with transaction.atomic():
        team, created = Team.objects.get_or_create(key=key, defaults={"name": name, "is_demo": is_demo})
        if created:
            audit.record(actor=actor, now=now, action="open_team", entity=f"Team/{team.key}")
    return team


def register_person(
    *, username: str, password: str, role: str, first_name: str = "", last_name: str = "", actor: Actor, now: datetime
) -> User:
    """A person who can sign in. Raises Invalid for a taken name, an unknown role or a weak password."""
    if role not in User.Role.values:
        raise Invalid(f"role must be one of {', '.join(User.Role.values)}.", field="role")
    if User.objects.filter(username=username).exists():
        raise Invalid(f"The name {username} is taken.", field="username")
    user = User(username=username, role=role, first_name=first_name, last_name=last_name)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from error
    with transaction.atomic():
        user.set_password(password)
        user.save()
        audit.record(actor=actor, now=now, action="register_person", entity=f"User/{user.pk}")
    return user


def join_team(*, team: Team, user: User, actor: Actor, now: datetime) -> None:
    """From `now` on the user belongs to the team; joining twice changes nothing."""
    with transaction.atomic():
        _, created = TeamMembership.objects.get_or_create(team=team, user=user, until=None, defaults={"since": now})
        if created:
            audit.record(actor=actor, now=now, action="join_team", entity=f"Team/{team.key} User/{user.pk}")


def leave_team(*, team: Team, user: User, actor: Actor, now: datetime) -> None:
    """From `now` on the user sees nothing of the team's patients."""
    with transaction.atomic():
        TeamMembership.objects.filter(team=team, user=user, until=None).update(until=now)
        audit.record(actor=actor, now=now, action="leave_team", entity=f"Team/{team.key} User/{user.pk}")


def entrust(*, patient_fhir_ids: Iterable[str], team_key: str, actor: Actor, now: datetime) -> int:
    """Entrust the episodes of these patients to a team; returns how many. Raises NotFound for an unknown team."""
    team = Team.objects.filter(key=team_key).first()
    if team is None:
        raise NotFound(f'There is no team "{team_key}".', field="team")
    with transaction.atomic():
        episodes = Episode.objects.filter(patient__fhir_id__in=set(patient_fhir_ids)).exclude(team=team)
        patients = list(episodes.values_list("patient_id", flat=True))
        moved = episodes.update(team=team)
        if patients:
            audit.record(actor=actor, now=now, action="entrust", patient_ids=patients, entity=f"Team/{team.key}")
    return moved


def give_patient_access(*, patient_fhir_id: str, user: User, actor: Actor, now: datetime) -> None:
    """Let a signed-in person see their own recovery. Raises NotFound, or Invalid when the person is not a patient."""
    if user.role != User.Role.PATIENT:
        raise Invalid("Only a person with the role 'patient' can be linked to a patient.", field="role")
    with transaction.atomic():
        patient = Patient.objects.select_for_update().filter(fhir_id=patient_fhir_id).first()
        if patient is None:
            raise NotFound(f"There is no Patient/{patient_fhir_id}.", field="patient")
        patient.user = user
        patient.save(update_fields=["user"])
        audit.record(actor=actor, now=now, action="give_patient_access", patient_ids=[patient.pk])


def publish_pathway(
    *, key: str, name: str, procedure: str, days: int, policy: dict[str, Any] | None, actor: Actor, now: datetime
) -> Pathway:
    """A new version of a pathway; the version before it stays for the episodes that run on it.

    Raises Invalid for an unknown procedure or a policy whose numbers contradict each other.
    """
    if procedure and procedure not in PROCEDURES:
        raise Invalid(f'"{procedure}" is no procedure of the catalogue.', field="procedure")
    plain = policy or DEFAULT_POLICY.to_plain()
    try:
        AlertPolicy.from_plain(plain)
    except TwinError as error:
        raise Invalid(str(error), field="policy") from error
    with transaction.atomic():
        last = Pathway.objects.select_for_update().filter(key=key).order_by("-version").first()
        if last is not None and _same(last, name, procedure, days, plain):
            return last
        Pathway.objects.filter(key=key, active=True).update(active=False)
        version = last.version + 1 if last else 1
        pathway = Pathway.objects.create(
            key=key, version=version, name=name, procedure=procedure, days=days, policy=plain
        )
        audit.record(actor=actor, now=now, action="publish_pathway", entity=f"Pathway/{key}/{version}")
    return pathway


def _same(last: Pathway, name: str, procedure: str, days: int, policy: dict[str, Any]) -> bool:
    return last.active and (last.name, last.procedure, last.days, last.policy) == (name, procedure, days, policy)
