"""Enrolment: a patient and an operation by hand, or what the EHR announced entrusted to a team.

What a person types becomes the same FHIR documents that an EHR would have sent, through the same door.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db import connection, transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Forbidden, Invalid, NotFound
from recovery.models import Episode, Pathway, Patient, Team, User
from recovery.permissions import check_user_can_enrol, current_team_ids, relationships, user_can_see_schedule
from recovery.ports import ports
from recovery.services import enrolment_resources as resources
from recovery.services.enrolment_resources import NewPerson
from recovery.services.ingestion import deliver
from recovery.services.surgeons import note_by_hand, picked
from recovery.twin.profile import PROCEDURES

CHANNEL = "workspace"
ENROLLERS_LOCK = 7_461_004  # any number that no other lock of ours has
# Two operations of one kind on one person within this time are taken for one that was typed twice [G].
SAME_OPERATION = timedelta(days=7)
EARLIEST, LATEST = timedelta(days=365), timedelta(days=365)
OLDEST_YEARS = 125


class LooksTheSame(Conflict):
    """Somebody of that name and birth date is here under another record number: a person must say that they differ."""


@dataclass(frozen=True, slots=True)
class NewOperation:
    """`procedure`: key of the catalogue, or blank with its words in `text`. `end`: of surgery, real or planned.
    `surgeon`: their name, picked or typed, or blank."""

    procedure: str
    text: str
    start: datetime | None
    end: datetime
    surgeon: str = ""


def enrol(
    *,
    token: UUID,
    person: NewPerson,
    operation: NewOperation,
    team_key: str,
    pathway_key: str,
    is_another_person: bool,
    user: User,
    actor: Actor,
    now: datetime,
) -> Episode:
    """A patient and their operation, entrusted to a team of the user's. `token` is the form's: sent twice, one episode.

    Raises Forbidden, Invalid naming the field, Conflict for a record number of somebody else or an operation that is
    here already, LooksTheSame.
    """
    check_user_can_enrol(user)
    team = own_team(user, team_key, now)
    pathway = pathway_for(pathway_key, operation.procedure)
    check_person(person, now)
    check_operation(operation, person.birth_date, now)
    episode_id = str(uuid5(NAMESPACE_URL, f"twinweb:enrol:{user.pk}:{token}"))
    with transaction.atomic():
        done = Episode.objects.filter(fhir_id=episode_id).first()
        if done is not None:
            return done
        _take_a_turn(person.record_number)
        known = _known(person, is_another_person)
        patient_id = known.fhir_id if known else _patient_id(person)
        if known is not None:
            _refuse_foreign(known, user, now)
            _refuse_same_operation(known, operation)
        said = [resources.patient(patient_id, person, settings.RECORD_NUMBER_SYSTEM)] if known is None else []
        start, end = operation.start, operation.end
        text = operation.text or PROCEDURES[operation.procedure].label
        done_as = resources.procedure(episode_id, patient_id, operation.procedure, text, start=start, end=end, now=now)
        surgeon = picked(operation.surgeon, user, now)
        said.append(resources.operated_by(done_as, surgeon.name, surgeon.reference))
        deliver(delivery=ports().delivery_of(said, CHANNEL), actor=actor, now=now, atomic=True)
        episode = Episode.objects.get(fhir_id=episode_id)
        note_by_hand(episode, surgeon, is_by_hand=bool(surgeon.name))
        _entrust(episode, team, pathway, actor, now)
    return episode


def adopt(*, key: UUID, team_key: str, pathway_key: str, user: User, actor: Actor, now: datetime) -> Episode:
    """Entrust an announced operation that nobody has taken yet. Raises Forbidden, NotFound, Invalid, and Conflict for
    who comes second."""
    check_user_can_enrol(user)
    if not user_can_see_schedule(user, now):
        raise NotFound("There is no such operation.")
    team = own_team(user, team_key, now)
    with transaction.atomic():
        episode = Episode.objects.select_for_update().filter(key=key, patient__deleted_at__isnull=True).first()
        if episode is None or episode.status == Episode.Status.CANCELLED:
            raise NotFound("There is no such operation any more.")
        if episode.team_id is not None and episode.team_id != _intake_id():
            raise Conflict("A team has taken this patient in the meantime.")
        pathway = pathway_for(pathway_key, episode.procedure)
        _entrust(episode, team, pathway, actor, now)
    return episode


def own_team(user: User, team_key: str, now: datetime) -> Team:
    team = Team.objects.filter(key=team_key, pk__in=current_team_ids(user, now)).first()
    if team is None:
        raise Forbidden("Patients are enrolled into a team that you belong to.")
    return team


def pathway_for(key: str, procedure: str) -> Pathway | None:
    """The pathway chosen, in its active version; blank: that of the procedure, or the one for any operation."""
    active = Pathway.objects.filter(active=True)
    if not key:
        return _usual(list(active.order_by("pk")), procedure)
    found = active.filter(key=key).first()
    if found is None:
        raise Invalid(f'pathway: there is no pathway "{key}".', field="pathway")
    if found.procedure and procedure and found.procedure != procedure and not _is_kind_of(procedure, found.procedure):
        raise Invalid(f"pathway: {found.name} is for another operation.", field="pathway")
    return found


def _usual(active: list[Pathway], procedure: str) -> Pathway | None:
    """The pathway of that operation, or of the kind it belongs to, or the one for any operation."""
    exact = [one for one in active if one.procedure and one.procedure == procedure]
    kind = [one for one in active if one.procedure and _is_kind_of(procedure, one.procedure)]
    return next(iter([*exact, *kind, *(one for one in active if not one.procedure)]), None)


def _is_kind_of(procedure: str, general: str) -> bool:
    """ "colectomy_open" is a "colectomy"."""
    return procedure.startswith(f"{general}_")


def check_person(person: NewPerson, now: datetime) -> None:
    if not person.record_number.strip():
        raise Invalid("record_number: type the record number as it stands on the wristband.", field="record_number")
    if not person.family_name.strip():
        raise Invalid("family_name: type the family name.", field="family_name")
    if person.sex not in Patient.Sex.values:
        raise Invalid("sex: choose one.", field="sex")
    if not now.date() - timedelta(days=366 * OLDEST_YEARS) <= person.birth_date <= now.date():
        raise Invalid(f"birth_date: {person.birth_date} cannot be a birth date. Check the year.", field="birth_date")


def check_operation(operation: NewOperation, born: date | None, now: datetime) -> None:
    if operation.procedure not in PROCEDURES and not operation.text.strip():
        raise Invalid("procedure: choose the operation, or write it in words.", field="procedure")
    if operation.procedure and operation.procedure not in PROCEDURES:
        raise Invalid(f'procedure: "{operation.procedure}" is not in the catalogue.', field="procedure")
    check_time(operation.start, operation.end, born, now)


def check_time(start: datetime | None, end: datetime, born: date | None, now: datetime) -> None:
    if not now - EARLIEST <= end <= now + LATEST:
        raise Invalid("end: give an end of surgery within a year from today.", field="end")
    if start is not None and not timedelta(0) <= end - start <= timedelta(hours=24):
        raise Invalid("start: surgery starts before its end, and lasts a day at the most.", field="start")
    if born is not None and end.date() < born:
        raise Invalid("end: that is before the patient was born.", field="end")


def _known(person: NewPerson, is_another_person: bool) -> Patient | None:
    """Who has that record number already. Raises Conflict when it is somebody else's, LooksTheSame."""
    living = Patient.objects.select_for_update().filter(deleted_at__isnull=True)
    held = living.filter(record_number=person.record_number.strip()).order_by("pk").first()
    if held is not None:
        if (
            held.family_name.casefold() == person.family_name.strip().casefold()
            and held.birth_date == person.birth_date
        ):
            return held
        raise Conflict(
            "record_number: this number belongs to somebody of another name or birth date. Check the wristband.",
            field="record_number",
        )
    twins = living.filter(family_name__iexact=person.family_name.strip(), birth_date=person.birth_date)
    if twins.filter(given_name__iexact=person.given_name.strip()).exists() and not is_another_person:
        raise LooksTheSame(
            "Somebody of this name and birth date is here under another record number. Check the number; if it is"
            " another person, say so below.",
            field="is_another_person",
        )
    return None


