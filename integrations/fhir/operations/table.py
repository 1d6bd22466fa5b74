"""The operations this server offers: what the CapabilityStatement claims and what the addresses lead to."""

from dataclasses import dataclass

SUBSCRIPTIONS = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"

BULK = "http://hl7.org/fhir/uv/bulkdata"


@dataclass(frozen=True, slots=True)
class Operation:
    """`type`: the resource type it belongs to; "" for every type. `definition`: canonical URL of its definition."""

    name: str
    type: str
    definition: str


OPERATIONS = (
    Operation("validate", "", "http://hl7.org/fhir/OperationDefinition/Resource-validate"),
    Operation("everything", "Patient", "http://hl7.org/fhir/OperationDefinition/Patient-everything"),
    Operation("summary", "Patient", "http://hl7.org/fhir/uv/ips/OperationDefinition/summary"),
    Operation("export", "Patient", f"{BULK}/OperationDefinition/patient-export"),
    Operation("export", "Group", f"{BULK}/OperationDefinition/group-export"),
    Operation("lastn", "Observation", "http://hl7.org/fhir/OperationDefinition/Observation-lastn"),
    Operation("status", "Subscription", f"{SUBSCRIPTIONS}backport-subscription-status"),
    Operation("events", "Subscription", f"{SUBSCRIPTIONS}backport-subscription-events"),
)


# Of the server as a whole.
SYSTEM_OPERATIONS = (Operation("export", "", f"{BULK}/OperationDefinition/export"),)


def operations_of(type_name: str) -> list[dict[str, str]]:
    """CapabilityStatement.rest.resource.operation of a type."""
    mine = [one for one in OPERATIONS if one.type in ("", type_name)]
    return [{"name": one.name, "definition": one.definition} for one in mine]
