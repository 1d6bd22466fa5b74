"""Every page of the product, found in its own resolver: a new route is looked at without anybody thinking of it.

`python -m tests.functional.places` asks each named route of the product in TWINWEB_DATA, as a clinician, a lead,
an administrator and a patient, and prints those that answer with a page, with a session for each person. What a page
needs to have something to show is made first. Nothing here is for a product in use.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

PEOPLE = ("clinician", "lead", "administrator", "patient", "nobody")
# route -> why nobody is shown a page of it in a ward like this
NOT_HERE = {
    "backtest": "no replay was run",
    "backtest_file": "no replay was run",
    "check_in_care": "no answer was alarming",
    "check_in_done": "no check-in was sent",
    "check_in_photo": "no question asks for a photo",
    "ehr_back": "follows a launch by a record system",
    "ehr_launch": "a record system begins it",
    "export_file": "for systems",
    "export_status": "for systems",
    "figure": "for scripts, of metrics with readings",
    "fhir_preview": "asks for a code",
    "invite_code": "needs a code",
    "join": "needs a link that counts once",
    "me_vendor": "no maker of wearables is set up",
    "me_vendor_back": "no maker of wearables is set up",
    "me_vendor_connect": "no maker of wearables is set up",
    "me_vendor_end": "no maker of wearables is set up",
    "me_thread": "the patient has not written",
    "mfa_deactivate_totp": "nobody has a second factor",
    "mfa_download_recovery_codes": "nobody has a second factor",
    "mfa_view_recovery_codes": "nobody has a second factor",
    "openid_connect_callback": "no provider is set up",
    "openid_connect_login": "no provider is set up",
    "patient_photo": "no photo was sent",
    "socialaccount_login_error": "answers 401, and is looked at with the errors",
}
# Asking these ends something, or never ends.
NEVER_ASKED = {"live", "live_poll", "logout", "account_logout", "session_end", "tour_end"}
NOT_OURS = "example_watch"  # the double of a maker of wearables


@dataclass(frozen=True)
class Place:
    """A page: the name of its route, who is shown it, and its path."""

    name: str
    who: str
    path: str


@dataclass(frozen=True)
class Found:
    places: list[Place]
    sessions: dict[str, dict[str, Any]]  # person -> cookie
    unknown: dict[str, list[int]]  # routes that answered nobody with a page, though asked by GET


def found_in(environment: dict[str, str], root: Path) -> Found:
    """What the product of that environment shows."""
    command = [sys.executable, "-m", "tests.functional.places"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    return Found([Place(**one) for one in said["places"]], said["sessions"], said["unknown"])


def routes(patterns: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, its arguments) of each named route outside the doors for systems."""
    for one in patterns:
        arguments = (*before, *one.pattern.regex.groupindex)
        if hasattr(one, "url_patterns"):
            yield from routes(one.url_patterns, arguments)
        elif one.name and not str(one.pattern).startswith(("^fhir", "cds-services", "oauth", ".well-known")):
            yield one.name, arguments


def _people() -> dict[str, Any]:
    from recovery.models import User

    people: dict[str, Any] = {"nobody": None}
    for role in PEOPLE[:-1]:
        rows = User.objects.filter(role=role, is_active=True).order_by("pk")
        person = rows.filter(memberships__isnull=False).first() or rows.first()
        if person is not None:
            people[role] = person
    return people


