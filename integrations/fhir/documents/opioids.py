"""Opioids: from when until when an order, a statement or an administration speaks for one."""

from collections.abc import Mapping
from typing import Any

from integrations.fhir.documents.paths import values_at
from recovery.selectors.drug_changes import FOREVER, Taking, taking_of
from recovery.services.intake import FindingFacts
from recovery.twin.opioids import ATC_OPIOIDS, OPIOID, is_opioid

ATC = "http://www.whocc.no/atc"


def opioid_of(resource: Mapping[str, Any]) -> FindingFacts | None:
    """None for other drugs, and for what says nothing with a time. Where a Medication kept apart names the drug, its id
    goes along and the projection decides."""
    apart = _medication(resource)
    taking = taking_of(resource, {apart: "a drug"} if apart else None)
    if taking is None or not (apart or _is_coded(resource) or is_opioid(_names(resource, taking))):
        return None
    is_planned = resource.get("resourceType") != "MedicationAdministration" and taking.ended is not None
    until = None if taking.until == FOREVER else taking.until
    return FindingFacts("factor", OPIOID, apart, taking.drug, float(is_planned), taking.start, until, taking.start)


def _medication(resource: Mapping[str, Any]) -> str:
    """Id of the Medication that alone names the drug, blank where the document names it."""
    said = resource.get("medicationReference") or {}
    kind, _, name = str(said.get("reference", "")).rpartition("/")
    return name if kind == "Medication" and not said.get("display") else ""


def _names(resource: Mapping[str, Any], taking: Taking) -> str:
    """Every word for the drug: a trade name may stand before the substance."""
    codings = values_at(resource, "medicationCodeableConcept.coding")
    return " ".join((taking.drug, *(str(one.get("display", "")) for one in codings)))


def _is_coded(resource: Mapping[str, Any]) -> bool:
    codings = [*values_at(resource, "medicationCodeableConcept.coding"), *values_at(resource, "contained.code.coding")]
    return any(one.get("system") == ATC and str(one.get("code", "")).startswith(ATC_OPIOIDS) for one in codings)
