"""The product as it is served, except that its process dies (kill -9) at a chosen step of sending a check-in.

A step is a statement to the database, or one side of a commit. `application` is what a real web server runs: it reads
the step from the file `die-at` in TWINWEB_DATA and removes the file first, so that whoever comes next lives.
`python -m tests.faults.dying <user>` sends a check-in once for each step, in a process of its own that dies there, then
once more; it prints what became of each as JSON.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.test import Client  # noqa: E402

STORES = 'INSERT INTO "recovery_checkinresponse"'
BEFORE_COMMIT, AFTER_COMMIT = "before the commit", "after the commit"
ALL_STEPS = 10_000  # more than there are
BEGUN = datetime.now(UTC) - timedelta(hours=6)
_answered: dict[str, str] = {}
ANSWERS = {"1": ["chest"], "2": ["4"], "3": ["dry"]}


@dataclass
class Steps:
    """Counts the steps of one request and dies at `at`: a number, or a side of the commit that keeps the response."""

    at: int | str
    count: int = 0
    has_stored: bool = False

    def pass_by(self, name: str = "", sql: str = "") -> None:
        self.count += 1
        self.has_stored |= STORES in sql
        if self.at == self.count or (self.has_stored and name and self.at == name):
            os.kill(os.getpid(), signal.SIGKILL)


walking: ContextVar[Steps | None] = ContextVar("walking", default=None)


def _statement(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    steps = walking.get()
    if steps is not None:
        steps.pass_by(sql=sql)
    return execute(sql, *rest)


def _watch(**said: Any) -> None:
    if _statement not in said["connection"].execute_wrappers:
        said["connection"].execute_wrappers.append(_statement)


_commit = BaseDatabaseWrapper._commit


def _watched_commit(self: BaseDatabaseWrapper) -> None:
    steps = walking.get()
    if steps is not None:
        steps.pass_by(BEFORE_COMMIT)
    _commit(self)
    if steps is not None:
        steps.pass_by(AFTER_COMMIT)


connection_created.connect(_watch)
BaseDatabaseWrapper._commit = _watched_commit
_served = get_asgi_application()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI. Only a check-in being sent is watched."""
    note = Path(os.environ["TWINWEB_DATA"]) / "die-at"
    if scope["type"] == "http" and scope["method"] == "POST" and _sends(scope["path"]) and note.exists():
        at = note.read_text()
        note.unlink()
        walking.set(Steps(int(at) if at.isdigit() else at))
    await _served(scope, receive, send)


def _sends(path: str) -> bool:
    return path.startswith("/me/check-in/") and path.rsplit("/", 2)[1] in ("send", "outbox", "whole")


# ---- every step in turn ---


def _hand_in(client: Client, slot: str, client_id: str, who: str, at: int) -> dict[str, Any]:
    """Send in a process of its own that dies at step `at`. What it was told, and how many steps it passed."""
    _answered_at(slot)
    connections.close_all()
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(tells, json.dumps(_post(client, slot, client_id, who, at)).encode())
        finally:
            os._exit(0)
    os.close(tells)
    with os.fdopen(told) as pipe:
        text = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return {"killed": os.WTERMSIG(status) == signal.SIGKILL}
    return dict(json.loads(text))


def _answered_at(slot: str) -> str:
    """A minute of its own for each check-in, the same when it is sent again: equal readings of one moment would be one,
    and sending it would take other steps."""
    return _answered.setdefault(slot, (BEGUN + timedelta(minutes=len(_answered))).isoformat())


def _post(client: Client, slot: str, client_id: str, who: str, at: int) -> dict[str, Any]:
    steps = Steps(at)
    walking.set(steps)
    said = {"client_id": client_id, "who": who, "answered_at": _answered_at(slot), "values": ANSWERS}
    answer = client.post(f"/me/check-in/{slot}/outbox/", json.dumps(said), content_type="application/json")
    return {**answer.json(), "steps": steps.count}


def _kept(slot: str) -> dict[str, int]:
    """How many rows there are of what one check-in makes."""
    from recovery.models import AuditEvent, CheckInResponse, Document

    responses = list(CheckInResponse.objects.filter(slot=slot))
    names = [one.document for one in responses]
    audited = AuditEvent.objects.filter(action="check_in", detail__slot=slot)
    return {
        "responses": len(responses),
        "documents": Document.objects.filter(type="QuestionnaireResponse", fhir_id__in=names).count(),
        "readings": Document.objects.filter(type="Observation", content__contains=names[0]).count() if names else 0,
        "audited": audited.count(),
    }


def _hits() -> int:
    """How often the alert of chest pain was raised."""
    from recovery.models import Alert

    return sum(Alert.objects.filter(cause="check_in_alarm").values_list("hits", flat=True))


def _be_quiet_for_a_minute(client: Client) -> None:
    """The session is written at most twice a minute: so that it is at each sending, which then takes as many steps."""
    from recovery.selectors.account import SEEN_AT

    session = client.session
    session[SEEN_AT] = time.time() - 60.0
    session.save()


def main(username: str) -> None:
    from recovery.links import mark_of
    from recovery.models import User

    user, run = User.objects.get(username=username), uuid4().hex[:6]
    client, who = Client(SERVER_NAME="127.0.0.1"), mark_of(user.pk)
    client.force_login(user)
    _post(client, f"extra-{run}a", str(uuid4()), who, ALL_STEPS)  # stores the form, loads what children share
    _hand_in(client, f"extra-{run}b", str(uuid4()), who, ALL_STEPS)
    rows: list[dict[str, Any]] = []
    for step in range(1, ALL_STEPS):
        slot, client_id, hits = f"extra-{run}{step}", str(uuid4()), _hits()
        _be_quiet_for_a_minute(client)
        first = _hand_in(client, slot, client_id, who, step)
        if "killed" not in first:
            break  # it has no such step: how many there are depends on what has been sent before
        between = _kept(slot)
        again = _hand_in(client, slot, client_id, who, ALL_STEPS)
        rows.append({"first": first, "between": between, "again": again, "kept": _kept(slot), "told": _hits() - hits})
    print(json.dumps({"steps": first["steps"], "whole": _kept(f"extra-{run}b"), "rows": rows}))


if __name__ == "__main__":
    assert settings.EMBEDDED and connection.vendor == "sqlite"
    main(*sys.argv[1:])
