"""Test now: one honest try of a way in or out, and what came of it in a sentence."""

import socket
from datetime import datetime

from django.conf import settings

from integrations.fhir import validation
from integrations.fhir.outcomes import FhirError
from integrations.smart import scopes
from recovery.exceptions import Invalid
from recovery.selectors.connections import client_by_row

REACH_S = 3.0


def tried(pipe: str, now: datetime) -> tuple[bool, str]:
    """Whether it works, and the sentence. Raises Invalid for what cannot be tried from here."""
    if pipe == "hl7v2":
        return _mllp()
    kind, _, row = pipe.partition("-")
    if kind == "system" and row.isascii() and row.isdigit() and len(row) < 19:
        return _system(int(row), now)
    raise Invalid("This cannot be tried from here.", field="pipe")


def _mllp() -> tuple[bool, str]:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.MLLP_HOST, settings.MLLP_HOST)  # noqa: S104
    try:
        with socket.create_connection((host, settings.MLLP_PORT), timeout=REACH_S):
            return True, f"Port {settings.MLLP_PORT} takes connections."
    except OSError as error:
        return False, f"Port {settings.MLLP_PORT} takes no connection ({error.strerror or 'no answer'})."


def _system(row_id: int, now: datetime) -> tuple[bool, str]:
    """Would this system come in now, and would the door take a Patient? Nothing is stored."""
    client = client_by_row(row_id)
    if client is None or client.revoked_at is not None:
        return False, "It is revoked: nobody comes in with it."
    if client.expires_at is not None and client.expires_at <= now:
        return False, "Its token has expired: issue a new one."
    if not scopes.parse(client.scopes).held:
        return False, "Its scopes open nothing: give it scopes like system/Observation.cruds."
    try:
        validation.check({"resourceType": "Patient", "gender": "unknown"}, "Patient")
    except FhirError:
        return False, "The door refuses a plain Patient: this is a fault of the product."
    return True, "The door is open to it: its token is valid, its scopes open something, and resources are taken."
