"""Scopes in plain words, for the consent page and the console."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from integrations.smart.scopes import Scope, read_scope

# What each type is called on a ward; others by their FHIR name.
NAMES = {
    "*": "all records",
    "AllergyIntolerance": "allergies",
    "AuditEvent": "the log of who looked",
    "CarePlan": "recovery plans",
    "CareTeam": "care teams",
    "Communication": "messages",
    "Condition": "diagnoses",
    "Consent": "consents",
    "DetectedIssue": "alerts",
    "Device": "devices",
    "DiagnosticReport": "reports",
    "DocumentReference": "documents",
    "Encounter": "stays and visits",
    "Flag": "alert flags",
    "Goal": "goals and milestones",
    "Immunization": "vaccinations",
    "MedicationRequest": "prescriptions",
    "MedicationStatement": "medication",
    "Observation": "measurements and laboratory values",
    "Patient": "name, birth date and contact details",
    "Practitioner": "names of staff",
    "Procedure": "operations and procedures",
    "Provenance": "where data came from",
    "Questionnaire": "questionnaires",
    "QuestionnaireResponse": "answers to questionnaires",
    "RiskAssessment": "predicted risks",
    "Task": "tasks",
}
WHOSE = {
    "patient": "of the one patient it is opened for",
    "user": "of every patient whom you may see here",
    "system": "of every patient, at any time, without a person signed in",
}
OTHERS = {
    "openid": "Know that it is you who signed in",
    "fhirUser": "Know your name and role here",
    "profile": "Know your name and role here",
    "launch": "Know which patient's page it was opened from",
    "launch/patient": "Ask you to choose a patient",
    "launch/encounter": "Know which stay or visit is open",
    "offline_access": "Keep its access for up to 90 days, also when you are not signed in",
    "online_access": "Keep its access for as long as you are signed in",
}
_VERBS = {"c": "add", "r": "read", "u": "change", "d": "delete", "s": "search"}


@dataclass(frozen=True, slots=True)
class Said:
    """`writes`: it changes records; `is_known`: the word means something here."""

    word: str
    sentence: str
    writes: bool = False
    is_known: bool = True


def said(words: Iterable[str]) -> list[Said]:
    return [_said(word) for word in words]


def _said(word: str) -> Said:
    scope = read_scope(word)
    if scope is not None:
        return Said(word, _sentence(scope), bool(set(scope.letters) & set("cud")))
    if word in OTHERS:
        return Said(word, OTHERS[word])
    return Said(word, "Means nothing here and allows nothing", is_known=False)


def _sentence(scope: Scope) -> str:
    verbs = _joined([_VERBS[letter] for letter in sorted(scope.letters, key="rscud".index)])
    what = NAMES.get(scope.type) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", scope.type).lower() + " records"
    only = "".join(f", only where {name} is {_value(value)}" for name, value in scope.query)
    return f"{verbs.capitalize()} {what} {WHOSE[scope.context]}{only}"


def _value(text: str) -> str:
    return " or ".join(part.rpartition("|")[2] or part for part in text.split(","))


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
