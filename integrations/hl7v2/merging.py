"""Merging as FHIR says it: Patient.link and `active`, written with the move of all that was the other's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from integrations.fhir import wire
from integrations.fhir.receiving import Tray, Wish
from integrations.hl7v2.errors import UNKNOWN_KEY, Hl7Error
from recovery.audit import Actor
from recovery.selectors import fhir_store
from recovery.selectors.hl7_messages import merge_between
from recovery.services import merging
from recovery.services.ingestion import deliver

Json = dict[str, Any]
Names = Sequence[tuple[str, str]]  # (system, value) of identifiers


def merge(survivor: str, gone: str, actor: Actor, now: datetime, channel: str) -> None:
    """`survivor` gets what is `gone`'s; both Patients say so. Raises RecoveryError."""
    with transaction.atomic():
        merging.merge(survivor=survivor, gone=gone, actor=actor, now=now)
        links = {"replaces": _patient(survivor), "replaced-by": _patient(gone)}
        _link(links["replaces"], "replaces", gone)
        _link(links["replaced-by"], "replaced-by", survivor)
        links["replaced-by"]["active"] = False
        _write(list(links.values()), actor, now, channel)


def unmerge(first: Names, second: Names, actor: Actor, now: datetime, channel: str) -> None:
    """Undo the merge of these two. Raises Hl7Error when they are not merged."""
    found = merge_between(first, second)
    if found is None:
        raise Hl7Error("PID-3", "These two patients are not merged here: there is nothing to unlink.", UNKNOWN_KEY)
    undo(found.row_id, actor, now, channel)


def undo(row_id: int, actor: Actor, now: datetime, channel: str) -> None:
    """Each gets back what was theirs. Raises RecoveryError."""
    with transaction.atomic():
        undone = merging.unmerge(row_id=row_id, actor=actor, now=now)
        survivor, gone = _patient(undone.survivor), _patient(undone.gone)
        _unlink(survivor, undone.gone)
        _unlink(gone, undone.survivor)
        _give_back_numbers(survivor, gone)
        gone["active"] = True
        _write([survivor, gone], actor, now, channel)


def _patient(fhir_id: str) -> Json:
    found = fhir_store.get_document("Patient", fhir_id)
    said = wire.parse_object(found.content.encode()) if found and not found.deleted else {"resourceType": "Patient"}
    return {**{name: value for name, value in said.items() if name != "meta"}, "id": fhir_id}


def _link(patient: Json, kind: str, other: str) -> None:
    _unlink(patient, other)
    patient["link"] = [*patient.get("link", ()), {"other": {"reference": f"Patient/{other}"}, "type": kind}]


def _unlink(patient: Json, other: str) -> None:
    kept = [one for one in patient.pop("link", ()) if one.get("other", {}).get("reference") != f"Patient/{other}"]
    if kept:
        patient["link"] = kept


def _give_back_numbers(survivor: Json, gone: Json) -> None:
    """Messages under the other's number have put it beside the survivor's own meanwhile."""
    theirs = [(one.get("system"), one.get("value")) for one in gone.get("identifier", ())]
    kept = [one for one in survivor.pop("identifier", ()) if (one.get("system"), one.get("value")) not in theirs]
    if kept:
        survivor["identifier"] = kept


def _write(patients: Sequence[Json], actor: Actor, now: datetime, channel: str) -> None:
    tray = Tray()
    for index, one in enumerate(patients):
        tray.take(one, Wish(index, "put", one["id"]))
    deliver(delivery=tray.delivery(channel, from_outside=True), actor=actor, now=now, atomic=True)
