"""Who needs someone first, and what a row reads of a snapshot."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recovery.selectors.briefs import Brief
from recovery.selectors.ranking import Everyone, ranked
from recovery.selectors.snapshot import Said, headline_risk
from recovery.selectors.snapshot_json import read_snapshot
from recovery.snapshot_row import for_row

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def one(number: int, state: str = "watch", upper: float = 0.2, family: str = "A") -> tuple:
    return number, Brief(NOW, state, upper), "colectomy", "", "", "", "", family, "B"


def alert(severity: str, hours: float, status: str = "open") -> tuple:
    return "physiological", severity, status, NOW - timedelta(hours=hours), None


def order(rows: list[tuple], alerts: dict[int, list[tuple]], *places: int) -> list[int]:
    standing = [(pk, *each) for pk, those in alerts.items() for each in those]
    return ranked(Everyone(*zip(*rows, strict=True)), range(len(rows)), standing, *places)


def test_the_gravest_unanswered_alert_comes_first_then_who_waits_longest():
    alerts = {1: [alert("medium", 9)], 2: [alert("high", 1)], 3: [alert("high", 2), alert("low", 30)]}
    assert order([one(1), one(2), one(3)], alerts) == [3, 2, 1]


def test_an_alert_that_somebody_has_comes_after_every_unanswered_one():
    alerts = {
        1: [alert("high", 9, "acknowledged")],
        2: [alert("low", 1)],
        3: [alert("high", 5, "snoozed"), alert("low", 2)],
    }
    assert order([one(1), one(2), one(3), one(4, "act")], alerts) == [3, 2, 1, 4]


def test_without_alerts_the_state_counts_then_the_upper_bound_then_the_name():
    everyone = [
        one(1, "on_track", 0.9),
        one(2, "review", 0.1),
        one(3, "watch", 0.1),
        one(4, "watch", 0.4),
        one(5, "watch", 0.1, "Aa"),
    ]
    assert order(everyone, {}) == [2, 4, 3, 5, 1]


WARD = st.lists(
    st.tuples(
        st.sampled_from(["act", "watch", "no_data"]),
        st.sampled_from([0.1, 0.2]),
        st.sampled_from("AB"),
        st.lists(st.builds(alert, st.sampled_from(["high", "low"]), st.integers(1, 3)), max_size=2),
    ),
    max_size=12,
)


@given(WARD, st.integers(0, 12), st.integers(0, 12))
def test_a_page_is_that_part_of_the_whole_order(ward, first, rows):
    everyone = [one(number, *said) for number, (*said, _) in enumerate(ward)]
    alerts = {number: those for number, (*_, those) in enumerate(ward)}
    if everyone:
        whole = order(everyone, alerts)
        assert sorted(whole) == list(range(len(ward)))
        assert order(everyone, alerts, first, first + rows) == whole[first : first + rows]


@given(st.permutations([alert("high", 3), alert("high", 5, "snoozed"), alert("medium", 8), alert("low", 1)]))
def test_the_order_in_which_alerts_are_read_changes_nothing(alerts):
    assert order([one(1), one(2)], {1: list(alerts), 2: [alert("high", 2)]}) == [1, 2]


def metric(deviation: float | None, now: float | None = 80.0, hours: tuple[float, ...] = (1.0, 2.0)) -> dict:
    return {"now": now, "deviation": deviation, "curve": {"hours": list(hours), "q50": [80.0] * len(hours)}}


CONTENT = {
    "state": "review",
    "sentence": "Slower than expected.",
    "reasons": ["Heart rate 3 above"],
    "metrics": {
        "heart_rate": metric(1.0),
        "spo2": metric(-3.0),
        "steps": metric(None, None),
        "pain": metric(9.0, hours=()),
    },
    "risks": [
        {"outcome": "sepsis", "horizon_h": 168, "probability": 0.5},
        {"outcome": "any_complication", "horizon_h": 72, "probability": 0.1},
        {"outcome": "any_complication", "horizon_h": 168, "probability": 0.2, "high": 0.4},
    ],
    "scores": [{"name": "qSOFA", "value": 1}, {"name": "NEWS2", "value": 4}],
    "advice": [{"metric": "temperature"}],
}


def read(content: dict) -> Said:
    return read_snapshot(content, made_at=NOW, data_until=NOW, model_version="1")


def test_a_row_reads_the_same_headline_and_the_same_metric_as_the_whole_page():
    whole, row = read(CONTENT), read(dict(for_row(CONTENT)))
    assert row.strays_most == whole.strays_most == "spo2"
    assert row.metrics["spo2"] == whole.metrics["spo2"]
    assert headline_risk(row.risks) == headline_risk(whole.risks)
    assert (row.state, row.sentence, row.reasons) == (whole.state, whole.sentence, whole.reasons)
    assert [score.value for score in row.scores] == [4.0]


def test_an_empty_snapshot_is_an_empty_row():
    assert read(dict(for_row({}))) == read({})
