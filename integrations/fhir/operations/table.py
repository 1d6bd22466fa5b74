"""The operations this server offers: what the CapabilityStatement claims and what the addresses lead to."""

from dataclasses import dataclass


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
    Operation("lastn", "Observation", "http://hl7.org/fhir/OperationDefinition/Observation-lastn"),
)


def operations_of(type_name: str) -> list[dict[str, str]]:
    """CapabilityStatement.rest.resource.operation of a type."""
    mine = [one for one in OPERATIONS if one.type in ("", type_name)]
    return [{"name": one.name, "definition": one.definition} for one in mine]
