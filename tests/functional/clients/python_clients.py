"""fhirpy and fhirclient (SMART Python) at an integrator's work. Run by the clients' own Python, not by this project's:

python python_clients.py BASE TOKEN          the two libraries with a system's token
python python_clients.py BASE CLIENT_ID BACK STATE begin
python python_clients.py CAME_BACK_TO STATE end   fhirclient through a standalone launch, in two steps
"""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARK = uuid.uuid4().hex[:8]
IDENTIFIERS = "urn:clients:mrn"
Step = Callable[..., None]


def person(name: str) -> dict[str, Any]:
    return {
        "identifier": [{"system": IDENTIFIERS, "value": f"{MARK}-{name}"}],
        "name": [{"family": f"Client{MARK}", "given": [name]}],
        "gender": "female",
        "birthDate": "1957-03-14",
    }


def heart_rate(patient: str, minute: int, value: int) -> dict[str, Any]:
    return {
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2026-05-04T09:{minute:02d}:00Z",
        "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    }


def use_fhirpy(base: str, token: str, step: Step) -> None:
    from fhirpy import SyncFHIRClient
    from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

    client = SyncFHIRClient(base, authorization=f"Bearer {token}")
    patient = client.resource("Patient", **person("fhirpy"))
    patient.save()
    for minute in range(5):
        client.resource("Observation", **heart_rate(patient.id, minute, 60 + minute)).save()
    step("save")
    mine = client.resources("Observation").search(patient=patient.id)
    assert mine.count() == 5
    assert sorted(one["valueQuantity"]["value"] for one in mine.limit(2).fetch_all()) == [60, 61, 62, 63, 64]
    assert mine.sort("-date").first()["valueQuantity"]["value"] == 64
    step("count", "fetch_all over pages", "sort, first")
    found = client.resources("Patient").search(identifier=f"{IDENTIFIERS}|{MARK}-fhirpy").get()
    assert found.id == patient.id and found.to_reference().to_resource()["birthDate"] == "1957-03-14"
    patient["gender"] = "other"
    patient.save()
    patient.patch(active=True)
    patient.refresh()
    assert (patient["gender"], patient["active"], patient["meta"]["versionId"]) == ("other", True, "3")
    step("get", "to_resource", "update", "patch", "refresh")
    second, made = (
        client.resources("Patient")
        .search(identifier=f"{IDENTIFIERS}|{MARK}-second")
        .get_or_create(client.resource("Patient", **person("second")))
    )
    assert made and second.is_valid(raise_exception=True)
    assert client.resource("Patient", id=patient.id).execute("$everything", "get")["entry"]
    step("get_or_create", "is_valid ($validate)", "execute $everything")
    second.delete()
    try:
        client.reference("Patient", second.id).to_resource()
    except (ResourceNotFound, OperationOutcome):
        step("delete")
    else:
        raise AssertionError("a deleted patient was read")
    asyncio.run(_fhirpy_async(base, token, patient.id))
    step("AsyncFHIRClient")


async def _fhirpy_async(base: str, token: str, patient: str) -> None:
    from fhirpy import AsyncFHIRClient

    client = AsyncFHIRClient(base, authorization=f"Bearer {token}")
    found = [one async for one in client.resources("Observation").search(patient=patient).limit(2)]
    assert len(found) == 5


def use_fhirclient(base: str, token: str, step: Step) -> None:
    from fhirclient.models import fhirdate, observation, patient
    from fhirclient.server import FHIRNotFoundException

    server = _opened(base, token)
    mine = patient.Patient(person("smart"))
    answer = mine.create(server)
    mine = patient.Patient.read(answer["id"], server)
    assert mine.birthDate.isostring == "1957-03-14"
    for minute in range(5):
        said = {"resourceType": "Observation", **heart_rate(mine.id, minute, 80 + minute)}
        observation.Observation(said).create(server)
    step("create", "read")
    search = observation.Observation.where(struct={"patient": mine.id, "_count": "2"})
    bundle, seen = search.perform(server), []
    while bundle is not None:
        seen += [one.resource.valueQuantity.value for one in bundle.entry or ()]
        following = next((one.url for one in bundle.link or () if one.relation == "next"), None)
        bundle = type(bundle)(server.request_json(following)) if following else None
    assert sorted(seen) == [80, 81, 82, 83, 84], seen
    assert len(search.perform_resources(server)) >= 2
    step("where, perform", "pages")
    mine.gender, mine.birthDate = "other", fhirdate.FHIRDate("1957-03-15")
    mine.update(server)
    assert patient.Patient.read(mine.id, server).birthDate.isostring == "1957-03-15"
    other = patient.Patient(person("gone"))
    other.id = other.create(server)["id"]
    other.delete(server)
    try:
        patient.Patient.read(other.id, server)
    except FHIRNotFoundException:
        pass
    except Exception as error:
        assert "410" in str(getattr(error, "response", error)), error
    else:
        raise AssertionError("a deleted patient was read")
    step("update", "delete")


def _opened(base: str, token: str) -> Any:
    """A server of fhirclient that holds a token already, as it does after a launch."""
    from fhirclient.client import FHIRClient

    smart = FHIRClient(settings={"app_id": "clients", "api_base": base})
    smart.prepare()
    smart.server.auth.access_token = token
    return smart.server


def begin(base: str, client_id: str, back: str, state: Path) -> None:
    """fhirclient's own launch: prints where to send the person, keeps its state."""
    from fhirclient.client import FHIRClient

    said = {"app_id": client_id, "api_base": base, "redirect_uri": back, "scope": "openid fhirUser patient/*.rs"}
    smart = FHIRClient(settings=said)
    smart.prepare()
    print(json.dumps({"go_to": smart.authorize_url}))
    state.write_text(json.dumps(smart.state), encoding="utf-8")


def end(came_back_to: str, state: Path) -> None:
    from fhirclient.client import FHIRClient
    from fhirclient.models import observation

    smart = FHIRClient(state=json.loads(state.read_text(encoding="utf-8")))
    smart.handle_callback(came_back_to)
    patient = smart.patient
    found = observation.Observation.where(struct={"patient": patient.id}).perform(smart.server)
    steps = ["authorize_url (PKCE)", "handle_callback", "patient of the launch", "search"]
    assert patient.id and found.entry
    print(json.dumps({"client": "fhirclient (Python), standalone launch", "steps": steps, "error": ""}))


def main(base: str, token: str) -> int:
    failed = 0
    for name, run in (("fhirpy", use_fhirpy), ("fhirclient (Python)", use_fhirclient)):
        steps: list[str] = []
        error = ""
        try:
            run(base, token, lambda *done, kept=steps: kept.extend(done))
        except Exception as problem:
            error, failed = f"{type(problem).__name__}: {problem}"[:900], 1
        print(json.dumps({"client": name, "steps": steps, "error": error}))
    return failed


if __name__ == "__main__":
    match sys.argv[1:]:
        case [base, client_id, back, state, "begin"]:
            begin(base, client_id, back, Path(state))
        case [came_back_to, state, "end"]:
            end(came_back_to, Path(state))
        case [base, token]:
            sys.exit(main(base, token))
