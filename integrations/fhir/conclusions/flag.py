"""Flag: an alert as a warning on the patient's record, active until it is resolved. Pure."""

from typing import Any

from integrations.fhir.conclusions.alert_codes import identifier, kind, subject
from integrations.fhir.conclusions.codes import PRODUCT, profile
from integrations.fhir.conclusions.concluded import with_head
from recovery.selectors.fhir_alerts import AlertSaid
from recovery.services.documents import instant

CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"


def flag(found: AlertSaid) -> dict[str, Any]:
    alert = found.alert
    period = {"start": instant(alert.raised_at)}
    if alert.resolved_at is not None:
        period["end"] = instant(alert.resolved_at)
    body = {
        "identifier": identifier(found),
        "status": "active" if alert.resolved_at is None else "inactive",
        "category": [{"coding": [{"system": CATEGORY, "code": "clinical", "display": "Clinical"}]}],
        "code": kind(found),
        "subject": subject(found),
        "period": period,
        "author": {"display": PRODUCT},
    }
    return with_head("Flag", str(alert.key), found.number, instant(found.changed_at), body, profile("recovery-flag"))
