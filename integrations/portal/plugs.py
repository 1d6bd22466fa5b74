"""What the portal asks of FHIR (see recovery.ports): resources through the common door, and a summary to take away."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrations.fhir import shelves
from integrations.fhir.call import Call
from integrations.fhir.interactions import Place
from integrations.fhir.operations import summary
from integrations.fhir.outcomes import FhirError
from integrations.fhir.reach import Reach
from integrations.fhir.receiving import Tray, Wish
from integrations.fhir.routes import ROUTES
from integrations.smart import scopes
from recovery.audit import Actor
from recovery.exact_json import loads, pretty
from recovery.exceptions import Invalid, NotFound
from recovery.ports import Ports
from recovery.services.intake import Delivery

_WHOLE_RECORD = "system/*.rs"


def delivery_of(resources: Iterable[Mapping[str, Any]], channel: str) -> Delivery:
    """Validated and mapped like anybody's. Raises Invalid with what the validator said."""
    tray = Tray()
    for index, resource in enumerate(resources):
        known = resource.get("id")
        try:
            tray.take(resource, Wish(index, "put" if known else "create", known))
        except FhirError as error:
            raise Invalid(str(error)) from error
    return tray.delivery(channel)


def summary_of(fhir_id: str, base: str, now: datetime) -> str:
    """The patient's International Patient Summary as a document Bundle, as Patient/$summary gives it."""
    grants = scopes.parse(_WHOLE_RECORD)
    reach = Reach(grants)
    call = Call(Actor.system("portal"), grants, Place(base, now, reach), {})
    try:
        found = summary.document(shelves.read(ROUTES["Patient"], fhir_id, reach), call)
    except FhirError as error:
        raise NotFound("There is no summary to show.") from error
    return summary.as_bundle(found, base, now)


def message_of(fhir_id: str) -> str:
    """The Observation as it stands, indented for people. The page that asks has looked whose it is. Blank also for a
    reading that came by no message (its series has no template)."""
    if not fhir_id:
        return ""
    try:
        found = shelves.read(ROUTES["Observation"], fhir_id, Reach(scopes.parse(_WHOLE_RECORD)))
    except (FhirError, KeyError):
        return ""
    return pretty(loads(found.text))


PORTS = Ports(delivery_of, summary_of, message_of)
