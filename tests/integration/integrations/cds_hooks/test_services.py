"""CDS Hooks: discovery, cards about a patient who is surely the same, silence about everybody else, feedback."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import ECKey

from recovery.audit import Actor
from recovery.models import AuditEvent, Card, Connection, Episode
from recovery.selectors.cards import fates, overrides
from recovery.services.cards import trust_ehr
from tests.factories import make_alert, make_snapshot, said
from tests.integration.integrations.fhir.conftest import Door, token_for

VIEW, DISCHARGE = "postop-recovery-patient-view", "postop-recovery-discharge"
SYSTEM = "https://hospital.example/mrn"
ISSUER = "https://ehr.example"
KEY = ECKey.generate_key("P-384", {"kid": "k1"})


class Ehr:
    """An EHR as it calls: with the bearer token of its connection, unless told otherwise."""

    def __init__(self, token: str) -> None:
        self.client, self.token = Client(raise_request_exception=False), token

    def call(self, service: str = VIEW, token: str | None = None, **body: Any) -> HttpResponse:
        said = {"hook": "patient-view", "hookInstance": str(uuid4()), **body}
        return self.post(f"/cds-services/{service}", said, token)

    def post(self, path: str, body: Any, token: str | None = None) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        data = body if isinstance(body, str) else json.dumps(body)
        return self.client.post(path, data, content_type="application/json", headers=headers)

    def cards(self, service: str = VIEW, **body: Any) -> list[dict[str, Any]]:
        response = self.call(service, **body)
        assert response.status_code == 200, response.content
        return list(response.json()["cards"])


@pytest.fixture
def ehr(db: None) -> Ehr:
    return Ehr(token_for("system/*.cruds", "the EHR"))


@pytest.fixture
def episode(db: None) -> Episode:
    """Somebody followed after surgery, sent by another system than the EHR."""
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": SYSTEM, "value": "123"}],
        "birthDate": "1957-03-14",
    }
    door = Door(token_for("system/*.cruds", "another system"))
    assert door.put("Patient/p1", patient).status_code == 201
    row = Episode.objects.create(
        patient_id=_patient_row("p1"),
        fhir_id="p1-op",
        status="active",
        surgery_end=timezone.now() - timedelta(hours=30),
        procedure_text="Total knee replacement",
    )
    make_snapshot(row, timezone.now(), said("review", hour=30.0))
    return row


def _patient_row(fhir_id: str) -> int:
    from recovery.models import Patient

    return Patient.objects.get(fhir_id=fhir_id).pk


def about(patient_id: str = "ehr-77", value: str = "123", **more: Any) -> dict[str, Any]:
    held = {"resourceType": "Patient", "id": patient_id, "identifier": [{"system": SYSTEM, "value": value}], **more}
    return {"context": {"userId": "Practitioner/1", "patientId": patient_id}, "prefetch": {"patient": held}}


def test_discovery_is_open_and_complete(db: None) -> None:
    response = Client().get("/cds-services")
    assert response.status_code == 200
    services = response.json()["services"]
    assert {one["hook"] for one in services} == {"patient-view", "encounter-discharge", "appointment-book"}
    assert all(one["id"] and one["description"] and one["prefetch"]["patient"] for one in services)


def test_a_known_patient_has_a_card_from_the_snapshot(ehr: Ehr, episode: Episode) -> None:
    cards = ehr.cards(**about())
    assert len(cards) == 1
    card = cards[0]
    assert card["summary"] == (
        "Day 1, total knee replacement: Review today. Any complication within 7 days: 12 in 100 (7 to 19)"
    )
    assert card["indicator"] == "warning" and card["source"]["label"]
    for part in ("between 7 and 19 in 100", "Readings until", "cold", "made up for a test", "20 min ago"):
        assert part in card["detail"]
    assert card["links"][0]["url"].endswith(f"/patients/{episode.key}/")
    assert {one["code"] for one in card["overrideReasons"]} >= {"false-alarm", "already-acting"}
    row = Card.objects.get(key=card["uuid"])
    assert row.episode == episode and row.connection.name == "the EHR"
    trail = AuditEvent.objects.get(action="cds_call")
    assert trail.patient == episode.patient and trail.actor_name == "the EHR"


def test_open_alerts_have_cards_of_their_own_the_gravest_first(ehr: Ehr, episode: Episode) -> None:
    now = timezone.now()
    make_alert(episode, now, severity="medium", cause="a", headline="x " * 140)
    alert = make_alert(episode, now, severity="high", cause="b")
    make_alert(episode, now, severity="high", cause="c", status="acknowledged")
    cards = ehr.cards(**about())
    assert [one["indicator"] for one in cards] == ["critical", "warning", "warning"]
    assert alert.headline in cards[0]["summary"] and "Options" in cards[0]["detail"]
    assert all(len(one["summary"]) < 140 for one in cards)
    assert Card.objects.get(alert=alert).key.hex == cards[0]["uuid"].replace("-", "")


def test_nothing_is_said_of_who_is_not_known_or_not_followed(ehr: Ehr, episode: Episode) -> None:
    assert ehr.cards(**about(value="999")) == []
    assert ehr.cards(context={"patientId": "nobody"}) == []
    Episode.objects.update(status="finished")
    assert ehr.cards(**about()) == []
    assert AuditEvent.objects.filter(action="cds_call").count() == 3


def test_an_id_that_only_looks_the_same_is_nobody(ehr: Ehr, episode: Episode) -> None:
    """The EHR's own p1 is somebody else than ours, unless it calls our server its own."""
    assert ehr.cards(context={"patientId": "p1"}) == []
    assert ehr.cards(context={"patientId": "p1"}, fhirServer="https://ehr.example/fhir") == []
    assert len(ehr.cards(context={"patientId": "p1"}, fhirServer="http://testserver/fhir")) == 1


