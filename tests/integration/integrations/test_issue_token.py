"""`issue_token` prints a token that opens the door, and nothing else."""

import pytest
from django.core.management import CommandError, call_command

from tests.integration.integrations.fhir.conftest import Door


def test_the_printed_token_opens_the_door(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_token", "ehr", scopes="system/Patient.rs")
    token = capsys.readouterr().out.strip()
    assert len(token.split()) == 1
    assert Door(token).get("Patient").status_code == 200 and Door(token).get("Device").status_code == 403


def test_a_new_token_of_the_same_system_replaces_the_old(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_token", "ehr")
    old = capsys.readouterr().out.strip()
    call_command("issue_token", "ehr")
    assert Door(old).get("Patient").status_code == 401
    assert Door(capsys.readouterr().out.strip()).get("Patient").status_code == 200


def test_scopes_that_grant_nothing_are_refused(db: None) -> None:
    with pytest.raises(CommandError, match="grants nothing"):
        call_command("issue_token", "ehr", scopes="everything please")
