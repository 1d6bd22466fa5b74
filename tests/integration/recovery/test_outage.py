"""A full disk or a database that is away: every door says so with a 503, and a sender need only send again."""

import json
import sqlite3
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from recovery import outage
from recovery.audit import Actor
from recovery.models import User
from recovery.services.connections import issue_token

READING = {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/a"}}


def broken(cause: Exception) -> OperationalError:
    error = OperationalError("words that may quote a patient")
    error.__cause__ = cause
    return error


def of_sqlite(code: int) -> OperationalError:
    cause = sqlite3.OperationalError("")
    cause.sqlite_errorcode = code
    return broken(cause)


def of_postgres(state: str | None) -> OperationalError:
    cause = Exception()
    cause.sqlstate = state  # type: ignore[attr-defined]
    return broken(cause)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), outage.FULL),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), outage.AWAY),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN), outage.AWAY),
        (of_postgres("53100"), outage.FULL),
        (of_postgres("57P03"), outage.AWAY),
        (of_postgres(None), outage.AWAY),
        (of_sqlite(sqlite3.SQLITE_ERROR), None),  # a statement of ours that is wrong
        (of_postgres("54001"), None),  # and one that is too complex
        (ValueError(), None),
    ],
)
def test_an_outage_is_told_from_a_fault_of_ours(error: Exception, said: str | None) -> None:
    assert outage.of(error) == said


@pytest.fixture
def full_disk() -> Any:
    """From the call on, every statement fails as on a full disk."""

    def refuse(*_: Any) -> None:
        raise of_sqlite(sqlite3.SQLITE_FULL)

    def begin() -> Any:
        return connection.execute_wrapper(refuse)

    return begin


@pytest.mark.django_db
def test_a_sender_is_told_to_wait_and_send_again(client: Client, full_disk: Any) -> None:
    token = issue_token(name="ehr", scopes="system/*.cruds", actor=Actor.system("test"), now=timezone.now())
    client.raise_request_exception = False
    with full_disk():
        answer = client.post(
            "/fhir/Observation",
            json.dumps(READING),
            content_type="application/fhir+json",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    [issue] = answer.json()["issue"]
    assert issue["code"] == "transient" and outage.FULL in issue["diagnostics"]
    assert "patient" not in issue["diagnostics"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/patients/", "/me/", "/oauth/introspect"])
def test_a_person_reads_what_is_the_matter_even_where_nothing_can_be_asked(
    client: Client, full_disk: Any, path: str
) -> None:
    client.force_login(User.objects.create_user("nurse-of-outage"))
    client.raise_request_exception = False
    with full_disk():
        page = client.get(path)
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert outage.FULL in page.content.decode() and "may quote" not in page.content.decode()
