"""NightSignal sample step files (one Fitbit, one Apple Watch, real people) to FHIR.

Data: StanfordBioinformatics/wearable-infection, Apache-2.0 (Alavi et al., Nat Med 2022;28:175-84).
Fitbit: `datetime,steps`, one row a minute with steps. Apple: `Device,Start_Date,Start_Time,End_Date,End_Time,Steps`,
one row a bout. A minute that is not in the file is not zero steps: the band may have been off.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from integrations.wearables.resources import STEPS, Json, device, is_number, person, reading

ORIGIN = "NightSignal samples (Alavi 2022), real steps of one volunteer, Apache-2.0"


def resources(path: Path) -> Iterator[Json]:
    """The person and device that the file is about, then each minute or bout. The file's name tells them apart."""
    name = path.name.partition("_ST.")[0].partition("-st.")[0].replace("_", "-")
    patient_id, device_id = f"nightsignal-{name}", f"nightsignal-{name}-band"
    is_apple = "apple" in name.lower()
    yield person(patient_id, ORIGIN)
    yield device(device_id, patient_id, "Apple Watch" if is_apple else "Fitbit", "Apple" if is_apple else "Fitbit")
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for row in csv.DictReader(io.StringIO(raw.decode())):
        found = _bout(row) if is_apple else _minute(row)
        if is_number(found[0]) and found[2] > found[1]:
            yield reading(STEPS, found[0], patient_id, device_id, found[1], found[2])


def _minute(row: Mapping[str, str]) -> tuple[str, datetime, datetime]:
    start = datetime.fromisoformat(row["datetime"])
    return row["steps"], start, start + timedelta(minutes=1)


def _bout(row: Mapping[str, str]) -> tuple[str, datetime, datetime]:
    start = datetime.fromisoformat(f"{row['Start_Date']}T{row['Start_Time']}")
    end = datetime.fromisoformat(f"{row['End_Date']}T{row['End_Time']}")
    return row["Steps"], start, end
