"""What the integrator of the journey sends: made-up people, real codes."""

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import RSAKey

Json = dict[str, Any]
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
IDENTIFIERS = "urn:quickstart:mrn"
BORN = "1957-03-14"


def iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def named(run: str, name: str) -> list[Json]:
    return [{"system": IDENTIFIERS, "value": f"{run}-{name}"}]


def entry(run: str, name: str, resource: Json, full_url: str) -> Json:
    """Created unless there is one with this identifier."""
    kind = resource["resourceType"]
    body = {**resource, "identifier": named(run, name)}
    request = {"method": "POST", "url": kind, "ifNoneExist": f"identifier={IDENTIFIERS}|{run}-{name}"}
    return {"fullUrl": full_url, "resource": body, "request": request}


def bundle(run: str, now: datetime) -> Json:
    """Patient, stay, operation, watch with its UDI, and three days of readings every six hours."""
    people = {name: f"urn:uuid:{uuid4()}" for name in ("patient", "stay", "operation", "watch")}
    subject = {"reference": people["patient"]}
    end = now - timedelta(days=3)
    stay = {"code": "IMP", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"}
    knee = {"coding": [{"system": SNOMED, "code": "609588000", "display": "Total knee replacement"}]}
    period = {"start": iso(end - timedelta(hours=2)), "end": iso(end)}
    udi = {"deviceIdentifier": "00844588003288", "carrierHRF": "(01)00844588003288(17)281102(10)4711"}
    name = {"family": "Quickstart", "given": ["Ada"]}
    resources = {
        "patient": {"resourceType": "Patient", "name": [name], "gender": "female", "birthDate": BORN},
        "stay": {"resourceType": "Encounter", "status": "in-progress", "class": stay, "subject": subject}
        | {"period": {"start": period["start"]}},
        "operation": {"resourceType": "Procedure", "status": "completed", "code": knee, "subject": subject}
        | {"performedPeriod": period},
        "watch": {"resourceType": "Device", "patient": subject, "udiCarrier": [udi]}
        | {"deviceName": [{"name": "Wristband", "type": "user-friendly-name"}]},
    }
    entries = [entry(run, name, resource, people[name]) for name, resource in resources.items()]
    for number in range(12):
        at = end + timedelta(hours=6 * number + 1)
        for code, unit, value in (("8867-4", "/min", 78 + number % 3), ("8310-5", "Cel", 37.1), ("59408-5", "%", 96)):
            made = observation(subject["reference"], code, unit, value, at, people["watch"])
            entries.append(entry(run, f"{code}-{number}", made, f"urn:uuid:{uuid4()}"))
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def observation(patient: str, code: str, unit: str, value: float, at: datetime, device: str = "") -> Json:
    vital = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
    said = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [vital]}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": patient},
        "effectiveDateTime": iso(at),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }
    return said | ({"device": {"reference": device}} if device else {})


def reading(run: str, patient: str, number: int) -> Json:
    at = datetime.now().astimezone() - timedelta(minutes=5 - number)
    made = observation(f"Patient/{patient}", "8867-4", "/min", 80 + number, at)
    return made | {"identifier": named(run, f"late-{number}")}


def unknown_code(run: str, patient: str) -> Json:
    at = datetime.now().astimezone() - timedelta(hours=1)
    made = observation(f"Patient/{patient}", "0", "1", 7, at)
    local = {"system": "urn:quickstart:codes", "code": "wobble", "display": "Wobble on standing up"}
    return made | {"code": {"coding": [local]}, "identifier": named(run, "wobble")}


def subscription(patient: str, endpoint: str) -> Json:
    channel = {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json"}
    said = {"resourceType": "Subscription", "status": "requested", "reason": "Quick start", "channel": channel}
    return said | {"criteria": f"Observation?patient={patient}&code={LOINC}|8867-4"}


def cds_call(run: str) -> Json:
    person = {"resourceType": "Patient", "id": "ehr-77", "birthDate": BORN, "identifier": named(run, "patient")}
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": "Practitioner/9", "patientId": "ehr-77"},
        "prefetch": {"patient": person},
    }


def hl7_messages(run: str, now: datetime) -> list[tuple[str, str]]:
    """(what it is, message)."""
    at, early = now.strftime("%Y%m%d%H%M%S+0000"), (now - timedelta(hours=3)).strftime("%Y%m%d%H%M%S+0000")
    head = "MSH|^~\\&|LAB|SOUTH|TWINWEB||{at}||{kind}|{run}-{number}|P|2.5||||||UNICODE UTF-8"
    pid = f"PID|1||{run}-v2^^^QUICKSTART^MR||Quickstart^Bo||19600102|M"
    visit = "PV1|1|I|B2^12^1" + "|" * 16 + f"{run}-visit^^^QUICKSTART^VN" + "|" * 25 + early
    order = f"OBR|1||{run}-order|CRP^C reactive protein^L|||{early}" + "|" * 17 + "LAB|F"
    crp = "OBX|1|NM|1988-5^C reactive protein^LN||{value}|mg/L|<5|H|||F"
    said = [
        ("An admission:", "ADT^A01", [f"EVN|A01|{at}", pid, visit]),
        ("A result:", "ORU^R01", [pid, order, crp.format(value="12.5")]),
        ("A result that is refused, by its field:", "ORU^R01", [pid, order, crp.format(value="high")]),
    ]
    return [
        (title, "\r".join([head.format(at=at, kind=kind, run=run, number=number), *segments]) + "\r")
        for number, (title, kind, segments) in enumerate(said)
    ]


def service_key(run: str) -> tuple[RSAKey, Json]:
    """A key of its own, and what is said to register it (RFC 7591)."""
    key = RSAKey.generate_key(2048, {"kid": f"{run}-key", "use": "sig", "alg": "RS384"}, private=True)
    return key, {
        "client_name": "Research export",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"],
        "scope": "system/Patient.rs system/Observation.rs",
        "jwks": {"keys": [key.as_dict(private=False)]},
    }


def token_request(key: RSAKey, client_id: str, token_endpoint: str) -> Json:
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": token_endpoint, "jti": str(uuid4()), "exp": now + 240}
    signed = jwt.encode({"alg": "RS384", "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=["RS384"])
    return {
        "grant_type": "client_credentials",
        "scope": "system/Patient.rs",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }
