"""Patient/$summary: an International Patient Summary as a document Bundle (hl7.org/fhir/uv/ips).

The three required sections (problems, allergies, medication) always stand; what is empty says why. References in the
Composition are absolute, as it has no address here by which relative ones could be resolved. The IPS profiles of Bundle
and Composition are claimed when the Patient has what IPS asks of it (a name and a birth date); others' resources are
passed on as they were sent.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import uuid4

from integrations.fhir import wire
from integrations.fhir.call import Call
from integrations.fhir.renderers import with_entries
from integrations.fhir.routes import ROUTES
from integrations.fhir.search import grammar
from integrations.fhir.search.run import run
from integrations.fhir.shelves import Entry
from recovery.exact_json import dumps
from recovery.services.documents import instant

LOINC = "http://loinc.org"
EMPTY_REASON = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
IPS = "http://hl7.org/fhir/uv/ips/StructureDefinition"
MOST_EACH = 50
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """`searches`: (type, query) whose results it holds. Codes are those of the IPS composition's sections."""

    title: str
    code: str
    searches: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    required: bool = False


_RECENT = (("_sort", "-date"),)
SECTIONS = (
    Section("Problems", "11450-4", (("Condition", ()),), required=True),
    Section("Allergies and intolerances", "48765-2", (("AllergyIntolerance", ()),), required=True),
    Section("Medication", "10160-0", (("MedicationStatement", ()), ("MedicationRequest", ())), required=True),
    Section("Procedures", "47519-4", (("Procedure", ()),)),
    Section("Medical devices", "46264-8", (("DeviceUseStatement", ()),)),
    Section("Immunizations", "11369-6", (("Immunization", ()),)),
    Section("Vital signs", "8716-3", (("Observation", (("category", "vital-signs"), *_RECENT)),)),
    Section("Results", "30954-2", (("Observation", (("category", "laboratory"), *_RECENT)),)),
    Section("Plan of care", "18776-5", (("CarePlan", ()),)),
)


@dataclass(frozen=True, slots=True)
class Document:
    """`profile`: canonical of the Bundle's profile or "". `author`: this server as a Device. `entries`: the patient
    first, then all that the sections name, each once."""

    profile: str
    composition: Json
    author: Json
    entries: list[Entry]


def document(patient: Entry, call: Call) -> Document:
    entries = {f"Patient/{patient.fhir_id}": patient}
    sections = []
    for section in SECTIONS:
        found, withheld = _found(section, patient.fhir_id, call)
        if found or section.required:
            sections.append(_section(section, found, withheld, call.base))
            entries |= {f"{one.type}/{one.fhir_id}": one for one in found}
    author = {"resourceType": "Device", "id": str(uuid4()), "deviceName": [{"name": "twinweb", "type": "other"}]}
    claims = _is_whole(patient)
    composition: Json = {
        "resourceType": "Composition",
        "id": str(uuid4()),
        **({"meta": {"profile": [f"{IPS}/Composition-uv-ips"]}} if claims else {}),
        "status": "final",
        "type": {"coding": [{"system": LOINC, "code": "60591-5", "display": "Patient summary Document"}]},
        "subject": {"reference": f"{call.base}/Patient/{patient.fhir_id}"},
        "date": instant(call.place.now),
        "author": [{"reference": f"urn:uuid:{author['id']}", "display": "twinweb"}],
        "title": "Patient summary",
        "section": sections,
    }
    return Document(f"{IPS}/Bundle-uv-ips" if claims else "", composition, author, list(entries.values()))


def as_bundle(found: Document, base: str, now: datetime) -> str:
    """The document Bundle as JSON text: Composition, patient, author, then all that the sections name."""
    own = [_own_entry(found.composition), _own_entry(found.author)]
    rest = [
        f'{{"fullUrl":{json.dumps(f"{base}/{one.type}/{one.fhir_id}")},"resource":{one.text}}}' for one in found.entries
    ]
    head = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        **({"meta": {"profile": [found.profile]}} if found.profile else {}),
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid4()}"},
        "type": "document",
        "timestamp": instant(now),
    }
    return with_entries(head, [own[0], rest[0], own[1], *rest[1:]])


def _own_entry(resource: Json) -> str:
    """An entry that has no address on this server."""
    return f'{{"fullUrl":"urn:uuid:{resource["id"]}","resource":{dumps(resource)}}}'


def _is_whole(patient: Entry) -> bool:
    resource = wire.parse_object(patient.text.encode())
    return bool(resource.get("name")) and "birthDate" in resource


def _found(section: Section, patient: str, call: Call) -> tuple[list[Entry], bool]:
    """What the section holds, and whether the token's scopes keep some of it back."""
    found: list[Entry] = []
    withheld = False
    for type_name, query in section.searches:
        if not call.reach(type_name, "search-type"):
            withheld = True
            continue
        pairs = [("patient", patient), *query, ("_count", str(MOST_EACH))]
        request = grammar.parse(
            ROUTES[type_name], pairs, base=call.base, strict=True, now=call.place.now, reach=call.reach
        )
        found += [one for one in run(request).entries if _stands(one)]
    return found, withheld


def _stands(entry: Entry) -> bool:
    """Whether it is true now: nothing entered in error or refuted, and no allergy that is over: a reader of the
    narrative, which only names it, would take it for one that holds."""
    resource = wire.parse_object(entry.text.encode())
    void = {"entered-in-error", "refuted"} | ({"inactive", "resolved"} if entry.type == "AllergyIntolerance" else set())
    statuses = {resource.get("status")}
    for name in ("verificationStatus", "clinicalStatus"):
        statuses |= {one.get("code") for one in (resource.get(name) or {}).get("coding", ())}
    return not statuses & void


def _section(section: Section, found: Sequence[Entry], withheld: bool, base: str) -> Json:
    said: Json = {
        "title": section.title,
        "code": {"coding": [{"system": LOINC, "code": section.code}]},
        "text": {"status": "generated", "div": _div(_lines(found))},
    }
    if found:
        said["entry"] = [{"reference": f"{base}/{one.type}/{one.fhir_id}"} for one in found]
    else:
        code = "withheld" if withheld else "unavailable"
        said["emptyReason"] = {"coding": [{"system": EMPTY_REASON, "code": code, "display": code.capitalize()}]}
    return said


def _lines(found: Iterable[Entry]) -> list[str]:
    lines = []
    for one in found:
        resource = wire.parse_object(one.text.encode())
        concept = resource.get("code") or resource.get("medicationCodeableConcept") or resource.get("vaccineCode") or {}
        coding: Json = next(iter(concept.get("coding", ())), {})
        words = concept.get("text") or coding.get("display") or coding.get("code") or f"{one.type}/{one.fhir_id}"
        lines.append(str(words))
    return list(dict.fromkeys(lines))


def _div(lines: Sequence[str]) -> str:
    inner = "".join(f"<li>{escape(line)}</li>" for line in lines)
    body = f"<ul>{inner}</ul>" if inner else "<p>Nothing is known here.</p>"
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'
