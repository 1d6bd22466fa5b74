"""Scopes grant what they say, and what cannot be enforced grants nothing."""

import pytest

from integrations.smart import scopes


@pytest.mark.parametrize(
    ("text", "type_name", "interaction", "allowed"),
    [
        ("system/*.cruds", "Patient", "delete", True),
        ("system/Patient.rs", "Patient", "read", True),
        ("system/Patient.rs", "Patient", "vread", True),
        ("system/Patient.rs", "Patient", "search-type", True),
        ("system/Patient.r", "Patient", "search-type", False),
        ("system/Patient.rs", "Patient", "create", False),
        ("system/Patient.rs", "Observation", "read", False),
        ("system/Patient.read", "Patient", "search-type", True),
        ("system/Patient.write", "Patient", "delete", True),
        ("system/Patient.write", "Patient", "read", False),
        ("system/*.*", "Device", "update", True),
        ("openid fhirUser system/Device.u", "Device", "update", True),
        ("patient/*.cruds user/*.cruds", "Patient", "read", True),
        ("system/Observation.rs?category=vital-signs", "Observation", "read", True),
        ("system/Observation.rs?", "Observation", "read", False),
        ("system/Observation.rs?category=", "Observation", "read", False),
        ("system/Observation.read?category=vital-signs", "Observation", "read", False),
        ("practitioner/Observation.rs", "Observation", "read", False),
        ("system/Patient.", "Patient", "read", False),
        ("system/Patient.sr", "Patient", "read", False),
        ("system/Patient.cruds", "Patient", "fly", False),
        ("", "Patient", "read", False),
    ],
)
def test_a_scope_allows_just_what_it_names(text: str, type_name: str, interaction: str, allowed: bool) -> None:
    assert scopes.parse(text).allow(type_name, interaction) is allowed
