"""Codes: what the words of other systems mean here. Public codes come from clinical-reference sections 1 and 5.

`measure_of` answers for an Observation's codings; `finding_of`, `procedure_of` and the rest for the other resources.
A code that is not here is kept with its resource and, for measurements, listed as unmapped; it is never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from recovery.twin.metrics import LOINC, METRICS
from recovery.twin.profile import CATALOGUE, PROCEDURES, SNOMED, procedure_for_snomed

ORIGIN = "https://twinweb.example/origin"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
# HL7 v3 ActReason code that marks test data in meta.security (FHIR R4 security-labels)
TEST_DATA = ("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST")

Coding = tuple[str, str]  # system, code


@dataclass(frozen=True, slots=True)
class Measure:
    """What an Observation measures. `metric` blank: known, but the twin does not follow it (yet).

    `also` holds units that convert only for this measure, as (scale, shift).
    """

    label: str
    unit: str
    metric: str = ""
    substance: str = ""
    also: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_a_count(self) -> bool:
        """Whether a bare integer says it all: scores and counts have no unit to be wrong about."""
        return self.unit in ("{score}", "1") or bool(self.also)


# A step count is a number of steps in the time that the reading stands for: steps and steps a day are the same number.
_COUNTED = MappingProxyType({"{steps}": (1.0, 0.0), "{step}": (1.0, 0.0), "{count}": (1.0, 0.0), "1": (1.0, 0.0)})

# Metrics that laboratories also report as an amount of substance: its name in `units.MG_PER_DL_PER_MMOL`.
_SUBSTANCES = MappingProxyType({"creatinine": "creatinine", "haemoglobin": "haemoglobin"})

# LOINC codes that are kept and shown although no twin metric reads them: label, unit, substance for molar units.
_KNOWN: dict[str, tuple[str, str, str]] = {
    "40443-4": ("Resting heart rate", "/min", ""),
    "80404-7": ("Heart rate variability, SDNN", "ms", ""),
    "39106-0": ("Skin temperature", "Cel", ""),
    "8480-6": ("Systolic blood pressure", "mm[Hg]", ""),
    "8462-4": ("Diastolic blood pressure", "mm[Hg]", ""),
    "8478-0": ("Mean blood pressure", "mm[Hg]", ""),
    "8385-7": ("Pulmonary artery diastolic pressure", "mm[Hg]", ""),
    "9269-2": ("Glasgow coma score", "{score}", ""),
    "3150-6": ("Inhaled oxygen concentration", "%", ""),
    "3151-8": ("Inhaled oxygen flow", "L/min", ""),
    "41953-1": ("Walking distance", "km", ""),
    "41979-6": ("Energy used", "kcal/d", ""),
    "41956-4": ("Walking speed, 24 h maximum", "m/s", ""),
    "55411-3": ("Exercise duration", "min", ""),
    "93831-6": ("Deep sleep", "h", ""),
    "93830-8": ("Light sleep", "h", ""),
    "93829-0": ("REM sleep", "h", ""),
    "29463-7": ("Body weight", "kg", ""),
    "8302-2": ("Body height", "cm", ""),
    "9203-1": ("Wound drain output", "mL", ""),
    "39122-7": ("Drain output, estimated", "mL", ""),
    "9192-6": ("Urine output, 24 h", "mL/(24.h)", ""),
    "2345-7": ("Glucose", "mg/dL", "glucose"),
    "2339-0": ("Glucose, blood", "mg/dL", "glucose"),
    "15074-8": ("Glucose, blood", "mmol/L", "glucose"),
    "99504-3": ("Glucose, continuous", "mg/dL", "glucose"),
    "777-3": ("Platelets", "10*3/uL", ""),
    "3094-0": ("Urea nitrogen", "mg/dL", "urea nitrogen"),
    "32693-4": ("Lactate, blood", "mmol/L", "lactate"),
    "2524-7": ("Lactate", "mmol/L", "lactate"),
    "1751-7": ("Albumin", "g/dL", ""),
    "10839-9": ("Troponin I", "ng/mL", ""),
    "67151-1": ("Troponin T, high sensitivity", "ng/L", ""),
    "89579-7": ("Troponin I, high sensitivity", "ng/L", ""),
    "33959-8": ("Procalcitonin", "ng/mL", ""),
}
# RMSSD has no LOINC code (80404-7 is SDNN, clinical-reference rule 17): a code of our own.
WEARABLE_CODES = "https://twinweb.example/CodeSystem/wearable-metric"
_KNOWN_LOCAL: dict[Coding, tuple[str, str, str]] = {
    (WEARABLE_CODES, "rmssd"): ("Heart rate variability, RMSSD", "ms", ""),
    (WEARABLE_CODES, "nightly-skin-temperature"): ("Skin temperature, nightly", "Cel", ""),
}


def _measures() -> dict[Coding, Measure]:
    found = {(LOINC, code): Measure(label, unit, "", what) for code, (label, unit, what) in _KNOWN.items()}
    found |= {coding: Measure(label, unit, "", what) for coding, (label, unit, what) in _KNOWN_LOCAL.items()}
    for metric in METRICS.values():
        also = _COUNTED if metric.unit == "/d" else MappingProxyType({})
        for code in metric.codes:
            found[code.system, code.code] = Measure(
                metric.label, metric.unit, metric.key, _SUBSTANCES.get(metric.key, ""), also
            )
    return found


MEASURES: Mapping[Coding, Measure] = MappingProxyType(_measures())


def measure_of(codings: Iterable[Coding]) -> tuple[Coding, Measure] | None:
    """The first coding that names a measure known here, with what it means."""
    for coding in codings:
        measure = MEASURES.get(coding)
        if measure is not None:
            return coding, measure
    return None


# One-off Observations that are baseline factors of a patient, not readings (keys as twin.risk_inputs.RiskFactors and
# twin.profile.Profile).
FACTORS: Mapping[Coding, str] = MappingProxyType(
    {
        (LOINC, "97816-3"): "asa",
        (LOINC, "39156-5"): "bmi",
        (LOINC, "72166-2"): "smoker",
        (LOINC, "55103-6"): "blood_loss_ml",
        (LOINC, "66555-4"): "skin_tone",  # Fitzpatrick type, sent as a number 1 to 6
    }
)
# Walking aids as SNOMED CT names them -> keys of twin.gait_aid.AIDS; LOINC 98181-1 is "Medical equipment used".
EQUIPMENT_USED: Coding = (LOINC, "98181-1")
GAIT_AIDS: Mapping[Coding, str] = MappingProxyType(
    {
        (SNOMED, "266731002"): "frame",  # walking frame
        (SNOMED, "1255320005"): "frame",  # wheeled walker, rollator
        (SNOMED, "74566002"): "crutches",
        (SNOMED, "360006004"): "stick",  # walking stick
        (SNOMED, "87405001"): "stick",  # cane
    }
)
# Answers to 72166-2 (LOINC answer list LL2201-3, coded in SNOMED CT): 1 smokes now, 0 does not.
SMOKES: Mapping[Coding, float] = MappingProxyType(
    {
        (SNOMED, "77176002"): 1.0,  # smoker
        (SNOMED, "449868002"): 1.0,  # smokes daily
        (SNOMED, "428041000124106"): 1.0,  # occasional smoker
        (SNOMED, "428071000124103"): 1.0,  # heavy smoker
        (SNOMED, "428061000124105"): 1.0,  # light smoker
        (SNOMED, "8517006"): 0.0,  # former smoker
        (SNOMED, "266919005"): 0.0,  # never smoked
        (SNOMED, "8392000"): 0.0,  # non-smoker
    }
)

# Conditions. Keys of comorbidities as twin.risk_inputs.RiskFactors, of complications as twin.incidence.NAMED.
COMORBIDITIES: Mapping[Coding, str] = MappingProxyType(
    {
        (SNOMED, "44054006"): "diabetes",  # type 2
        (SNOMED, "46635009"): "diabetes",  # type 1
        (SNOMED, "73211009"): "diabetes",
        (SNOMED, "13645005"): "copd",
        (SNOMED, "709044004"): "kidney_disease",
        (SNOMED, "42343007"): "heart_failure",
        (SNOMED, "84114007"): "heart_failure",
        (SNOMED, "49436004"): "atrial_fibrillation",
        (SNOMED, "282825002"): "atrial_fibrillation",  # paroxysmal
    }
)
COMPLICATIONS: Mapping[Coding, str] = MappingProxyType(
    {
        (SNOMED, "433202001"): "ssi",
        (SNOMED, "233604007"): "pneumonia",
        (SNOMED, "57019000"): "leak",
        (SNOMED, "59282003"): "vte",  # pulmonary embolism
        (SNOMED, "128053003"): "vte",  # deep vein thrombosis
        (SNOMED, "49436004"): "af",
        (SNOMED, "282825002"): "af",
        (SNOMED, "14669001"): "aki",
        (SNOMED, "83132003"): "bleeding",
        (SNOMED, "110265006"): "bleeding",
        (SNOMED, "710572000"): "ileus",
        (SNOMED, "91302008"): "sepsis",
        (SNOMED, "22298006"): "mi",
        (SNOMED, "68566005"): "uti",
        (SNOMED, "2776000"): "delirium",
    }
)
# ICD-10-CM by prefix (clinical-reference section 5).
ICD10_SYSTEMS = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10")
ICD10_COMPLICATIONS: tuple[tuple[str, str], ...] = (
    ("T81.4", "ssi"),
    ("J18", "pneumonia"),
    ("J95.851", "pneumonia"),
    ("I82.4", "vte"),
    ("I26", "vte"),
    ("N17", "aki"),
    ("N99.0", "aki"),
    ("A41", "sepsis"),
    ("I21", "mi"),
    ("I48", "af"),
    ("N39.0", "uti"),
    ("F05", "delirium"),
    ("K56.7", "ileus"),
    ("D62", "bleeding"),
)
ICD10_COMORBIDITIES: tuple[tuple[str, str], ...] = (
    ("E10", "diabetes"),
    ("E11", "diabetes"),
    ("J44", "copd"),
    ("N18", "kidney_disease"),
    ("I50", "heart_failure"),
    ("I48", "atrial_fibrillation"),
)


def complication_of(codings: Iterable[Coding]) -> str:
    return _by_code(codings, COMPLICATIONS, ICD10_COMPLICATIONS)


def comorbidity_of(codings: Iterable[Coding]) -> str:
    return _by_code(codings, COMORBIDITIES, ICD10_COMORBIDITIES)


def _by_code(codings: Iterable[Coding], known: Mapping[Coding, str], prefixes: tuple[tuple[str, str], ...]) -> str:
    for system, code in codings:
        if (system, code) in known:
            return known[system, code]
        if system in ICD10_SYSTEMS:
            for prefix, key in prefixes:
                if code.startswith(prefix):
                    return key
    return ""


# Procedure.category for operations (FHIR R4 value set procedure-category).
SURGICAL_PROCEDURE: Coding = (SNOMED, "387713003")


def procedure_of(codings: Iterable[Coding]) -> str:
    """Key of the procedure in `recovery.twin.profile`, or blank. Our own code goes first: it says more than SNOMED."""
    codings = list(codings)
    for system, code in codings:
        if system == CATALOGUE and code in PROCEDURES:
            return code
    for system, code in codings:
        found = procedure_for_snomed(code) if system == SNOMED else None
        if found is not None:
            return found.key
    return ""


# Devices that are put into the body. 86407004 is in the test cohort; the others are general knowledge, to be reviewed.
IMPLANT_TYPES: frozenset[Coding] = frozenset(
    {
        (SNOMED, "86407004"),  # orthopaedic internal fixation system
        (SNOMED, "14106009"),  # cardiac pacemaker
        (SNOMED, "72506001"),  # implantable defibrillator
    }
)
# Instruments cleared for measuring patients, as against consumer wearables (general knowledge, to be reviewed).
CLEARED_TYPES: frozenset[Coding] = frozenset({(SNOMED, "448703006")})  # pulse oximeter
