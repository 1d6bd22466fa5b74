"""What DetectedIssue and Flag say alike about an alert."""

from typing import Any

from recovery.selectors.fhir_alerts import AlertSaid

ALERT_KINDS = "https://twinweb.example/CodeSystem/alert-kind"
ALERT_IDS = "https://twinweb.example/alert"
# Words of models.Alert.Kind for people.
LABELS = {
    "physiological": "Physiological change",
    "behavioural": "Behavioural change",
    "data_stopped": "Data stopped",
    "device_fault": "Device fault",
    "model_uncertain": "Model uncertain",
}


def kind(found: AlertSaid) -> dict[str, Any]:
    name = found.alert.kind
    coding = {"system": ALERT_KINDS, "code": name.replace("_", "-"), "display": LABELS[name]}
    return {"coding": [coding], "text": found.alert.headline}


def identifier(found: AlertSaid) -> list[dict[str, str]]:
    return [{"system": ALERT_IDS, "value": str(found.alert.key)}]


def subject(found: AlertSaid) -> dict[str, str]:
    return {"reference": f"Patient/{found.patient_fhir_id}"}
