"""Units convert by UCUM's definitions, or not at all."""

import math

import pytest

from integrations.fhir.streams import units


@pytest.mark.parametrize(
    ("code", "target", "sent", "expected"),
    [
        ("[degF]", "Cel", 212.0, 100.0),
        ("K", "Cel", 0.0, -273.15),
        ("Cel", "[degF]", 37.0, 98.6),
        ("kPa", "mm[Hg]", 16.0, 120.01),  # 16 kPa / 133.322 Pa
        ("[lb_av]", "kg", 1.0, 0.45359237),
        ("[ft_i]/s", "m/s", 1.0, 0.3048),
        ("[mi_i]/h", "m/s", 1.0, 0.44704),
        ("km/h", "m/s", 3.6, 1.0),
        ("Hz", "/min", 1.0, 60.0),
        ("/h", "/min", 60.0, 1.0),
        ("1", "%", 0.5, 50.0),
        ("g/L", "g/dL", 120.0, 12.0),
        ("ug/L", "ng/mL", 3.0, 3.0),
        ("10*9/L", "10*3/uL", 7.0, 7.0),
        ("min", "h", 90.0, 1.5),
        ("rad", "deg", math.pi, 180.0),
        ("kJ", "kcal", 4.184, 1.0),
    ],
)
def test_a_unit_converts_by_its_definition(code: str, target: str, sent: float, expected: float) -> None:
    scale_shift = units.conversion(code, target)
    assert scale_shift is not None
    assert sent * scale_shift[0] + scale_shift[1] == pytest.approx(expected, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(
    ("substance", "code", "target", "sent", "expected"),
    [
        ("creatinine", "umol/L", "mg/dL", 88.42, 1.0),
        ("glucose", "mmol/L", "mg/dL", 1.0, 18.02),
        ("glucose", "mg/dL", "mmol/L", 180.2, 10.0),
        ("lactate", "mg/dL", "mmol/L", 9.01, 1.0),
    ],
)
def test_amount_and_mass_convert_for_a_known_substance_only(
    substance: str, code: str, target: str, sent: float, expected: float
) -> None:
    scale_shift = units.conversion(code, target, substance)
    assert scale_shift is not None and sent * scale_shift[0] == pytest.approx(expected)
    assert units.conversion(code, target) is None and units.conversion(code, target, "troponin") is None


@pytest.mark.parametrize(
    ("code", "target"), [("kg", "m"), ("/min", "%"), ("furlong", "m"), ("", "m"), ("mg/dL", "mmol/L")]
)
def test_what_does_not_measure_the_same_does_not_convert(code: str, target: str) -> None:
    assert units.conversion(code, target) is None


@pytest.mark.parametrize(
    ("code", "expected"), [("{beats}/min", "/min"), ("1/min", "/min"), ("{steps}", "1"), ("%{vol}", "%")]
)
def test_annotations_say_nothing_about_the_size(code: str, expected: str) -> None:
    assert units.normal(code) == expected


@pytest.mark.parametrize(
    ("scale", "back"), [("[degF]", "Cel"), ("kPa", "mm[Hg]"), ("K", "[degF]"), ("km/h", "[ft_i]/s")]
)
def test_there_and_back_is_where_one_was(scale: str, back: str) -> None:
    there, here = units.conversion(scale, back), units.conversion(back, scale)
    assert there is not None and here is not None
    assert (5.0 * there[0] + there[1]) * here[0] + here[1] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("system", "code", "unit", "expected"),
    [
        (units.UCUM, "/min", "bpm", "/min"),
        ("urn:mine", "/min", "bpm", None),
        (None, None, "BPM", "/min"),
        (None, None, "C", None),
        (None, None, "F", None),
        (None, None, None, None),
        (units.UCUM, None, "bpm", None),
        (None, 5, "bpm", "/min"),
    ],
)
def test_a_code_counts_in_ucum_only_and_a_word_only_when_it_has_one_meaning(
    system: object, code: object, unit: object, expected: str | None
) -> None:
    assert units.code_of(system, code, unit) == expected
