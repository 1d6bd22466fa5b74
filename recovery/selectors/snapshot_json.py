"""From a Snapshot's JSON to the dataclasses that pages read.

Forgiving (a missing key is None or empty, a number that is not finite is None) because a page must still show the
rest; it never computes anything that the snapshot does not say. Rows of lists read `snapshot_row` of it: a whole
snapshot is thousands of numbers, and a row shows ten.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from recovery.selectors.snapshot import (
    AdviceSaid,
    CauseSaid,
    Curve,
    GateNote,
    Gates,
    MetricSaid,
    MilestoneSaid,
    Risk,
    RiskReason,
    Said,
    Score,
    ScoreItem,
    SuspicionSaid,
)
from recovery.snapshot_row import finite, strays_most


def read_snapshot(
    content: Mapping[str, Any], *, made_at: datetime, data_until: datetime | None, model_version: str
) -> Said:
    """`content` (see models.Snapshot) as dataclasses."""
    day = finite(content.get("day"))
    return Said(
        made_at=made_at,
        data_until=data_until,
        model_version=model_version,
        day=None if day is None else int(day),
        hour=finite(content.get("hour")),
        state=_text(content.get("state")) or "no_data",
        sentence=_text(content.get("sentence")),
        reasons=tuple(_text(reason) for reason in content.get("reasons") or () if reason),
        procedure_label=_text(content.get("procedure_label")),
        curve_note=_text(content.get("curve_note")),
        metrics={key: _metric(key, said) for key, said in (content.get("metrics") or {}).items()},
        risks=read_risks(content.get("risks") or ()),
        scores=tuple(_score(said) for said in content.get("scores") or ()),
        model={key: _text(value) for key, value in (content.get("model") or {}).items()},
        milestones=tuple(_milestone(said) for said in content.get("milestones") or ()),
        advice=tuple(_advice(said) for said in content.get("advice") or ()),
        suspicion=_suspicion(content["suspicion"]) if content.get("suspicion") else None,
        strays_most=strays_most(content.get("metrics") or {}),
    )


def read_risks(said: Iterable[Mapping[str, Any]]) -> tuple[Risk, ...]:
    return tuple(_risk(risk) for risk in said)


def _metric(key: str, said: Mapping[str, Any]) -> MetricSaid:
    def number(name: str) -> float | None:
        return finite(said.get(name))

    return MetricSaid(
        key=key,
        label=_text(said.get("label")) or key,
        unit=_text(said.get("unit")),
        now=number("now"),
        now_at=_moment(said.get("now_at")),
        now_source=_text(said.get("now_source")),
        expected=number("expected"),
        low50=number("low50"),
        high50=number("high50"),
        low90=number("low90"),
        high90=number("high90"),
        norm=number("norm"),
        deviation=number("deviation"),
        baseline=number("baseline"),
        worn=number("worn"),
        hours_since=number("hours_since"),
        personal=bool(said.get("personal", True)),
        personal_note=_text(said.get("personal_note")),
        aid_note=_text(said.get("aid_note")),
        curve=_curve(said.get("curve")),
        gates=_gates(said.get("gates") or {}),
        scorecard=said.get("scorecard") or {},
        reading=_text(said.get("reading")),
    )


def _milestone(said: Mapping[str, Any]) -> MilestoneSaid:
    return MilestoneSaid(
        key=_text(said.get("key")),
        label=_text(said.get("label")),
        metric=_text(said.get("metric")),
        unit=_text(said.get("unit")),
        target=finite(said.get("target")),
        direction=_text(said.get("direction")),
        from_day=_day(said.get("from_day")) or 0,
        early=_day(said.get("early")),
        median=_day(said.get("median")),
        late=_day(said.get("late")),
        probability=finite(said.get("probability")),
        reached=finite(said.get("reached")),
        achieved=bool(said.get("achieved", False)),
        personal=bool(said.get("personal", True)),
        source=_text(said.get("source")),
    )


def _suspicion(said: Mapping[str, Any]) -> SuspicionSaid:
    return SuspicionSaid(
        probability=finite(said.get("probability")),
        ordinary=finite(said.get("ordinary")),
        silent=_text(said.get("silent")),
        causes=tuple(_cause(one) for one in said.get("causes") or ()),
        model=_text(said.get("model")),
        evidence=_text(said.get("evidence")),
        known=finite(said.get("known")) or 0.0,
    )


def _cause(said: Mapping[str, Any]) -> CauseSaid:
    return CauseSaid(
        label=_text(said.get("label")),
        benign=bool(said.get("benign")),
        probability=finite(said.get("probability")) or 0.0,
        begun_h_ago=finite(said.get("begun_h_ago")) or 0.0,
        speaks_for=tuple(_text(label) for label in said.get("for") or ()),
        speaks_against=tuple(_text(label) for label in said.get("against") or ()),
    )


def _advice(said: Mapping[str, Any]) -> AdviceSaid:
    return AdviceSaid(
        metric=_text(said.get("metric")),
        label=_text(said.get("label")),
        forecast=finite(said.get("forecast")) or 0.0,
        risk=finite(said.get("risk")) or 0.0,
        age_h=finite(said.get("age_h")),
        minutes=finite(said.get("minutes")) or 0.0,
        who=_text(said.get("who")),
        source=_text(said.get("source")),
    )


def _day(said: Any) -> int | None:
    number = finite(said)
    return None if number is None else int(number)


def _curve(said: Mapping[str, Any] | None) -> Curve | None:
    if not said or not said.get("hours"):
        return None
    hours = tuple(float(hour) for hour in said["hours"])

    def column(name: str) -> tuple[float | None, ...]:
        # Thousands a page: what is a number already is not asked what else it may be.
        values = said.get(name) or ()
        if len(values) == len(hours) and set(map(type, values)) == {float} and math.isfinite(sum(values)):
            return tuple(values)
        given = [one if type(one) is float and math.isfinite(one) else finite(one) for one in values]
        return tuple(given[: len(hours)] + [None] * (len(hours) - len(given)))

    return Curve(hours, *(column(name) for name in ("q05", "q25", "q50", "q75", "q95", "norm")))


def _gates(said: Mapping[str, Any]) -> Gates:
    recent = tuple(_gate_note(note) for note in said.get("recent") or () if finite(note.get("hour")) is not None)
    accepted, down_weighted, rejected = (int(said.get(name) or 0) for name in ("accepted", "down_weighted", "rejected"))
    return Gates(accepted, down_weighted, rejected, recent)


def _gate_note(note: Mapping[str, Any]) -> GateNote:
    decision = _text(note.get("decision")).replace("-", "_")
    return GateNote(float(note["hour"]), finite(note.get("value")), decision, _text(note.get("reason")))


def _risk(said: Mapping[str, Any]) -> Risk:
    reasons = tuple(
        RiskReason(_text(reason.get("text")), _text(reason.get("direction")), finite(reason.get("contribution")))
        for reason in said.get("reasons") or ()
    )
    return Risk(
        outcome=_text(said.get("outcome")),
        label=_text(said.get("label")) or _text(said.get("outcome")),
        horizon_h=finite(said.get("horizon_h")) or 0.0,
        probability=finite(said.get("probability")),
        low=finite(said.get("low")),
        high=finite(said.get("high")),
        abstained=_text(said.get("abstained")),
        reasons=reasons,
        notes=tuple(_text(note) for note in said.get("notes") or ()),
        model=_text(said.get("model")),
        evidence=_text(said.get("evidence")),
    )


def _score(said: Mapping[str, Any]) -> Score:
    items = tuple(
        ScoreItem(_text(item.get("name")), finite(item.get("points")), _item_value(item.get("value")))
        for item in said.get("items") or ()
    )
    return Score(
        name=_text(said.get("name")),
        value=finite(said.get("value")),
        highest=finite(said.get("highest")),
        band=_text(said.get("band")),
        complete=bool(said.get("complete", False)),
        missing=tuple(_text(name) for name in said.get("missing") or ()),
        items=items,
        source=_text(said.get("source")),
    )


def _item_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = finite(value)
    return f"{number:g}" if number is not None else _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