def test_an_id_counts_when_the_system_that_calls_is_the_one_that_sent_the_patient(ehr: Ehr, episode: Episode) -> None:
    sender = Ehr(token_for("system/*.cruds", "another system"))
    assert len(sender.cards(context={"patientId": "p1"})) == 1


@pytest.mark.parametrize(
    "changed",
    [{"birthDate": "1957-03-15"}, {"id": "another"}],
    ids=["another birth date", "another patient in prefetch than in context"],
)
def test_what_does_not_fit_together_is_told_and_nothing_else(
    ehr: Ehr, episode: Episode, changed: dict[str, str]
) -> None:
    body = about()
    body["prefetch"]["patient"] |= changed
    cards = ehr.cards(**body)
    assert len(cards) == 1 and cards[0]["indicator"] == "info" and "no card is shown" in cards[0]["summary"]
    assert "detail" not in cards[0] and Card.objects.count() == 0


def test_two_patients_with_one_identifier_are_nobody(ehr: Ehr, episode: Episode) -> None:
    twin = {"resourceType": "Patient", "id": "p2", "identifier": [{"system": SYSTEM, "value": "123"}]}
    Door(token_for("system/*.cruds", "another system")).put("Patient/p2", twin)
    assert "Two patients" in ehr.cards(**about())[0]["summary"]


def test_a_twin_that_abstains_says_so_and_gives_no_number(ehr: Ehr, episode: Episode) -> None:
    risk = {"outcome": "complication", "label": "any complication", "horizon_h": 168, "probability": None}
    content = said("no_data", hour=30.0, risks=[{**risk, "abstained": "no reading for 24 h"}])
    episode.snapshots.update(content=content)
    card = ehr.cards(**about())[0]
    assert "No risk is estimated: no reading for 24 h" in card["summary"]
    assert "in 100" not in card["summary"] + card["detail"]


def test_an_old_statement_is_called_old_and_has_no_number_in_front(ehr: Ehr, episode: Episode) -> None:
    episode.snapshots.update(made_at=timezone.now() - timedelta(hours=9))
    card = ehr.cards(**about())[0]
    assert "is old (9 h ago)" in card["summary"] and "in 100" not in card["summary"]
    assert card["indicator"] == "info" and "may no longer hold" in card["detail"]


def test_before_discharge_it_looks_ahead(ehr: Ehr, episode: Episode) -> None:
    later = {"outcome": "readmission", "label": "readmission", "horizon_h": 720, "probability": 0.08}
    milestone = {"key": "steps", "label": "Walks 1000 steps a day", "early": 4, "median": 6, "late": 9}
    episode.snapshots.update(
        content=said(hour=30.0, risks=[{**later, "low": 0.05, "high": 0.13}], milestones=[milestone])
    )
    make_alert(episode, timezone.now())
    cards = ehr.cards(DISCHARGE, hook="encounter-discharge", **about())
    assert len(cards) == 1
    assert "1 open alert" in cards[0]["summary"] and "Readmission within 30 days: 8 in 100" in cards[0]["summary"]
    assert "Walks 1000 steps a day: about day 6 (day 4 to 9)" in cards[0]["detail"]