def _things(people: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Arguments by beginning of a route's name, the longest first; "" for all others."""
    from django.utils import timezone

    from recovery.models import Alert, Connection, Episode, Sample
    from recovery.permissions import visible_episodes
    from recovery.reading_ids import ReadingId, encode, value_mark
    from tests import factories

    now, nurse = timezone.now(), people["clinician"]
    episode = visible_episodes(nurse, now).filter(status=Episode.Status.ACTIVE).order_by("pk").first()
    assert episode is not None
    mine = Sample.objects.filter(series__patient=episode.patient, ended_batch=None).exclude(series__metric="")
    sample = mine.select_related("series").order_by("at_ms").last()
    assert sample is not None
    reading = encode(ReadingId("r", sample.series_id, sample.at_ms, value_mark(sample.value, sample.digits)))
    version, run = _model(people["administrator"], now)
    if not Connection.objects.exists():
        _connection(now)
    alert = Alert.objects.filter(episode=episode).first() or Alert.objects.first() or factories.make_alert(episode, now)
    return {
        "reading": {"key": episode.key, "metric": sample.series.metric, "reading": reading},
        "alert": {"key": alert.key},
        "model_training": {"pk": run},
        "model_": {"pk": version, "kind": "hazard"},
        "team_": {"pk": nurse.pk},
        "pathway": {"slug": _pathway(now)},
        "connection": {"row_id": Connection.objects.values_list("pk", flat=True).first()},
        "staff_thread": {"key": _thread(episode, now)},
        "check_in": {"slot": _slot(people.get("patient")), "number": 1},
        "roster": {"team": "demo", "pk": 1, "hook": uuid4()},
        "me_consent": {"purpose": "improvement"},
        "": {
            "key": episode.key,
            "metric": "heart_rate",
            "kind": "hazard",
            "pk": 1,
            "row_id": 1,
            "membership": 1,
            "provider_id": "hospital",
        },
    }


def _pathway(now: Any) -> str:
    from recovery.audit import Actor
    from recovery.models import Pathway
    from recovery.services.enrolment import publish_pathway

    if not Pathway.objects.exists():
        said = {"key": "knee", "name": "Knee replacement", "procedure": "knee_replacement", "days": 30, "policy": None}
        publish_pathway(**said, actor=Actor.system("test"), now=now)
    return str(Pathway.objects.order_by("pk").values_list("key", flat=True)[0])


def _slot(patient: Any) -> str:
    """The check-in that the patient is led to."""
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(patient)
    return str(client.get("/me/check-in/").headers.get("Location", "")).strip("/").rpartition("/")[2] or "daily"


def _model(administrator: Any, now: Any) -> tuple[int, int]:
    from recovery.models import ModelVersion, TrainingRun
    from recovery.twin import hazard_store

    plain = hazard_store.to_plain(hazard_store.shipped_model()) | {"version": "hazard-looked-at"}
    said = {"trained_on": "synthetic patients", "created_at": now, "parameters": plain}
    version, _ = ModelVersion.objects.get_or_create(kind="hazard", version="hazard-looked-at", defaults=said)
    asked = {"since": now.replace(year=now.year - 1), "until": now, "created_at": now, "changed_at": now}
    asked |= {"asked_by": administrator, "asked_name": "admin", "status": "done", "progress": 100, "version": version}
    run, _ = TrainingRun.objects.get_or_create(kind="hazard", defaults=asked)
    return version.pk, run.pk


def _connection(now: Any) -> None:
    from recovery.audit import Actor
    from recovery.services.connections import issue_token

    issue_token(name="hospital record", scopes="system/*.cruds", actor=Actor.system("test"), now=now)


def _thread(episode: Any, now: Any) -> Any:
    from recovery.audit import Actor
    from recovery.models import Thread
    from recovery.services import messaging

    known = Thread.objects.filter(patient=episode.patient).first()
    if known is None:
        author = messaging.author_named("nurse", "Noor Haddad (clinician)", from_team=True)
        messaging.send_message(
            patient_id=episode.patient_id,
            thread_key=None,
            subject="Wound",
            text="Please send us a picture.",
            key=uuid4(),
            author=author,
            actor=Actor.system("test"),
            now=now,
        )
        known = Thread.objects.get(patient=episode.patient)
    return known.key


def _is_page(answer: Any) -> bool:
    return answer["Content-Type"].startswith("text/html") and b"<html" in answer.content


def find() -> dict[str, Any]:
    """Ask every route as everybody; the first who is shown a page is who looks at it."""
    from django.conf import settings
    from django.test import Client
    from django.urls import get_resolver, reverse

    people = _people()
    things = _things(people)
    clients = {who: Client(headers={"host": "localhost"}) for who in people}
    for who, person in people.items():
        if person is not None:
            clients[who].force_login(person)
    places, unknown = [], {}
    for name, arguments in dict(routes(get_resolver().url_patterns)).items():
        if name in NEVER_ASKED or name.startswith(NOT_OURS):
            continue
        beginning = max((one for one in things if name.startswith(one)), key=len)
        values = things[""] | things[beginning]
        if any(not values.get(one) for one in arguments):
            unknown[name] = [0]
            continue
        path = reverse(name, kwargs={one: values[one] for one in arguments})
        answers = {}
        for who, client in clients.items():
            answer = client.get(path)
            answers[who] = answer.status_code
            if answer.status_code == 200 and _is_page(answer):
                places.append({"name": name, "who": who, "path": path})
                break
        else:  # a file, a fragment, something for scripts, or a step
            mine = {code for who, code in answers.items() if who != "nobody"}
            if not mine & {200, 302, 405, 501}:
                unknown[name] = list(answers.values())
    cookie = settings.SESSION_COOKIE_NAME
    sessions = {
        who: {"name": cookie, "value": client.cookies[cookie].value}
        for who, client in clients.items()
        if cookie in client.cookies
    }
    return {"places": places, "sessions": sessions, "unknown": unknown}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
    import django

    django.setup()
    print(json.dumps(find()))
