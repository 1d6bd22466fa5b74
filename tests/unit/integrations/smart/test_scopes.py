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


@pytest.mark.parametrize(
    "asked",
    [
        "system/Observation.cruds?code=x%20system/*.cruds%20z",
        "system/Observation.cruds?code=x+system/*.cruds+z",
        "system/Observation.cruds?code=x%E2%80%83system/*.cruds",
        "system/Observation.rs?code=x\tsystem/*.cruds",
        "system/Observation.rs?code=x\u2003system/*.cruds",
        "system/Observation.rs?code=x\x1csystem/*.cruds",
        "system/Observation.cruds?x%20system/*.cruds%20z=1",
        "system/*.cruds?code=x%0Asystem/Patient.cruds",
    ],
)
def test_no_blank_inside_a_constraint_makes_a_second_scope_of_it(asked: str) -> None:
    kept = " ".join(scopes.granted([asked], "system/Observation.rs"))
    assert {(one.type, one.letters) for one in scopes.parse(kept).held} <= {("Observation", "rs")}


@pytest.mark.parametrize("value", ["a b", "a&category=c", "a%20b", "a#b", "a+b", "ä", "http://loinc.org|8867-4,8310-5"])
def test_what_is_left_of_a_scope_reads_the_same_once_written(value: str) -> None:
    one = scopes.Scope("patient", "Observation", "rs", (("code", value), ("category:not", "x")))
    assert scopes.parse(one.text).held == (one,)
