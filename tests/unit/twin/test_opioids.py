"""Off opioids as a distribution: the published law, what is known of this person, and silence without any."""

from math import inf

import numpy as np
import pytest

from recovery.twin.opioids import REFILLED, OpioidUse, is_opioid, off_opioids


def arrival(*uses, hour=0.0, days=365):
    return off_opioids([OpioidUse(*one) for one in uses], hour, days)


def test_without_an_end_half_are_off_between_the_medians_of_both_arms_and_a_tenth_takes_on_after_three_months():
    found = arrival((-2.0, inf))
    assert 25 <= found.median <= 32
    assert 1.0 - found.by_day[90] == pytest.approx(0.095, abs=0.003)
    assert (np.diff(found.by_day) >= 0.0).all()


def test_who_still_takes_them_later_is_off_later():
    assert arrival((-2.0, inf), hour=720.0).median > arrival((-2.0, inf)).median
    assert arrival((-2.0, inf), hour=720.0).from_day == 30


def test_the_end_of_an_order_is_mostly_the_end():
    found = arrival((1.0, 24.0 * 5, True), hour=24.0)
    before, after = found.by_day[3], found.by_day[5 - found.from_day]
    assert found.median == 5 and before < 0.2 < after
    assert 1.0 - after == pytest.approx(REFILLED, abs=0.03)


@pytest.mark.parametrize("other", [(0.0, inf), (0.0, inf, False)])
def test_an_order_with_an_end_beside_one_without_is_no_end(other):
    assert arrival((1.0, 120.0, True), other, hour=24.0).median > 20


def test_doses_alone_foretell_no_end():
    assert arrival((1.0, 49.0), (7.0, 55.0), hour=12.0).median > 20


def test_who_took_them_before_the_operation_takes_them_longer():
    assert arrival((-24.0 * 60, inf)).median > 1.4 * arrival((-2.0, inf)).median


def test_who_takes_none_any_more_has_arrived():
    found = arrival((1.0, 60.0), hour=61.0, days=30)
    assert found.by_day[0] == found.probability == 1.0 and found.late == found.from_day == 3


@pytest.mark.parametrize("uses", [(), ((-2000.0, -900.0),), ((48.0, 96.0, True),)])
def test_where_nothing_is_known_of_opioids_after_surgery_nothing_is_said(uses):
    assert arrival(*uses, hour=24.0) is None


@pytest.mark.parametrize(
    ("words", "is_one"),
    [("Oxycodone 10 mg", True), ("Morphinsulfat", True), ("Palladon (Hydromorphon)", True), ("Fentanyl", True)]
    + [("Tilidin/Naloxon", True), ("Hydrocodone bitartrate", True), ("Codeine", True), ("Tramadol", True)]
    + [("Paracetamol", False), ("Naloxone", False), ("Apomorphine", False), ("Metamizol", False), ("", False)],
)
def test_opioids_are_known_by_name(words, is_one):
    assert is_opioid(words) == is_one
