"""The integrator's half hour as one script, against a product that runs: its transcript is docs/quickstart.md.

    TOKEN=... python -m tests.functional.integrator_journey http://127.0.0.1:8000 [--mllp HOST:PORT] [--transcript FILE]

TOKEN acts as a system with full rights (`manage.py issue_token "My EHR"`). The product must allow notifications to
loopback (SUBSCRIPTION_ALLOW_LOOPBACK=1). Every step asserts what it says; the people in it are made up.
"""

import argparse
import gzip
import json
import os
import secrets
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.functional.integrator_resources import (
    IDENTIFIERS,
    bundle,
    cds_call,
    hl7_messages,
    reading,
    service_key,
    subscription,
    token_request,
    unknown_code,
)

PATIENCE_S = 90.0
EVERY_S = 0.5
SHOWN = 1_200


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content or b"null")


@dataclass
class Journey:
    """`said`: the transcript so far, as Markdown."""

    origin: str
    token: str
    mllp: str = ""
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    said: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    patient: str = ""

    def ask(self, method: str, path: str, body: Any = None, *, token: bool = True, **headers: str) -> Answer:
        url = path if path.startswith("http") else f"{self.origin}{path}"
        said = {"Content-Type": "application/fhir+json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if token:
            said["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, said, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def post_form(self, url: str, form: bytes) -> Answer:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, form), timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def step(self, title: str) -> None:
        self.said.append(f"\n## {title}\n")

    def tell(self, words: str) -> None:
        self.said.append(f"{words}\n")

    def show(self, command: str, answer: Answer | None = None, shown: Any = None) -> None:
        """A command as one types it, and what is worth seeing of the answer."""
        lines = ["```", command]
        if answer is not None:
            lines.append(f"HTTP {answer.status}")
        if shown is not None:
            text = shown if isinstance(shown, str) else json.dumps(shown, indent=1, ensure_ascii=False)
            lines.append(text if len(text) < SHOWN else f"{text[:SHOWN]} ...")
        self.said.append("\n".join([*lines, "```", ""]))

    def until(self, what: str, look: Callable[[], Any], patience: float = PATIENCE_S) -> Any:
        """The first answer that is true. Raises AssertionError when none comes."""
        over = time.monotonic() + patience
        while time.monotonic() < over:
            found = look()
            if found:
                return found
            time.sleep(EVERY_S)
        raise AssertionError(f"waited {patience:.0f} s in vain: {what}")


def curl(method: str, path: str, rest: str = "") -> str:
    verb = "" if method == "GET" else f"-X {method} -H 'Content-Type: application/fhir+json' "
    escaped = path.replace("$export", "\\$export").replace("$summary", "\\$summary")
    return f'$ curl -s -H "Authorization: Bearer $TOKEN" {verb}{rest}"$BASE{escaped}"'


# ---- 0 to 9 min ---


def look_around(journey: Journey) -> None:
    journey.step("1. Look around")
    metadata = journey.ask("GET", "/fhir/metadata", token=False)
    assert metadata.status == 200 and metadata.body["fhirVersion"] == "4.0.1"
    rest = metadata.body["rest"][0]
    seen = {"fhirVersion": metadata.body["fhirVersion"], "types": len(rest["resource"])}
    journey.show("$ curl -s $BASE/fhir/metadata", metadata, seen)
    smart = journey.ask("GET", "/fhir/.well-known/smart-configuration", token=False)
    assert smart.status == 200 and smart.body["code_challenge_methods_supported"] == ["S256"]
    kept = {name: smart.body[name] for name in ("token_endpoint", "grant_types_supported") if name in smart.body}
    journey.show("$ curl -s $BASE/fhir/.well-known/smart-configuration", smart, kept)
    refused = journey.ask("GET", "/fhir/Patient", token=False)
    assert refused.status == 401
    journey.tell("Everything else wants a token:")
    journey.show("$ curl -s $BASE/fhir/Patient", refused, refused.body["issue"][0]["diagnostics"])


# ---- 9 to 15 min ---


def bring_a_patient(journey: Journey) -> None:
    journey.step("3. Bring a patient")
    journey.tell("A transaction: patient, stay, operation, device with its UDI, readings. All of it or none.")
    sent = bundle(journey.run, datetime.now(UTC))
    journey.show("bundle.json: 4 entries of this kind, and 36 readings", shown={**sent, "entry": sent["entry"][:1]})
    answer = journey.ask("POST", "/fhir/", sent)
    assert answer.status == 200, answer.body
    statuses = [one["response"]["status"][:3] for one in answer.body["entry"]]
    assert set(statuses) == {"201"}, answer.body
    journey.patient = answer.body["entry"][0]["response"]["location"].split("/")[1]
    journey.show(curl("POST", "/fhir/", "-d @bundle.json "), answer, f"{len(statuses)} entries: all 201 Created")
    again = journey.ask("POST", "/fhir/", sent)
    repeated = {one["response"]["status"][:3] for one in again.body["entry"]}
    assert again.status == 200 and repeated == {"200"}, again.body
    journey.tell("The same again makes nothing new, because each entry says by which identifier it is known:")
    journey.show(curl("POST", "/fhir/", "-d @bundle.json "), again, f"{len(statuses)} entries: all 200 OK")
    broken = journey.ask("POST", "/fhir/", {**sent, "entry": [*sent["entry"], {"resource": {"resourceType": "Nope"}}]})
    assert broken.status == 400
    journey.tell("What is wrong is said by entry and element:")
    journey.show(curl("POST", "/fhir/", "-d @broken.json "), broken, broken.body["issue"][0]["diagnostics"])


def meet_an_unknown_code(journey: Journey) -> None:
    journey.tell("A code that the twin does not know is stored, served, and listed for an administrator (`/fhir/`):")
    answer = journey.ask("POST", "/fhir/Observation", unknown_code(journey.run, journey.patient))
    assert answer.status == 201, answer.body
    journey.show(curl("POST", "/fhir/Observation", "-d @unknown.json "), answer)


# ---- 15 to 18 min ---


def read_the_state(journey: Journey) -> None:
    journey.step("4. Read the patient's state")
    query = f"/fhir/RiskAssessment?patient={journey.patient}"
    risk = journey.until("a risk", lambda: journey.ask("GET", query).body.get("entry"))[0]["resource"]
    first = risk.get("prediction", [{}])[0]
    journey.tell("The twin has looked some seconds later:")
    journey.show(curl("GET", query), shown=first)
    found = {}
    for name, query in (
        ("CarePlan", "CarePlan?patient={}"),
        ("Goal", "Goal?patient={}"),
        ("Flag", "Flag?patient={}"),
        ("Observation (recovery index)", "Observation?patient={}&code=recovery-state"),
        ("Provenance", "Provenance?patient={}"),
    ):
        answer = journey.ask("GET", f"/fhir/{query.format(journey.patient)}")
        assert answer.status == 200, (query, answer.body)
        found[name] = len(answer.body.get("entry", ()))
    assert found["CarePlan"] and found["Provenance"] and found["Observation (recovery index)"], found
    journey.show(curl("GET", "/fhir/CarePlan?patient=$PATIENT") + "   # and so on", shown=found)
    summary = journey.ask("GET", f"/fhir/Patient/{journey.patient}/$summary")
    assert summary.status == 200 and summary.body["type"] == "document"
    sections = [one["title"] for one in summary.body["entry"][0]["resource"]["section"]]
    journey.show(curl("GET", "/fhir/Patient/$PATIENT/$summary"), summary, sections)


# ---- 18 to 22 min ---


class Receiver:
    """A webhook on loopback that can be killed and started again at the same port."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append((self.path, self.rfile.read(int(self.headers.get("Content-Length") or 0))))
                self.send_response(200)
                self.end_headers()

            do_PUT = do_POST

            def log_message(self, *_: object) -> None:
                return

        self._handler, self.port = Handler, 0
        self.start()

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def kill(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def subscribe(journey: Journey) -> None:
    journey.step("5. Be told of changes")
    receiver = Receiver()
    sent = subscription(journey.patient, f"http://127.0.0.1:{receiver.port}/hook")
    journey.show("subscription.json", shown=sent)
    answer = journey.ask("POST", "/fhir/Subscription", sent)
    assert answer.status == 201, answer.body
    path = f"/fhir/Subscription/{answer.body['id']}"
    journey.until("an active subscription", lambda: journey.ask("GET", path).body["status"] == "active")
    journey.show(curl("POST", "/fhir/Subscription", "-d @subscription.json "), answer, "some seconds later: active")
    journey.ask("POST", "/fhir/Observation", reading(journey.run, journey.patient, 1))
    journey.until("the first event", lambda: len(receiver.heard) >= 1)
    journey.tell(f"A reading, and the receiver hears of it ({len(receiver.heard)} POST). Now the receiver is killed.")
    receiver.kill()
    heard = len(receiver.heard)
    journey.ask("POST", "/fhir/Observation", reading(journey.run, journey.patient, 2))
    time.sleep(3)
    assert len(receiver.heard) == heard
    journey.tell(
        "Events wait, in order, and are tried again with growing pauses; the status page (`/connections/status/`)"
        " shows them amber, and red when they are given up. The receiver comes back:"
    )
    receiver.start()
    journey.until("the event that waited", lambda: len(receiver.heard) > heard)
    journey.show("POST /hook", shown=f"{len(receiver.heard)} events heard: none was lost")
    assert journey.ask("DELETE", path).status in (200, 204)
    receiver.kill()


# ---- 22 to 26 min ---


def ask_for_a_card(journey: Journey) -> None:
    journey.step("6. Ask for a card (CDS Hooks)")
    services = journey.ask("GET", "/cds-services", token=False).body["services"]
    service = next(one["id"] for one in services if one["hook"] == "patient-view")
    sent = cds_call(journey.run)
    journey.show("call.json", shown=sent)
    began = time.monotonic()
    answer = journey.ask("POST", f"/cds-services/{service}", sent, Content_Type="application/json")
    took = 1000 * (time.monotonic() - began)
    assert answer.status == 200 and answer.body["cards"], answer.body
    card = answer.body["cards"][0]
    assert len(card["summary"]) < 140
    kept = {name: card[name] for name in ("summary", "indicator", "source", "uuid") if name in card}
    journey.show(curl("POST", f"/cds-services/{service}", "-d @call.json "), answer, kept)
    journey.tell(f"With the prefetched patient alone, in {took:.0f} ms. What became of the card is told back:")
    outcome = "overridden"
    now = datetime.now(UTC).isoformat()
    said = {"feedback": [{"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": now}]}
    answer = journey.ask("POST", f"/cds-services/{service}/feedback", said, Content_Type="application/json")
    assert answer.status == 200, answer.content
    journey.show(curl("POST", f"/cds-services/{service}/feedback", "-d @feedback.json "), answer, said)


# ---- 26 to 28 min ---


def export_a_group(journey: Journey) -> None:
    journey.step("7. Export a group")
    member = {"entity": {"reference": f"Patient/{journey.patient}"}}
    group = {"resourceType": "Group", "type": "person", "actual": True, "name": "Quick start", "member": [member]}
    made = journey.ask("POST", "/fhir/Group", group)
    assert made.status == 201, made.body
    kicked = journey.ask("GET", f"/fhir/Group/{made.body['id']}/$export", Prefer="respond-async")
    assert kicked.status == 202, kicked.body
    status = kicked.headers["Content-Location"]
    journey.show(
        curl("GET", "/fhir/Group/$GROUP/$export", "-H 'Prefer: respond-async' "), kicked, "Content-Location: ..."
    )
    done = journey.until("a manifest", lambda: (seen := journey.ask("GET", status)).status == 200 and seen)
    manifest = done.body
    journey.show(curl("GET", "/fhir/bulk/status/..."), done, manifest)
    counts = {one["type"]: one["count"] for one in manifest["output"]}
    assert counts["Patient"] == 1 and counts["Observation"] > 5 and manifest["requiresAccessToken"], counts
    for one in manifest["output"]:
        answer = journey.ask("GET", one["url"], Accept_Encoding="gzip")
        lines = gzip.decompress(answer.content).decode().splitlines()
        assert len(lines) == one["count"] and all(json.loads(line)["resourceType"] == one["type"] for line in lines)
    journey.tell("Every file holds as many lines as the manifest says.")
    assert journey.ask("DELETE", status).status == 202
    assert journey.ask("GET", status).status == 404


# ---- HL7 v2 ---


def send_hl7(journey: Journey) -> None:
    journey.step("8. Or HL7 v2")
    host, _, port = journey.mllp.rpartition(":")
    for title, message in hl7_messages(journey.run, datetime.now(UTC)):
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(b"\x0b" + message.encode() + b"\x1c\r")
            heard = b""
            while not heard.endswith(b"\x1c\r"):
                heard += line.recv(4096)
        answer = heard.strip(b"\x0b\x1c\r").decode().split("\r")
        msa = next(one for one in answer if one.startswith("MSA"))
        assert msa.split("|")[1] == ("AE" if "refused" in title else "AA"), answer
        journey.tell(title)
        journey.show(message.replace("\r", "\n").strip(), shown="\n".join(answer))
    query = f"/fhir/Patient?identifier={IDENTIFIERS}|{journey.run}-v2"
    assert len(journey.ask("GET", query).body.get("entry", ())) <= 1


def how_to_come_in(journey: Journey) -> None:
    journey.step("2. Come in")
    journey.tell(
        "An administrator registers the system under **Connections** (a backend service that signs for its tokens, an"
        " app, or a system with a fixed token); each scope is said in plain words there. For a first try:"
    )
    journey.show('$ TOKEN=$(python manage.py issue_token "My EHR" --scopes "system/*.cruds")')
    answer = journey.ask("GET", "/fhir/Patient?_count=1&_total=accurate")
    assert answer.status == 200
    journey.show(curl("GET", "/fhir/Patient?_count=1"), answer, f"{len(answer.body.get('entry', ()))} patient shown")


def register_a_service(journey: Journey) -> None:
    """Backend Services, where the instance lets systems register themselves (SMART_OPEN_REGISTRATION)."""
    smart = journey.ask("GET", "/fhir/.well-known/smart-configuration", token=False).body
    if "registration_endpoint" not in smart:
        return
    journey.tell(
        "A system that signs needs no secret here: its public key is registered, by an administrator under"
        " **Connections** or, on a test instance (`SMART_OPEN_REGISTRATION=1`), by itself:"
    )
    key, wanted = service_key(journey.run)
    made = journey.ask("POST", smart["registration_endpoint"], wanted, token=False, Content_Type="application/json")
    assert made.status == 201, made.body
    shown = {**wanted, "jwks": {"keys": [{**wanted["jwks"]["keys"][0], "n": "..."}]}}
    journey.show("service.json", shown=shown)
    journey.show("$ curl -s -H 'Content-Type: application/json' -d @service.json $BASE/oauth/register", made)
    form = urllib.parse.urlencode(token_request(key, made.body["client_id"], smart["token_endpoint"])).encode()
    said = journey.post_form(smart["token_endpoint"], form)
    assert said.status == 200, said.body
    kept = {name: said.body[name] for name in ("token_type", "expires_in", "scope")}
    journey.tell(
        "It signs a short-lived JWT with its private key and gets a token for five minutes (see [SMART](smart.md)):"
    )
    journey.show("$ curl -s -d grant_type=client_credentials -d client_assertion=... $BASE/oauth/token", said, kept)
    again = journey.post_form(smart["token_endpoint"], form)
    assert again.status in (400, 401), "an assertion is good once"
    own = Journey(journey.origin, said.body["access_token"])
    assert own.ask("GET", "/fhir/Patient?_count=1").status == 200
    assert own.ask("POST", "/fhir/Group", {"resourceType": "Group"}).status == 403


def travel(journey: Journey) -> Journey:
    """All of it. Raises AssertionError at the first step that is not as it should be."""
    for step in (
        look_around,
        how_to_come_in,
        register_a_service,
        bring_a_patient,
        meet_an_unknown_code,
        read_the_state,
        subscribe,
        ask_for_a_card,
        export_a_group,
    ):
        step(journey)
    if journey.mllp:
        send_hl7(journey)
    return journey


HEAD = """# Quick start for integrators

From nothing to first data, a notification, a card and an export. This page is the transcript of a script that was run
against `make run` (`python -m tests.functional.integrator_journey`); the people in it are made up. `$BASE` is the
server's address. Start the product with `SUBSCRIPTION_ALLOW_LOOPBACK=1` when your first receiver runs on the same
machine, with `MLLP_PORT=2575` for HL7 v2, and, on a test instance, with `SMART_OPEN_REGISTRATION=1`.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("origin")
    parser.add_argument("--mllp", default="", help="host:port of the MLLP server")
    parser.add_argument("--transcript", type=Path)
    asked = parser.parse_args()
    journey = travel(Journey(asked.origin.rstrip("/"), os.environ["TOKEN"], asked.mllp))
    took = timedelta(seconds=round(time.monotonic() - journey.began))
    text = "\n".join([HEAD, *journey.said]).replace(journey.origin, "$BASE").replace(journey.patient, "$PATIENT")
    text = text.replace(f"{journey.run}-", "demo-").rstrip("\n") + "\n"
    if asked.transcript:
        asked.transcript.write_text(text, encoding="utf-8")
    print(f"The journey was made in {took}.")


if __name__ == "__main__":
    main()
