"""`import_wearables` stores people with their origin, and the second run adds nothing."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recovery.models import Patient, Sample, Series


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "daily.csv"
    path.write_text("Id,ActivityDate,TotalSteps\n15,4/12/16,13162\n15,4/13/16,0\n16,4/12/16,90\n")
    return path


def test_people_and_days_are_stored_once(db: None, table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_wearables", "furberg", table)
    assert "Observation: 2 in = 2 stored" in capsys.readouterr().out
    call_command("import_wearables", "furberg", table)
    assert "Observation: 2 in = 0 stored + 2 already held + 0 refused" in capsys.readouterr().out
    assert Sample.objects.count() == 2
    assert all("CC BY 4.0" in one.origin and not one.is_synthetic for one in Patient.objects.all())
    assert set(Series.objects.values_list("metric", "tier", "span_ms")) == {("steps", "consumer", 86_400_000)}


def test_another_file_is_refused_with_a_word(db: None, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="not a furberg file"):
        call_command("import_wearables", "furberg", path)
