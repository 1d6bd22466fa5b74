"""fhirUser: the resource that stands for a signed-in person.

A patient is their Patient. Staff get a Practitioner of their own when an app first asks who they are.
"""

from datetime import datetime
from typing import Any

from integrations.fhir.receiving import Tray, Wish
from recovery.audit import Actor
from recovery.selectors.fhir_store import get_document
from recovery.selectors.who import Who, who
from recovery.services.ingestion import deliver

USERNAMES = "urn:twinweb:username"


def fhir_user(user_id: int, fhir: str, now: datetime) -> str:
    """Its address, or "" for a person who is gone."""
    person = who(user_id)
    if person is None:
        return ""
    if person.patient:
        return f"{fhir}/Patient/{person.patient}"
    return f"{fhir}/Practitioner/{_practitioner(person, now)}"


def _practitioner(person: Who, now: datetime) -> str:
    fhir_id = f"user-{person.user_id}"
    if get_document("Practitioner", fhir_id) is None:
        tray = Tray()
        tray.take(_resource(person, fhir_id), Wish(0, "put", fhir_id))
        deliver(delivery=tray.delivery("smart"), actor=Actor.system("smart"), now=now, atomic=True)
    return fhir_id


def _resource(person: Who, fhir_id: str) -> dict[str, Any]:
    said = {"family": person.family_name, "given": [person.given_name] if person.given_name else []}
    name = {key: value for key, value in said.items() if value} or {"text": person.username}
    return {
        "resourceType": "Practitioner",
        "id": fhir_id,
        "identifier": [{"system": USERNAMES, "value": person.username}],
        "active": True,
        "name": [name],
    }
