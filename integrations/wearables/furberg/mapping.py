"""Furberg daily activity (Fitbit, 33 users, spring 2016) to FHIR. Nobody there is known to have had surgery.

Data: Furberg et al., Zenodo 10.5281/zenodo.53894, CC BY 4.0.
A day of zero steps is a day on which the tracker was not worn (8 % of the table; it still reports up to 1,440
"sedentary" minutes, so the minutes do not tell): it gives no reading rather than a zero. Distances have no published
unit and are left out.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from integrations.wearables.resources import STEPS_A_DAY, Json, day_reading, device, is_number, person

ORIGIN = "Furberg Fitbit data 2016, real tracker data of a volunteer, CC BY 4.0"


def resources(path: Path) -> Iterator[Json]:
    """Patient and Device of each user as they first appear, then the days that were worn."""
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            patient_id = f"furberg-{row['Id']}"
            if patient_id not in seen:
                seen.add(patient_id)
                yield person(patient_id, ORIGIN)
                yield device(f"{patient_id}-fitbit", patient_id, "Fitbit tracker", "Fitbit")
            yield from day_readings(row, patient_id)


def day_readings(row: Mapping[str, str], patient_id: str) -> Iterator[Json]:
    text = row["TotalSteps"]
    if is_number(text) and float(text) > 0:
        day = datetime.strptime(row["ActivityDate"], "%m/%d/%y").date()
        yield day_reading(STEPS_A_DAY, text, patient_id, f"{patient_id}-fitbit", day)
