"""`python -m tests.functional.stories strange|new`: products whose pages are in the states that a ward seldom shows.

Both go through the doors that everything goes through (ingestion, consent, the twin); no page of the product knows of
them. `strange`: the longest names, a name from right to left, one reading, ten thousand, readings dated ahead, one who
is silent for days, a child, one who has withdrawn, and an operation that is only planned. `new`: people and no patient.
The database is the one that TWINWEB_DATA names. Prints, as JSON, the operation of each story and a session for each
person.
"""

import json
import os
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

LONG = "von Wolfeschlegelsteinhausenbergerdorff-Hohenzollern-Sigmaringen"
MINUTES = 10_000


def stories() -> dict[str, Any]:
    from tests.factories import Story

    child = date(2015, 5, 2)
    return {
        "long": Story("Maximiliana Theodora Philippine", LONG, "spinal_fusion", 74.0, 11, "ssi", 50.0),
        "from_right": Story("ليلى", "عبد الرحمن الخطيب", "hysterectomy_minimal", 75.0, 12),
        "silent": Story("Silas", "Brandt", "hip_replacement", 150.0, 13, silent_for=60.0),
        "withdrawn": Story("Wanda", "Petrov", "knee_replacement", 60.0, 14),
        "ahead": Story("Felix", "Moreau", "hip_replacement", 52.0, 15),
        "child": Story("Kim", "Lund", "cholecystectomy", 30.0, 16, born=child),
        "nothing": Story("Nils", "Eriksen", "colectomy_open", 20.0, 17, readings=False),
        "one": Story("Einar", "Haugen", "colectomy_open", 26.0, 18, readings=False),
        "minutes": Story("Minna", "Aalto", "lobectomy_vats", 180.0, 19, readings=False),
    }


def strange(now: datetime) -> dict[str, Any]:
    from recovery.models import Patient
    from tests import factories

    team = factories.make_team()
    found = stories()
    episodes = dict(zip(found, factories.make_ward(now, tuple(found.values()), team), strict=True))
    _more(episodes, now)
    episodes["planned"] = _planned(team, now)
    people = _staff(team)
    for name in ("from_right", "nothing"):
        people[name] = factories.make_person(name, "patient", first_name=episodes[name].patient.given_name)
        Patient.objects.filter(pk=episodes[name].patient_id).update(user=people[name])
    return {"episodes": {name: str(one.key) for name, one in episodes.items()}, "sessions": _sessions(people)}


def new(now: datetime) -> dict[str, Any]:
    from tests import factories

    return {"episodes": {}, "sessions": _sessions(_staff(factories.make_team()))}


def _staff(team: Any) -> dict[str, Any]:
    from tests import factories

    return {
        "clinician": factories.make_person("nurse", team=team, first_name="Noor", last_name="Haddad"),
        "lead": factories.make_person("lead", "lead", team=team, first_name="Emil", last_name="Sand"),
        "administrator": factories.make_person("admin", "administrator"),
    }


def _more(episodes: dict[str, Any], now: datetime) -> None:
    from recovery.consent_rules import ACTIVITY, CARE, VITALS
    from recovery.services import consents, refresh
    from tests import factories

    _send(episodes["one"], now, [now - timedelta(hours=2)])
    _send(episodes["minutes"], now, [now - timedelta(minutes=back) for back in range(MINUTES)])
    _send(episodes["ahead"], now, [now + timedelta(hours=hours) for hours in (20, 44, 71)])
    no = {(CARE, VITALS): False, (CARE, ACTIVITY): False}
    patient = episodes["withdrawn"].patient_id
    consents.decide(patient_id=patient, choices=no, said_by="Wanda Petrov", actor=factories.ACTOR, now=now)
    refresh.refresh_owed(clock=lambda: now)


def _send(episode: Any, now: datetime, times: list[datetime]) -> None:
    """Heart rates of these times."""
    from recovery.services.ingestion import deliver
    from recovery.services.intake import Delivery, NumberReading
    from tests import deliveries, factories

    key = deliveries.series(episode.patient.fhir_id, source="Patient")
    rows = tuple(
        NumberReading(index, key, deliveries.ms(at), 74.0 + index % 7, 0) for index, at in enumerate(sorted(times))
    )
    deliver(delivery=Delivery("test", readings=rows), actor=factories.ACTOR, now=now, atomic=False)


def _planned(team: Any, now: datetime) -> Any:
    """An operation of which nobody has said when it is."""
    from recovery.models import Episode, Patient
    from recovery.services.ingestion import deliver
    from recovery.services.intake import Delivery, EpisodeFacts
    from tests import deliveries, factories

    operation = deliveries.procedure(1, "planned", now)
    facts = EpisodeFacts("knee_replacement", "Total knee replacement", None, None, "planned")
    documents = (deliveries.patient(0, "planned", family_name="Planck", given_name="Petra"),)
    documents += (replace(operation, facts=facts, content={"resourceType": "Procedure", "status": "preparation"}),)
    deliver(delivery=Delivery("test", documents=documents), actor=factories.ACTOR, now=now, atomic=True)
    Patient.objects.filter(fhir_id="planned").update(is_synthetic=True)
    Episode.objects.filter(patient__fhir_id="planned").update(team=team)
    return Episode.objects.get(patient__fhir_id="planned")


def _sessions(people: dict[str, Any]) -> dict[str, Any]:
    from django.conf import settings
    from django.test import Client

    cookie, found = settings.SESSION_COOKIE_NAME, {}
    for who, person in people.items():
        client = Client(headers={"host": "localhost"})
        client.force_login(person)
        found[who] = {"name": cookie, "value": client.cookies[cookie].value}
    return found


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    make = {"strange": strange, "new": new}[sys.argv[1]]
    print(json.dumps(make(timezone.now().replace(microsecond=0))))