def test_synthetic_and_imported_patients_are_called_so(ehr: Ehr, episode: Episode) -> None:
    make_alert(episode, timezone.now())
    assert not any("ynthetic" in json.dumps(one) for one in ehr.cards(**about()))
    type(episode.patient).objects.update(is_synthetic=True)
    for card in ehr.cards(**about()):
        assert card["summary"].startswith("Synthetic patient. ") and card["detail"].startswith("**Synthetic patient.**")


def test_other_risks_of_the_same_time_are_a_line_each(ehr: Ehr, episode: Episode) -> None:
    names = {"complication": 0.3, "pneumonia": 0.1, "ssi": 0.2, "pe": 0.05, "af": 0.01}
    risks = [
        {"outcome": name, "label": name, "horizon_h": hours, "probability": value, "low": 0.01, "high": 0.4}
        for name, value in names.items()
        for hours in (24, 168)
    ]
    episode.snapshots.update(content=said(hour=30.0, risks=risks))
    detail = ehr.cards(**about())[0]["detail"]
    lines = [one for one in detail.splitlines() if "within" in one]
    assert [next(name for name in names if name in one.lower()) for one in lines] == [
        "complication",
        "ssi",
        "pneumonia",
        "pe",
    ]
    assert all("7 days" in one for one in lines)


def test_text_of_others_is_no_markup(ehr: Ehr, episode: Episode) -> None:
    episode.snapshots.update(content=said(hour=30.0, sentence="[click](https://evil.example) <img src=x>"))
    detail = ehr.cards(**about())[0]["detail"]
    assert "\\[click\\]" in detail and not re.search(r"(?<!\\)<", detail)


def test_calls_that_are_none_are_refused_in_words(ehr: Ehr, episode: Episode) -> None:
    for response, status in (
        (ehr.call("no-such-service", **about()), 404),
        (ehr.call(**{**about(), "hook": "order-sign"}), 400),
        (ehr.call(**{**about(), "hookInstance": ""}), 400),
        (ehr.call(context={}), 400),
        (ehr.call(context=[]), 400),
        (ehr.post(f"/cds-services/{VIEW}", "{"), 400),
        (ehr.post(f"/cds-services/{VIEW}", "[]"), 400),
        (ehr.post(f"/cds-services/{VIEW}", '"x' + "a" * 3_000_000 + '"'), 400),
        (ehr.client.get(f"/cds-services/{VIEW}"), 405),
        (ehr.call(token="", **about()), 401),
        (ehr.call(token="wrong", **about()), 401),
        (ehr.call(token=token_for("system/Patient.rs", "without risks"), **about()), 403),
    ):
        assert response.status_code == status, response.content
        assert response.json()["error"]
    nul = {"patient": {"identifier": [{"system": SYSTEM, "value": "1\x0023"}]}}
    for odd in (None, 5, "x", {"patient": []}, {"patient": {"identifier": [None, 5, {"value": "123"}]}}, nul):
        assert ehr.cards(context={"patientId": "ehr-77"}, prefetch=odd) == []


def test_a_token_for_somebody_else_shows_nothing(ehr: Ehr, episode: Episode) -> None:
    narrow = token_for("system/RiskAssessment.rs?patient=Patient/another", "narrow")
    assert ehr.call(token=narrow, **about()).json()["cards"] == []


# ---- signed calls ---


def signed(**over: Any) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": ISSUER, "aud": f"http://testserver/cds-services/{VIEW}", "exp": now + 120, "iat": now}
    claims |= {"jti": str(uuid4()), **over}
    header = {"alg": "ES384", "typ": "JWT", "kid": "k1"}
    return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, KEY, ["ES384"])


@pytest.fixture
def trusted(ehr: Ehr) -> Ehr:
    trust_ehr(
        connection="the EHR",
        issuer=ISSUER,
        jwks={"keys": [KEY.as_dict(private=False)]},
        actor=Actor.system("test"),
        now=timezone.now(),
    )
    return ehr


