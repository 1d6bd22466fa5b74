"""`python -m tests.functional.portal_places`: every page of the portal in the states that have pages of their own.

Works on the small ward in TWINWEB_DATA, through the product's own pages and services. Prints, as JSON, a page's name
(of its route, with a word where a route has several), who is shown it, and its path; and a session for each person.
Nothing here is for a product in use.
"""

import json
import os
import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

# Routes of the portal that are no page, or lead to another: each says which.
NO_PAGE = {
    "me_manifest": "a file",
    "me_worker": "a file",
    "check_in_now": "leads to the check-in of today",
    "check_in_photo": "a picture",
    "me_vendor_back": "leads on, or shows the page of the maker",
}
PREFIXES = ("/me/", "/invite/", "/join/")
BORN = date(1950, 5, 4)
PATIENT = "Okafor"
OPTION = re.compile(r'name="answer" value="([^"]*)"')


def routes() -> set[str]:
    """Names of the portal's routes that are asked for, not sent to."""
    from tests.integration.recovery.views import routes_me, routes_people

    named = routes_me.GET | routes_people.GET
    return {name for name in named if name.startswith(("me", "check_in", "invite", "join"))}


class Made:
    """What is being made: looks by name, and clients signed in by person."""

    def __init__(self) -> None:
        from django.test import Client

        self.looks: list[tuple[str, str, str]] = []
        self.clients: dict[str, Client] = {}

    def person(self, who: str, user: Any = None) -> Any:
        from django.test import Client

        client = self.clients[who] = Client(headers={"host": "localhost"})
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def look(self, name: str, who: str, path: str, *, status: int = 200) -> None:
        answer = self.clients[who].get(path)
        assert answer.status_code == status and b"<html" in answer.content, (name, path, answer.status_code)
        self.looks.append((name, who, path))


def make() -> Made:
    from django.utils import timezone

    from recovery.models import Patient
    from tests import factories

    made, now = Made(), timezone.now()
    user = factories.make_person("samuel", "patient", first_name="Samuel", last_name=PATIENT)
    Patient.objects.filter(family_name=PATIENT).update(user=user, birth_date=BORN)
    patient = Patient.objects.get(family_name=PATIENT)
    made.person("patient", user)
    made.person("nobody")
    made.person("opener")
    _alone(made)
    _letters(made, patient, now)
    _check_ins(made)
    _people(made, patient, now)
    _ways_in(made, patient, now)
    _own_pages(made)
    return made


def _alone(made: Made) -> None:
    """Of somebody whose first day it is: nothing was done, so pages are empty."""
    from recovery.models import Patient
    from tests import factories

    newcomer = factories.make_person("newcomer", "patient", first_name="New")
    free = Patient.objects.filter(user=None).order_by("-pk").first()
    assert free is not None
    Patient.objects.filter(pk=free.pk).update(user=newcomer)
    made.person("newcomer", newcomer)
    for name in ("", "people/", "messages/", "devices/", "consent/", "record/"):
        made.look(f"me_{name} at first".replace("/", ""), "newcomer", f"/me/{name}")


def _own_pages(made: Made) -> None:
    client = made.clients["patient"]
    client.post("/me/goals/", {"text": "drive again"})
    client.post("/me/consent/improvement/", {"allowed": "no"})
    client.post("/me/record/erase/")
    for name in ("", "readings/", "settings/", "people/", "consent/", "record/", "messages/", "devices/", "reminders/"):
        made.look(f"me_{name}".strip("/_"), "patient", f"/me/{name}")
    made.look("me_vendor", "patient", "/me/devices/with/example-watch/")
    made.look("no such page", "patient", "/me/nothing-here/", status=404)
    made.look("nothing was sent", "patient", "/me/goals/", status=405)
    made.look("sign in", "nobody", "/login/?next=/me/")
    made.look("sign in again", "nobody", "/login/?next=/me/messages/&ended=while+sending")


def _letters(made: Made, patient: Any, now: Any) -> None:
    from recovery.audit import Actor
    from recovery.services import messaging

    for from_team, text in ((True, "Please send us a picture of the wound."), (False, "I will do that today.")):
        who = messaging.author_named("nurse", "Noor Haddad (nurse)" if from_team else patient.name, from_team=from_team)
        sent = messaging.send_message(
            patient_id=patient.pk,
            thread_key=None if from_team else sent.thread.key,  # noqa: F821
            subject="Your wound" if from_team else "",
            text=text,
            key=uuid4(),
            author=who,
            actor=Actor.system("test"),
            now=now,
        )
    made.look("me_thread", "patient", f"/me/messages/{sent.thread.key}/")


