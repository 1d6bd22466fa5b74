"""A small synthetic FHIR Bulk export with real mess: late and repeated rows, gaps, Fahrenheit, artefacts."""

import gzip
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from recovery.twin.cold_start import cold_start
from recovery.twin.profile import PROCEDURES, Profile
from recovery.twin.simulate import simulate

FIRST = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
CODES = {"heart_rate": ("8867-4", "/min"), "respiratory_rate": ("9279-1", "/min"), "spo2": ("59408-5", "%")}
CODES |= {"temperature": ("8310-5", "Cel"), "steps": ("55423-8", "{steps}"), "pain": ("72514-3", "{score}")}
OPERATIONS = ("knee_replacement", "colectomy", "hip_fracture")
Rows = dict[str, list[dict]]


def iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def coded(system: str, code: str) -> dict:
    return {"coding": [{"system": system, "code": code}]}


def make_rows(patients: int, days: int = 12) -> Rows:
    """Every third patient has pneumonia, with the signature of the simulator."""
    rows: Rows = {name: [] for name in ("Patient", "Procedure", "Device", "Condition", "Encounter", "Observation")}
    for number in range(patients):
        _patient(rows, number, days)
    return rows


def _patient(rows: Rows, number: int, days: int) -> None:
    key, end = f"x{number:03d}", FIRST + timedelta(days=number % 5, hours=number % 7)
    operation, ill = OPERATIONS[number % 3], number % 3 == 1
    subject = {"reference": f"Patient/{key}"}
    tag = {"tag": [{"code": "synthetic"}]}
    person = {"resourceType": "Patient", "id": key, "gender": ("female", "male")[number % 2], "birthDate": "1950-03-04"}
    rows["Patient"].append({**person, "meta": tag})
    period = {"start": iso(end - timedelta(hours=2)), "end": iso(end)}
    kind = coded("http://snomed.info/sct", PROCEDURES[operation].snomed[0])
    procedure = {"resourceType": "Procedure", "id": f"{key}-op", "status": "completed", "code": kind}
    rows["Procedure"].append({**procedure, "subject": subject, "performedPeriod": period})
    watch = {"resourceType": "Device", "id": f"{key}-watch", "deviceName": [{"name": "Band", "type": "model-name"}]}
    rows["Device"].append({**watch, "patient": subject})
    _observe(rows, key, "39156-5", "kg/m2", end + timedelta(hours=30), 31.0, late=timedelta(0), device=False)
    if ill:
        code = coded("http://snomed.info/sct", "233604007")
        times = {"onsetDateTime": iso(end + timedelta(hours=96)), "recordedDate": iso(end + timedelta(hours=140))}
        rows["Condition"].append(
            {"resourceType": "Condition", "id": f"{key}-pn", "code": code, "subject": subject, **times}
        )
    profile = Profile(operation, 75.0, surgery_end_hour_of_day=end.hour + end.minute / 60)
    made = simulate(
        number, cold_start(), profile, last_hour=24 * days, complication="pneumonia" if ill else None, onset_hour=96.0
    )
    chance = random.Random(number)
    for metric, (code, unit) in CODES.items():
        samples = made.samples.get(metric)
        if samples is None:
            continue
        if metric == "pain":
            for hour, value in zip(samples.hours, samples.values, strict=True):
                at = end + timedelta(hours=float(hour))
                _observe(rows, key, code, unit, at, round(float(value)), late=timedelta(minutes=5), device=False)
        else:
            _packets(rows, key, code, unit, end, samples, chance, number)


def _packets(rows, key, code, unit, end, samples, chance, number):
    """Six hours each, sent up to three hours later, some a day later, some twice."""
    values = dict(zip(np.floor(samples.hours).astype(int).tolist(), samples.values.tolist(), strict=True))
    fahrenheit = unit == "Cel" and number % 4 == 2
    for start in range(min(values) // 6 * 6, max(values) + 1, 6):
        words = [values.get(start + k) for k in range(6)]
        if all(word is None for word in words):
            continue
        told = ["E" if w is None else f"{(w * 1.8 + 32 if fahrenheit else w):.1f}" for w in words]
        at = end + timedelta(hours=start)
        issued = at + timedelta(hours=6 + 3 * chance.random() + (26 if chance.random() < 0.06 else 0))
        origin = {"value": 0, "system": "http://unitsofmeasure.org", "code": "[degF]" if fahrenheit else unit}
        row = _observation(key, code, issued) | {
            "device": {"reference": f"Device/{key}-watch"},
            "effectivePeriod": {"start": iso(at), "end": iso(at + timedelta(hours=6))},
            "valueSampledData": {"origin": origin, "period": 3600000, "dimensions": 1, "data": " ".join(told)},
        }
        rows["Observation"].append({**row, "id": f"{key}-{code}-{start + 1000}"})
        if chance.random() < 0.05:
            again = iso(issued + timedelta(hours=5))
            rows["Observation"].append({**row, "id": f"{key}-{code}-{start + 1000}-again", "issued": again})


def _observation(key, code, issued):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": coded("http://loinc.org", code),
        "subject": {"reference": f"Patient/{key}"},
        "issued": iso(issued),
    }


def _observe(rows, key, code, unit, at, value, *, late, device):
    quantity = {"value": value, "system": "http://unitsofmeasure.org", "code": unit}
    row = _observation(key, code, at + late) | {"effectiveDateTime": iso(at), "valueQuantity": quantity}
    rows["Observation"].append({**row, "id": f"{key}-{code}-{int(at.timestamp())}"})


def write_export(folder: Path, rows: Rows, *, parts: int = 1, zipped: bool = False, mixed: int | None = None) -> Path:
    """mixed: a seed by which the lines of each type are shuffled. parts: files a type."""
    folder.mkdir(parents=True)
    (folder / "SOURCE.txt").write_text("Synthetic, made by a test.")
    for name, found in rows.items():
        lines = [json.dumps(row) for row in found]
        if mixed is not None:
            random.Random(mixed).shuffle(lines)
        for part in range(parts):
            write_lines(folder / f"{name}.{part:03d}.ndjson", lines[part::parts], zipped=zipped)
    return folder


def write_lines(path: Path, lines: Sequence[str], *, zipped: bool = False) -> None:
    text = "".join(f"{line}\n" for line in lines).encode()
    if zipped:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(text, mtime=0))
    else:
        path.write_bytes(text)