def test_an_ehr_that_signs_is_trusted_once_for_each_token(trusted: Ehr, episode: Episode) -> None:
    token = signed()
    assert len(trusted.call(token=token, **about()).json()["cards"]) == 1
    again = trusted.call(token=token, **about())
    assert again.status_code == 401 and "used before" in again.json()["error"]
    assert again.headers["WWW-Authenticate"].startswith("Bearer")
    assert AuditEvent.objects.filter(action="authenticate", outcome="denied").count() == 1


def test_a_signed_call_that_is_not_right_in_everything_is_refused(trusted: Ehr, episode: Episode) -> None:
    now = int(datetime.now(UTC).timestamp())
    stranger = ECKey.generate_key("P-384", {"kid": "k1"})
    claims = {"iss": ISSUER, "aud": f"http://testserver/cds-services/{VIEW}", "exp": now + 60, "iat": now, "jti": "x"}
    tokens = [
        signed(iss="https://another.example"),
        signed(aud="https://other.example/cds-services/x"),
        signed(aud=None),
        signed(exp=now - 60),
        signed(exp=now + 3600),
        signed(exp=None),
        signed(iat=now + 600),
        signed(iat=None),
        signed(jti=None),
        jwt.encode({"alg": "ES384", "kid": "k1"}, claims, stranger, ["ES384"]),
        jwt.encode({"alg": "ES384", "kid": "k2"}, claims, KEY, ["ES384"]),
        jwt.encode({"alg": "ES384", "kid": "k1", "jku": "https://evil.example/jwks"}, claims, KEY, ["ES384"]),
        jwt.encode({"alg": "ES384"}, claims, KEY, ["ES384"]),
        signed()[:-4] + "AAAA",
        "a.b.c",
        "..",
    ]
    for token in tokens:
        response = trusted.call(token=token, **about())
        assert response.status_code == 401, response.content
    Connection.objects.filter(name="the EHR").update(revoked_at=timezone.now())
    assert trusted.call(token=signed(), **about()).status_code == 401


# ---- feedback ---


def test_feedback_says_what_became_of_a_card_and_judges_its_alert(ehr: Ehr, episode: Episode) -> None:
    alert = make_alert(episode, timezone.now())
    first, second = ehr.cards(**about())
    over = {"reason": {"code": "false-alarm", "system": "x"}, "userComment": "was \x00moving house"}
    given = [
        {"card": first["uuid"], "outcome": "overridden", "overrideReason": over},
        {"card": second["uuid"], "outcome": "accepted", "outcomeTimestamp": "2026-05-04T09:00:00Z"},
    ]
    response = ehr.post(f"/cds-services/{VIEW}/feedback", {"feedback": given})
    assert response.status_code == 200
    rows = {str(row.key): row for row in Card.objects.all()}
    assert rows[first["uuid"]].comment == "was moving house" and rows[second["uuid"]].outcome == "accepted"
    alert.refresh_from_db()
    assert alert.useful is False and alert.status == "open"  # judged, and still somebody's to close
    since = timezone.now() - timedelta(hours=1)
    assert [(one.shown, one.accepted, one.overridden) for one in fates(since=since)] == [(2, 1, 1)]
    assert overrides(since=since) == [("false-alarm", 1)]
    assert AuditEvent.objects.filter(action="cds_feedback").count() == 2


def test_feedback_on_cards_of_others_or_without_sense_is_refused(ehr: Ehr, episode: Episode) -> None:
    card = ehr.cards(**about())[0]["uuid"]
    path = f"/cds-services/{VIEW}/feedback"
    other = token_for("system/*.cruds", "another system")
    good = {"feedback": [{"card": card, "outcome": "accepted"}]}
    assert ehr.post(path, good, other).status_code == 404
    assert ehr.post(path, {"feedback": [{"card": str(uuid4()), "outcome": "accepted"}]}).status_code == 404
    for bad in ({}, {"feedback": []}, {"feedback": [5]}, {"feedback": [{"card": "x", "outcome": "accepted"}]}):
        assert ehr.post(path, bad).status_code == 400
    assert ehr.post(path, {"feedback": [{"card": card, "outcome": "loved"}]}).status_code == 400
    assert ehr.post(path, good).status_code == 200
