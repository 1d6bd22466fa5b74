"""LifeSnaps daily table (Fitbit Sense, 71 healthy adults, 2021-2022) to FHIR. Nobody there had surgery.

Data: Yfantidou et al., Sci Data 2022;9:663, Zenodo 10.5281/zenodo.6826682, CC BY 4.0.
An empty cell is missing. So is a zero: no living person has a breathing rate or heart-rate variability of zero, and a
day without one step is a day on which the band lay on a table.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from integrations.fhir.codes import WEARABLE_CODES
from integrations.wearables.resources import STEPS_A_DAY, Json, Measure, day_reading, device, is_number, person
from recovery.twin.metrics import LOINC

ORIGIN = "LifeSnaps (Yfantidou 2022), real Fitbit data of a healthy volunteer, no surgery, CC BY 4.0"
_GENDERS = {"MALE": "male", "FEMALE": "female"}
# `bpm` (the day's mean heart rate) is left out: the twin follows hours, and a day's mean is none of them.
COLUMNS: Mapping[str, Measure] = {
    "steps": STEPS_A_DAY,
    "resting_hr": Measure("resting-hr", LOINC, "40443-4", "Heart rate --resting", "/min"),
    "full_sleep_breathing_rate": Measure("breathing", LOINC, "9279-1", "Respiratory rate", "/min"),
    "spo2": Measure("spo2", LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%"),
    "rmssd": Measure("rmssd", WEARABLE_CODES, "rmssd", "Heart rate variability, RMSSD", "ms"),
    "nightly_temperature": Measure(
        "skin-temperature", WEARABLE_CODES, "nightly-skin-temperature", "Skin temperature, nightly", "Cel"
    ),
    "minutesAsleep": Measure("sleep", LOINC, "93832-4", "Sleep duration", "min"),
}


def resources(path: Path) -> Iterator[Json]:
    """Patient and Device of each person as they first appear, then their daily readings."""
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            patient_id = f"lifesnaps-{row['id']}"
            if patient_id not in seen:
                seen.add(patient_id)
                yield person(patient_id, ORIGIN, _GENDERS.get(row["gender"]))
                yield device(f"{patient_id}-sense", patient_id, "Fitbit Sense", "Fitbit")
            yield from day_readings(row, patient_id)


def day_readings(row: Mapping[str, str], patient_id: str) -> Iterator[Json]:
    day = date.fromisoformat(row["date"])
    for column, measure in COLUMNS.items():
        text = row[column]
        if is_number(text) and float(text) != 0:
            yield day_reading(measure, text, patient_id, f"{patient_id}-sense", day)
