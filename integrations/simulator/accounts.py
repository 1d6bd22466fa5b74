"""Demo people: teams, pathways, sign-ins with random passwords, and the simulator's token.

Passwords are made here and nowhere kept but in a file that only its owner may read (and, hashed, in the database).
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from integrations.simulator.cast import PATIENT_WHO_SIGNS_IN, WARD_B, WARD_C
from integrations.simulator.ward import write_private
from recovery.audit import Actor
from recovery.services import connections, enrolment
from recovery.twin.alert_policy import DEFAULT_POLICY, AlertPolicy

LOGINS_FILE = "demo-logins.txt"
TOKEN_FILE = "simulator.token"  # noqa: S105  (a file name)
CONNECTION = "demo simulator"
SCOPES = "system/*.cruds"
TEAMS = {WARD_B: "Ward B, demo", WARD_C: "Ward C, demo"}
PATHWAY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may sign in to the demo. `sees` is told beside the password."""

    username: str
    role: str
    first_name: str
    last_name: str
    team: str
    sees: str


PEOPLE = (
    Person("nurse", "clinician", "Nadia", "Bergström", WARD_B, "the patients of Ward B"),
    Person("surgeon", "lead", "Martin", "Achebe", WARD_B, "the patients of Ward B, as the ward's lead"),
    Person("nurse-c", "clinician", "Carla", "Nunes", WARD_C, "the patients of Ward C only: a stranger to Ward B"),
    Person("administrator", "administrator", "Ada", "Keller", "", "how the product runs, and no patient"),
    Person("patient", "patient", "Amara", "Okafor", "", "her own recovery (synthetic patient DEMO-01)"),
)
GENERAL = "general"
# key -> name, procedure of the catalogue; the one without a procedure takes all others.
PATHWAYS = {
    "knee-replacement": ("Knee replacement", "knee_replacement"),
    "hip-replacement": ("Hip replacement", "hip_replacement"),
    "colectomy": ("Bowel resection", "colectomy"),
    "cholecystectomy": ("Gallbladder removal", "cholecystectomy"),
    "cardiac": ("Heart surgery", "cardiac"),
    "hip-fracture": ("Hip fracture repair", "hip_fracture"),
    "lobectomy": ("Lung resection", "lobectomy"),
    "hysterectomy": ("Hysterectomy", "hysterectomy"),
    "spinal-fusion": ("Spinal fusion", "spinal_fusion"),
    GENERAL: ("Any operation", ""),
}


def _policy(key: str) -> dict[str, Any] | None:
    """Any operation may come with any device, so also with one that sends once a day: its newest value is up to 36 h
    old (the middle of a day, until the next day has ended), and one day without it is no silence."""
    if key != GENERAL:
        return None
    patient = (
        replace(rule, raise_at=60.0, close_at=40.0, source="[G] two days missed by a device that sends once a day")
        if rule.cause == "data_stopped"
        else rule
        for rule in DEFAULT_POLICY.rules
    )
    return AlertPolicy("alerts-1-daily", tuple(patient)).to_plain()


def open_wards(*, actor: Actor, now: datetime) -> None:
    """Teams and pathways; those that are there stay as they are."""
    for key, name in TEAMS.items():
        enrolment.open_team(key=key, name=name, is_demo=True, actor=actor, now=now)
    for key, (name, procedure) in PATHWAYS.items():
        enrolment.publish_pathway(
            key=key, name=name, procedure=procedure, days=PATHWAY_DAYS, policy=_policy(key), actor=actor, now=now
        )


def register_people(directory: Path, *, actor: Actor, now: datetime) -> None:
    """All sign-ins and the simulator's token, or none: the files are written before the database commits.

    Made once; files that stand are taken as a sign that the people do too.
    """
    if (directory / LOGINS_FILE).exists() and (directory / TOKEN_FILE).exists():
        return
    with transaction.atomic():
        lines = [_register(person, actor, now) for person in PEOPLE]
        token = connections.issue_token(name=CONNECTION, scopes=SCOPES, actor=actor, now=now)
        write_private(directory / TOKEN_FILE, token + "\n")
        write_private(directory / LOGINS_FILE, "\n".join(lines) + "\n")


def _register(person: Person, actor: Actor, now: datetime) -> str:
    """Register one person with a new password; returns the line that tells it."""
    password = secrets.token_urlsafe(12)
    user = enrolment.register_person(
        username=person.username,
        password=password,
        role=person.role,
        first_name=person.first_name,
        last_name=person.last_name,
        actor=actor,
        now=now,
    )
    if person.team:
        team = enrolment.open_team(key=person.team, name=TEAMS[person.team], is_demo=True, actor=actor, now=now)
        enrolment.join_team(team=team, user=user, actor=actor, now=now)
    if person.role == "patient":
        enrolment.give_patient_access(patient_fhir_id=PATIENT_WHO_SIGNS_IN, user=user, actor=actor, now=now)
    return f"{person.role:<14} {person.username:<14} {password}  sees {person.sees}"