def _take_a_turn(record_number: str) -> None:
    """Who types the same number at the same time waits: the second finds the first one's patient, and does not
    overwrite them. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [ENROLLERS_LOCK, record_number.strip()])


def _refuse_foreign(patient: Patient, user: User, now: datetime) -> None:
    """Enrolling is no way into another team's patient. Raises Conflict."""
    if "team" in relationships(user, patient, now):
        return
    theirs = Episode.objects.filter(patient=patient, status__in=["planned", "active"], team__isnull=False)
    if theirs.exclude(team__key=settings.INTAKE_TEAM).exists():
        raise Conflict(
            "record_number: another team follows this person. Ask them to hand over, or use emergency access.",
            field="record_number",
        )


def _patient_id(person: NewPerson) -> str:
    """The same number typed twice at the same time is one Patient."""
    said = f"{settings.RECORD_NUMBER_SYSTEM}|{person.record_number.strip()}"
    return str(uuid5(NAMESPACE_URL, f"twinweb:patient:{said}"))


def _refuse_same_operation(patient: Patient, operation: NewOperation) -> None:
    near = Episode.objects.filter(
        patient=patient,
        procedure=operation.procedure,
        surgery_end__range=(operation.end - SAME_OPERATION, operation.end + SAME_OPERATION),
    ).exclude(status=Episode.Status.CANCELLED)
    if near.exists():
        raise Conflict("This patient is enrolled for this operation already.", field="procedure")


def _intake_id() -> int | None:
    return Team.objects.filter(key=settings.INTAKE_TEAM).values_list("pk", flat=True).first()


def _entrust(episode: Episode, team: Team, pathway: Pathway | None, actor: Actor, now: datetime) -> None:
    episode.team, episode.pathway = team, pathway
    episode.save(update_fields=["team", "pathway"])
    audit.record(
        actor=actor,
        now=now,
        action="enrol",
        patient_ids=[episode.patient_id],
        entity=f"Team/{team.key}",
        detail={"pathway": f"{pathway.key}/{pathway.version}" if pathway else ""},
    )