def _check_ins(made: Made) -> None:
    """The start, every question, the list of answers, the care card, what was sent, and all on one page."""
    client = made.clients["patient"]
    made.look("check_in", "patient", "/me/check-in/extra-look1/")
    made.look("check_in_whole", "patient", "/me/check-in/extra-look1/whole/")
    for _path in _walk(made, "extra-look2", looked_at=True):
        pass
    made.look("check_in_review", "patient", "/me/check-in/extra-look2/send/")
    at = client.post("/me/check-in/extra-look3/")["Location"]
    client.post(at, {"answer": "not a number"})
    while "/care/" not in at:
        given = [one for one in OPTION.findall(client.get(at).content.decode()) if one != "none"]
        at = client.post(at, {"answer": given[0]} if given else {"skip": "unknown"})["Location"]
    made.look("check_in_care", "patient", at)
    for _path in _walk(made, "extra-look4"):
        pass
    made.look("check_in_done", "patient", client.post("/me/check-in/extra-look4/send/")["Location"])


def _walk(made: Made, slot: str, *, looked_at: bool = False) -> Any:
    """Through a check-in by ordinary answers, question by question."""
    client = made.clients["patient"]
    at = client.post(f"/me/check-in/{slot}/")["Location"]
    while "/q/" in at:
        if looked_at:
            made.look(f"check_in_question {at.rstrip('/').rpartition('/')[2]}", "patient", at)
        given = OPTION.findall(client.get(at).content.decode())
        harmless = "none" if "none" in given else given[0] if given else ""
        at = client.post(at, {"answer": harmless} if harmless else {"skip": "unknown"})["Location"]
        yield at


def _people(made: Made, patient: Any, now: Any) -> None:
    """A helper with all scopes, one of several patients, one who has stopped, and a link that waits."""
    from recovery.audit import Actor
    from recovery.models import Patient, User
    from recovery.services import grants

    actor, every = Actor.system("test"), ("see", "answer", "write", "connect")

    def let_in(whom: Any, called: str, user: User | None = None, name: str = "") -> tuple[Any, Any]:
        said = {"patient_id": whom.pk, "called": called, "relation": "daughter", "scopes": every, "actor": actor}
        grant, token = grants.invite_caregiver(now=now, **said)
        more = {"username": name, "password": "a-long-test-password", "user": user, "actor": actor, "now": now}
        return grant, grants.accept_invitation(token=token, birth_date=BORN, **more)

    _grant, anna = let_in(patient, "Anna", name="anna")
    other = Patient.objects.filter(user=None).order_by("pk").first()
    assert other is not None
    Patient.objects.filter(pk=other.pk).update(birth_date=BORN)
    let_in(other, "Anna", user=anna)
    former, _ben = let_in(patient, "Ben", name="ben")
    grants.end_grant(patient_id=patient.pk, key=former.key, actor=actor, now=now + timedelta(seconds=1))
    _waits, token = grants.invite_caregiver(
        patient_id=patient.pk, called="Cleo", relation="friend", scopes=("see",), actor=actor, now=now
    )
    made.person("helper", anna)
    for name in ("", "people/", "reminders/", "settings/", "messages/"):
        made.look(f"me_{name} of a helper".replace("/", ""), "helper", f"/me/{name}")
    made.look("join", "nobody", f"/join/{token}/")
    made.look("join over", "nobody", "/join/no-such-link/", status=404)


def _ways_in(made: Made, patient: Any, now: Any) -> None:
    from recovery.audit import Actor
    from recovery.services import invites

    _made, code = invites.invite(patient_id=patient.pk, channel="print", actor=Actor.system("test"), now=now)
    made.look("invite", "nobody", "/invite/")
    made.look("invite_code", "nobody", f"/invite/{code}/")
    opening = {"code": code, "day": BORN.day, "month": BORN.month, "year": BORN.year}
    assert made.clients["opener"].post("/invite/", opening).status_code == 302
    made.look("invite_looks", "opener", "/invite/looks/")
    made.look("invite_sign_in", "opener", "/invite/sign-in/")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
    import django

    django.setup()
    from django.conf import settings

    found = make()
    name = settings.SESSION_COOKIE_NAME
    sessions = {
        who: {"name": name, "value": client.cookies[name].value}
        for who, client in found.clients.items()
        if name in client.cookies
    }
    print(json.dumps({"looks": found.looks, "sessions": sessions}))
