"""Random requests to the FHIR door: valid resources bent somewhere, sent by every verb to every kind of address.

Everything comes from one `random.Random`, so that a seed names a case.
"""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from integrations.fhir.routes import ROUTES
from tests.integration.integrations.fhir.conftest import FHIR_JSON
from tests.unit.integrations.fhir.observations import heart_rate, sampled

PATCH = "application/json-patch+json"
UCUM = "http://unitsofmeasure.org"
_SUBJECT = {"reference": "Patient/p1"}
_TEXT = {"text": "x"}

SEEDS: list[dict[str, Any]] = [
    heart_rate(issued="2026-01-05T09:00:00Z", identifier=[{"system": "urn:i", "value": "1"}]),
    sampled(),
    heart_rate(id="a", valueQuantity=None, component=[{"code": _TEXT, "valueQuantity": {"value": 1}}]),
    heart_rate(note=[{"text": "x"}], valueQuantity=None, valueInteger=3, meta={"tag": [{"code": "c"}]}),
    heart_rate(effectiveDateTime=None, effectivePeriod={"start": "2026-01-05", "end": "2026-01-06T00:00:00Z"}),
    {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Müller", "given": ["Zoë"]}],
        "birthDate": "1960-05",
        "identifier": [{"system": "urn:mrn", "value": "1", "period": {"start": "2020", "end": "2021"}}],
        "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
        "managingOrganization": {"reference": "#o"},
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'},
        "deceasedDateTime": "2026-01-05T09:00:00+14:00",
        "extension": [{"url": "urn:x", "valueDecimal": 1}],
    },
    {
        "resourceType": "Procedure",
        "status": "completed",
        "subject": _SUBJECT,
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "609588000"}]},
        "category": {"coding": [{"system": "http://snomed.info/sct", "code": "387713003"}]},
        "performedPeriod": {"start": "2026-01-05T07:00:00Z", "end": "2026-01-05T09:00:00Z"},
    },
    {
        "resourceType": "Condition",
        "subject": _SUBJECT,
        "code": _TEXT,
        "onsetDateTime": "2026-01-05T07:00:00Z",
        "recordedDate": "2026-01-05",
    },
    {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": _SUBJECT,
        "period": {"start": "2026-01-05T07:00:00Z", "end": "2026-01-07"},
    },
    {"resourceType": "Device", "id": "d1", "patient": _SUBJECT, "type": _TEXT, "deviceName": [{"name": "w"}]},
    {"resourceType": "Organization", "name": "x", "partOf": {"reference": "Organization/o1"}},
    {
        "resourceType": "Questionnaire",
        "status": "active",
        "item": [{"linkId": "1", "type": "group", "item": [{"linkId": "2", "type": "decimal"}]}],
    },
    {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": _SUBJECT,
        "prediction": [{"probabilityDecimal": 0.1, "whenRange": {"low": {"value": 1}, "high": {"value": 2}}}],
    },
    {"resourceType": "Goal", "lifecycleStatus": "active", "description": _TEXT, "subject": _SUBJECT},
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _TEXT,
        "subject": _SUBJECT,
        "dosageInstruction": [{"timing": {"repeat": {"period": 1, "periodUnit": "d"}}}],
    },
]
NUMBERS = "0 -1 1.5 1e400 -0 1E-7 0.10 99999999999999999999 2147483648 1e300 3.141592653589793238462643383".split()
ODD: list[Any] = [
    None, "", " ", True, [], {}, [None], [[]], [{}], {"a": 1}, ["x"], "x y", "9" * 70, "\u0000", "\ud800", "\u0001",
    "2026-13-01", "0001-01-01", "9999-12-31T23:59:59.999999-12:00", "2026-02-29", "24:00:00", "٢٠٢٦", "Patient/p1",
    "Patient/none", "#x", "#", "urn:uuid:x", "http://", "Observation/r-1-1-1", "r-1-1-1", "k-0-0-0", "final",
    "<div>", "<div xmlns='http://www.w3.org/1999/xhtml'><script/></div>", "a|b", "\\", "$", "%00", "\u202e", "A" * 5000,
    {"reference": "Patient/p1"}, {"coding": [{"system": 5, "code": None}]}, {"value": "1"}, {"extension": []},
    {"resourceType": "Patient"}, {"resourceType": "Nothing"}, {"start": "2026", "end": "2025"}, {"url": "x"},
]  # fmt: skip
NAMES = (
    "resourceType id meta extension contained text status code subject value valueString valueQuantity component"
    " valueSampledData period data dimensions origin effectiveDateTime effectivePeriod issued identifier note _status"
    " _id reference coding system start end url item link part of __proto__ versionId lastUpdated div entry"
).split()  # fmt: skip
TYPES = [*sorted(ROUTES), "Bundle", "Nothing", "HumanName", "SubscriptionTopic"]
IDS = ["p1", "a", "x", "none", "r-1-1-1", "k-1-.1-zz", "a" * 64, "1", "-", "."]
QUERIES = [
    "",
    "identifier=urn:i|1",
    "_id=p1",
    "x=y",
    "identifier=",
    "name=%00",
    "date=ge0001",
    "subject:x=1",
    "_count=x",
]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; `headers` with their HTTP names."""

    method: str
    path: str
    body: str | bytes
    content_type: str
    headers: dict[str, str]


def resource(chance: random.Random) -> Any:
    """A resource with up to four things bent, or now and then no resource at all."""
    if chance.random() < 0.05:
        return chance.choice(ODD)
    found = copy.deepcopy(chance.choice(SEEDS))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        _bend(found, chance)
    return found


def _bend(value: Any, chance: random.Random) -> None:
    spots = list(_spots(value))
    if not spots:
        return
    holder, key = chance.choice(spots)
    deed = chance.randrange(6)
    if deed == 0:
        del holder[key]
    elif deed == 1:
        holder[key] = [holder[key]]
    elif deed == 2 and isinstance(holder, dict):
        holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(ODD))
    elif deed == 3:
        other, place = chance.choice(list(_spots(chance.choice(SEEDS))))
        holder[key] = copy.deepcopy(other[place])
    elif deed == 4:
        holder[key] = f"<number {chance.choice(NUMBERS)}>"
    else:
        holder[key] = copy.deepcopy(chance.choice(ODD))


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in list(items):
        yield value, key
        yield from _spots(child)


def text_of(value: Any, chance: random.Random) -> str | bytes:
    """JSON with numbers written in every way, sometimes cut or spoilt."""
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    for number in NUMBERS:
        text = text.replace(f'"<number {number}>"', number)
    if chance.random() < 0.03:
        text = text[: chance.randrange(len(text) + 1)]
    body = text.encode("utf-8", "surrogatepass")
    return body if chance.random() < 0.98 else body + bytes([chance.randrange(256)])


def bundle(chance: random.Random) -> dict[str, Any]:
    entries: list[Any] = []
    for _ in range(chance.randrange(4)):
        said = resource(chance)
        kind = said.get("resourceType") if isinstance(said, dict) else "Patient"
        method = chance.choice(("POST", "POST", "PUT", "DELETE", "GET", "PATCH"))
        url = f"{kind}" if method == "POST" else f"{kind}/{chance.choice(IDS)}"
        request: dict[str, Any] = {"method": method, "url": url}
        if chance.random() < 0.3:
            request[chance.choice(("ifNoneExist", "ifMatch", "ifNoneMatch"))] = chance.choice((*QUERIES, 'W/"1"'))
        if method == "PUT" and isinstance(said, dict):
            said["id"] = url.partition("/")[2]
        entries.append(
            {"fullUrl": chance.choice(("urn:uuid:a", "urn:uuid:b", "x")), "resource": said, "request": request}
        )
    found = {"resourceType": "Bundle", "type": chance.choice(("transaction", "batch")), "entry": entries}
    if chance.random() < 0.4:
        _bend(found, chance)
    return found


def patch(chance: random.Random) -> Any:
    paths = ["", "/", "/status", "/name/0/family", "/name/-", "/id", "/x/y", "/~", "/meta", "/contained/0", "/name/99"]
    return [
        {
            "op": chance.choice(("add", "remove", "replace", "move", "copy", "test", "fly")),
            "path": chance.choice(paths),
            "from": chance.choice(paths),
            "value": chance.choice(ODD),
        }
        for _ in range(chance.randrange(4))
    ]


def request(chance: random.Random) -> Asked:
    """One request to the door."""
    method = chance.choice(("POST", "POST", "POST", "PUT", "PUT", "PATCH", "DELETE", "GET", "HEAD"))
    said = resource(chance)
    kind = said.get("resourceType") if isinstance(said, dict) and chance.random() < 0.9 else chance.choice(TYPES)
    kind = kind if isinstance(kind, str) and kind.isascii() and kind.isalpha() else chance.choice(TYPES)
    name = chance.choice(IDS)
    if isinstance(said, dict) and chance.random() < 0.7 and method == "PUT":
        said["id"] = name
    path = kind if method == "POST" else f"{kind}/{name}"
    if method in ("GET", "HEAD") and chance.random() < 0.5:
        path = f"{kind}{chance.choice(('', '/_history', '/p1/_history', '/p1/_history/1', '/$validate'))}"
    if chance.random() < 0.2:
        path = f"{path.partition('/')[0]}?{chance.choice(QUERIES)}"
    if method == "POST" and chance.random() < 0.25:
        path, said = "", bundle(chance)
    if method == "POST" and path and chance.random() < 0.1:
        path = f"{kind}/$validate"
    content_type = FHIR_JSON
    if method == "PATCH":
        said, content_type = patch(chance), PATCH
    headers = {}
    if chance.random() < 0.2:
        headers[chance.choice(("If-Match", "If-None-Exist", "Prefer", "If-None-Match"))] = chance.choice(
            (*QUERIES, 'W/"1"', 'W/"x"', "return=minimal", "handling=strict", "return=OperationOutcome")
        )
    body = "" if method in ("GET", "HEAD") else text_of(said, chance)
    return Asked(method, path, body, content_type, headers)


class Handlers:
    """The door's views called as Django calls them, without the server around them."""

    def __init__(self, token: str) -> None:
        self._factory = RequestFactory(headers={"Authorization": f"Bearer {token}"})

    def ask(self, asked: Asked) -> HttpResponse:
        url = f"/fhir/{asked.path}".rstrip("/")
        made = self._factory.generic(asked.method, url, asked.body, asked.content_type, headers=asked.headers)
        found = resolve(made.path_info)
        response: HttpResponse = found.func(made, *found.args, **found.kwargs)
        return response
