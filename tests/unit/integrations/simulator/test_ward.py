"""One ward in time: where surgery lies, and what is remembered of it."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrations.simulator import ward as wards
from integrations.simulator.cast import CAST, OPERATIONS, WARD_B, WARD_C, Member
from integrations.simulator.ward import Ward

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("hour", [0, 5, 12, 23])
@pytest.mark.parametrize("member", CAST, ids=lambda member: member.key)
def test_surgery_ended_on_the_clock_and_on_the_day_that_the_cast_says(member: Member, hour: int) -> None:
    ward = Ward(1, NOON.replace(hour=hour))
    end = ward.surgery_end(member)
    assert (end.hour, end.minute) == member.ended_at
    assert (ward.anchor - end) // timedelta(days=1) == member.day
    assert ward.zero(member) <= end < ward.zero(member) + timedelta(hours=1)


def test_the_clock_of_the_cast_is_the_hospitals() -> None:
    member = CAST[0]
    end = Ward(1, NOON, "America/New_York").surgery_end(member)
    assert (end.hour, end.minute) == (member.ended_at[0] + 4, member.ended_at[1])  # summer time since 8 March


def test_the_cast_is_a_ward_of_24_and_three_strangers_on_the_first_twenty_days() -> None:
    assert sum(member.team == WARD_B for member in CAST) == 24
    assert sum(member.team == WARD_C for member in CAST) == 3
    assert {member.day for member in CAST} <= set(range(1, 21))
    assert len({member.key for member in CAST}) == len({member.family for member in CAST}) == len(CAST)
    assert {member.operation for member in CAST} == set(OPERATIONS)
    assert {member.trouble.kind for member in CAST if member.trouble} == {"pneumonia", "ssi", "leak"}


@pytest.mark.parametrize("member", [one for one in CAST if one.trouble], ids=lambda member: member.key)
def test_no_complication_begins_before_its_operation(member: Member) -> None:
    assert member.trouble is not None and member.trouble.hours_ago < 24 * member.day


def test_a_ward_begun_twice_is_the_first_one(tmp_path: Path) -> None:
    first = wards.begin(tmp_path, NOON, seed=1, zone="UTC")
    assert wards.begin(tmp_path, NOON + timedelta(hours=5), seed=1, zone="UTC") == first
    assert not first.finished and wards.finish(tmp_path, first).finished
    remembered = wards.remembered(tmp_path)
    assert remembered is not None and remembered.finished and remembered.anchor == NOON
    assert stat.S_IMODE((tmp_path / wards.WARD_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "{}", '{"seed": 1}', "[]"])
def test_a_file_that_cannot_be_read_is_no_ward(tmp_path: Path, text: str) -> None:
    (tmp_path / wards.WARD_FILE).write_text(text)
    assert wards.remembered(tmp_path) is None
