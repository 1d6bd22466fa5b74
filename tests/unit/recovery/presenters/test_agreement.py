"""What the data quality page says of devices, also where there is nothing to say."""

import pytest

from recovery.presenters.agreement import device_view
from recovery.selectors.agreement import Compared, DeviceQuality, SourceKind
from recovery.twin.agreement import Agreement


def compared(found: Agreement | None, pairs: int = 40, metric: str = "heart_rate"):
    view = device_view(DeviceQuality((), (Compared("Watch", "cleared", 2, pairs, found),)), metric)
    return view.compared[0]


def test_bias_and_limits_have_a_sign_a_unit_and_how_many_were_compared() -> None:
    line = compared(Agreement(40, 2.54, -0.049, 5.1, False))
    assert (line.one, line.other, line.pairs) == ("Watch", "Cleared medical device", "40 pairs of 2 patients")
    assert line.bias == "+2.5\N{NO-BREAK SPACE}/min"
    assert line.limits == "0.0\N{NO-BREAK SPACE}/min to +5.1\N{NO-BREAK SPACE}/min"
    assert compared(Agreement(40, -2.5, -9, 1, False)).bias.startswith("\N{MINUS SIGN}2.5")


def test_too_few_pairs_and_one_that_passes_on_the_other_are_said_and_give_no_number() -> None:
    few, same = compared(None, 12), compared(Agreement(40, 0.0, 0.0, 0.0, True))
    assert few.bias == "too few pairs to say: 30 are needed" and not few.limits
    assert same.bias.startswith("the same to the digit") and not same.limits


@pytest.mark.parametrize(
    ("count", "words"), [(0, "No reading came twice"), (1, "1 reading of"), (1200, "1\u202f200 readings")]
)
def test_what_came_twice_is_counted_and_nothing_is_said_to_be_nothing(count: int, words: str) -> None:
    kind = SourceKind("", "consumer", "", 3, count, ("Gateway", "import") if count else ())
    view = device_view(DeviceQuality((kind,), ()), "heart_rate")
    assert view.repeated.startswith(words)
    [line] = view.lines
    assert (line.name, line.version) == ("No device registered", "not said")
    assert line.brought_by == ("Gateway, import" if count else "")
