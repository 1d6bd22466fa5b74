"""What could explain the last days, in words."""

from dataclasses import replace

from recovery.presenters.causes import causes_view, of_hundred
from recovery.selectors.snapshot import CauseSaid, SuspicionSaid

PNEUMONIA = CauseSaid("pneumonia", False, 0.42, 23.0, ("heart rate", "oxygen saturation"), ("temperature",))
RARE = CauseSaid("exercise", True, 0.004, 3.0, (), ())


def test_a_cause_is_told_with_its_share_its_beginning_and_what_speaks_for_and_against():
    view = causes_view(SuspicionSaid(0.07, 0.5, "", (PNEUMONIA, RARE), "h-1", "synthetic"))
    assert view.lead == "7 in 100 that a complication is under way now"
    (line,) = view.lines
    assert (line.share, line.begun) == ("42 in 100", "would have begun about 23 h ago")
    assert (line.speaks_for, line.speaks_against) == ("heart rate, oxygen saturation", "temperature")


def test_nothing_sounds_certain():
    assert of_hundred(0.0001) == "fewer than 1 in 100"
    assert of_hundred(0.9999) == "more than 99 in 100"


def test_silence_is_said_instead_of_numbers():
    view = causes_view(SuspicionSaid(None, None, "No reading of the last three days.", (), "h-1", "synthetic"))
    assert view.silent and not view.lead and not view.lines
    assert causes_view(None) is None


def test_what_is_diagnosed_already_has_its_share():
    said = SuspicionSaid(0.6, 0.02, "", (), "h-1", "synthetic", known=0.93)
    assert causes_view(said).known == "93 in 100"
    assert causes_view(replace(said, known=0.0)).known == ""


def test_where_a_harmless_cause_fits_best_the_chance_of_a_complication_is_called_too_high():
    exercise = replace(RARE, probability=0.96)
    said = SuspicionSaid(0.99, 0.01, "", (exercise, replace(PNEUMONIA, probability=0.03)), "h-1", "synthetic")
    assert "lowered by as much as it explains" in causes_view(said).caution
    assert not causes_view(replace(said, causes=(PNEUMONIA, RARE))).caution
