"""What the domain needs of the standards' side without importing it: integrations plug themselves in at start.

`recovery` never imports `integrations` (docs/architecture.md). Where a page of ours has something to say in FHIR - a
consent, a message, a reading typed in by hand - it hands the resource to `delivery_of`, which takes it through the very
door that everybody else's resources take.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.services.intake import Delivery

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ports:
    """delivery_of: (resources, channel) -> what to hand to `services.ingestion.deliver`. A resource with an `id` is put
    there, one without is created; raises recovery.exceptions.Invalid where one is not valid.

    summary_of: (id of a Patient, address of the FHIR door, now) -> International Patient Summary as JSON text; raises
    NotFound.

    message_of: (id of an Observation) -> its JSON text as the FHIR door gives it, for whoever may see the patient;
    blank where the door would not give it to anybody.
    """

    delivery_of: Callable[[Iterable[Json], str], Delivery]
    summary_of: Callable[[str, str, datetime], str]
    message_of: Callable[[str], str]


_plugged: list[Ports] = []


def plug_in(ports: Ports) -> None:
    """Called once, when the product starts."""
    _plugged[:] = [ports]


def ports() -> Ports:
    if not _plugged:
        raise RuntimeError("Nothing speaks FHIR here: integrations did not plug itself in (integrations/apps.py).")
    return _plugged[0]
