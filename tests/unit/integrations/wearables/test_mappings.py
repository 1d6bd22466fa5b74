"""Wearable files to FHIR: missing is not zero, a band on the table is not a day without steps."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from integrations.fhir import validation
from integrations.fhir.streams.mapping import map_observation
from integrations.wearables.lifesnaps.mapping import COLUMNS
from integrations.wearables.registry import KINDS, mapper

SAMPLES = Path(__file__).resolve().parents[5] / "shared" / "data"
LIFESNAPS_HEAD = ["id", "date", "gender", *COLUMNS]


def lifesnaps(tmp_path: Path, **cells: str) -> list[dict[str, Any]]:
    row = {"id": "7", "date": "2021-05-24", "gender": "FEMALE", **dict.fromkeys(COLUMNS, ""), **cells}
    path = tmp_path / "lifesnaps.csv"
    path.write_text(",".join(LIFESNAPS_HEAD) + "\n" + ",".join(row[name] for name in LIFESNAPS_HEAD) + "\n")
    return list(mapper("lifesnaps")(path))


def furberg(tmp_path: Path, *steps: str) -> list[dict[str, Any]]:
    path = tmp_path / "furberg.csv"
    days = "".join(f"15,4/{day}/16,{text}\n" for day, text in enumerate(steps, start=12))
    path.write_text("Id,ActivityDate,TotalSteps\n" + days)
    return list(mapper("furberg")(path))


def test_a_cell_becomes_a_reading_of_its_day_to_the_digit(tmp_path: Path) -> None:
    *_, one = lifesnaps(tmp_path, resting_hr="62.07306957244873")
    assert one["effectivePeriod"] == {"start": "2021-05-24T00:00:00Z", "end": "2021-05-25T00:00:00Z"}
    assert one["valueQuantity"]["value"].text == "62.07306957244873"


@pytest.mark.parametrize("text", ["", "nan", "0.0", "0", "None", " "])
def test_missing_and_impossible_zeros_give_no_reading(tmp_path: Path, text: str) -> None:
    found = lifesnaps(tmp_path, steps=text, full_sleep_breathing_rate=text)
    assert [one["resourceType"] for one in found] == ["Patient", "Device"]


def test_a_day_of_zero_steps_is_a_day_not_worn(tmp_path: Path) -> None:
    readings = [one for one in furberg(tmp_path, "13162", "0", "9705") if one["resourceType"] == "Observation"]
    assert [one["valueQuantity"]["value"] for one in readings] == [13162, 9705]
    assert [one["effectivePeriod"]["start"][:10] for one in readings] == ["2016-04-12", "2016-04-14"]


def test_a_daily_total_covers_its_day_and_counts_as_the_twins_steps(tmp_path: Path) -> None:
    mapped = map_observation(0, furberg(tmp_path, "13162")[-1])
    assert mapped is not None and mapped.unmapped is None
    assert (mapped.reading.series.metric, mapped.reading.series.span_ms) == ("steps", 86_400_000)


def test_fitbit_minutes_and_apple_bouts_keep_their_own_length(tmp_path: Path) -> None:
    fitbit, apple = tmp_path / "Fitbit_ST.csv.gz", tmp_path / "P1-AppleWatch-st.csv"
    fitbit.write_bytes(gzip.compress(b"datetime,steps\n2025-02-11 01:58:00,13\n"))
    apple.write_text(
        "Device,Start_Date,Start_Time,End_Date,End_Time,Steps\nHK,2026-01-03,06:06:52,2026-01-03,06:06:54,4\n"
    )
    minute, bout = list(mapper("nightsignal")(fitbit))[-1], list(mapper("nightsignal")(apple))[-1]
    assert minute["effectivePeriod"] == {"start": "2025-02-11T01:58:00Z", "end": "2025-02-11T01:59:00Z"}
    assert bout["effectivePeriod"] == {"start": "2026-01-03T06:06:52Z", "end": "2026-01-03T06:06:54Z"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_person_says_where_their_data_came_from(tmp_path: Path, kind: str) -> None:
    made = {"lifesnaps": lambda: lifesnaps(tmp_path), "furberg": lambda: furberg(tmp_path, "5")}
    path = tmp_path / "Fitbit_ST.csv"
    path.write_text("datetime,steps\n2025-02-11 01:58:00,13\n")
    patient = made.get(kind, lambda: list(mapper(kind)(path)))()[0]
    said = patient["meta"]["tag"][0]["display"]
    assert "real" in said and ("CC BY" in said or "Apache" in said)


@pytest.mark.parametrize(
    ("kind", "name", "readings"),
    [
        ("lifesnaps", "lifesnaps-daily/daily_fitbit_sema.csv", 22_154),
        ("furberg", "fitbit-furberg-daily/dailyActivity_merged.csv", 863),
        ("nightsignal", "nightsignal-sample/Fitbit_ST.csv.gz", 44_552),
    ],
)
def test_the_published_files_map_to_valid_fhir_in_full(kind: str, name: str, readings: int) -> None:
    path = SAMPLES / name
    if not path.is_file():
        pytest.skip("the published file is not beside this checkout")
    found = list(mapper(kind)(path))
    observations = [one for one in found if one["resourceType"] == "Observation"]
    assert len(observations) == readings
    assert len({one["id"] for one in found}) == len(found)
    for one in found[:: max(1, len(found) // 200)]:
        validation.check(one)
    assert all(
        (mapped := map_observation(0, one)) is not None and mapped.unmapped is None for one in observations[::10]
    )
