"""The pathway editor's form: parts with rows of cells, read back into a Draft with each problem beside its cell.

A row whose cells are all blank is left out, so a row is removed by clearing it, also without JavaScript.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from recovery.exceptions import Invalid
from recovery.pathway_plan import ESCALATE_TO, MOST_ROWS, PHASES, ROWS, WEEKDAYS
from recovery.services.pathways import Draft
from recovery.twin.alert_policy import SEVERITIES
from recovery.twin.milestones import ALL_MILESTONES

Options = tuple[tuple[str, str], ...]
BLANK_ROWS = 2
LARGEST = 1e6
RANGE = re.compile(r"(\d{1,3})\s*(?:-|–|to)\s*(\d{1,3})")
RULE_NUMBERS = ("raise_at", "close_at", "high_at", "hits", "window_h", "close_after_h", "again_after_h")
WHOLE = frozenset({"hits", "window_h", "close_after_h"})
MAY_BE_BLANK = frozenset({"high_at", "again_after_h"})


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: text, number, time, days, weekdays or choice."""

    name: str
    label: str
    kind: str = "text"
    options: Options = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    title: str
    help: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    id: str
    column: Column
    value: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    part: Part
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(slots=True)
class Read:
    """What was sent: the draft, or None with the problems by the id of their cell ("" for the whole)."""

    draft: Draft | None = None
    problems: dict[str, str] = field(default_factory=dict)


PARTS: tuple[Part, ...] = (
    Part(
        "check_ins",
        "Check-ins",
        "What the patient is asked, on which days after the operation, by the patient's clock.",
        (
            Column("questionnaire", "Questionnaire", hint="daily, qor15, or the key of an imported one"),
            Column("days", "Days", "days", hint="1-14, 17, 21"),
            Column("time", "At", "time"),
            Column("window_h", "Open for hours", "number"),
        ),
    ),
    Part(
        "milestones",
        "Milestones",
        "Keys that the twin watches: " + ", ".join(ALL_MILESTONES) + ". Others are ticked off by people.",
        (Column("key", "Key"), Column("label", "In words"), Column("by_day", "By day", "number")),
    ),
    Part(
        "eras",
        "Enhanced recovery (ERAS) elements",
        "What the team does before, during and after the operation.",
        (Column("label", "Element"), Column("phase", "Phase", "choice", tuple(PHASES.items()))),
    ),
    Part(
        "escalation",
        "Escalation",
        "Who is told when nobody has taken an alert, so many minutes after it was raised.",
        (
            Column("after_minutes", "After minutes", "number"),
            Column("to", "Tell", "choice", tuple(ESCALATE_TO.items())),
        ),
    ),
    Part(
        "watch_hours",
        "Watch hours",
        "When the team looks; patients are told so. The hospital's clock.",
        (
            Column("days", "Weekdays", "weekdays", tuple((str(i), name) for i, name in enumerate(WEEKDAYS))),
            Column("start", "From", "time"),
            Column("end", "Until", "time"),
        ),
    ),
)
SEVERITY_OPTIONS: Options = tuple((one, one) for one in SEVERITIES)


def shown(content: Mapping[str, Any]) -> tuple[Shown, ...]:
    """The parts with their rows as they stand, and blank ones to add."""
    return tuple(Shown(part, _rows(part, content.get(part.key, ()))) for part in PARTS)


def _rows(part: Part, held: Sequence[Mapping[str, Any]]) -> tuple[tuple[Cell, ...], ...]:
    rows = [*held, *({} for _ in range(BLANK_ROWS))]
    return tuple(
        tuple(_cell(part, index, column, row.get(column.name)) for column in part.columns)
        for index, row in enumerate(rows)
    )


def _cell(part: Part, index: int, column: Column, value: Any) -> Cell:
    name = f"{part.key}-{index}-{column.name}"
    if column.kind == "weekdays":
        return Cell(name, column, "", tuple(str(one) for one in value or ()))
    if column.kind == "days" and not isinstance(value, str):
        return Cell(name, column, days_text(value or ()))
    return Cell(name, column, "" if value is None else str(value))


def days_text(days: Sequence[int]) -> str:
    """(1, 2, 3, 7) -> "1-3, 7"."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def read_days(text: str) -> list[int]:
    """Inverse of `days_text`. Raises Invalid."""
    days: list[int] = []
    for part in filter(None, map(str.strip, text.split(","))):
        run = RANGE.fullmatch(part)
        if run:
            first, last = int(run[1]), int(run[2])
            if last < first:
                raise Invalid(f'"{part}" runs backwards. Write 1-14.')
            days.extend(range(first, last + 1))
        elif part.isdecimal() and len(part) < 4:
            days.append(int(part))
        else:
            raise Invalid(f'"{part}" is no day. Write days as 1-14, 17, 21.')
    return sorted(set(days))


def typed(post: QueryDict) -> dict[str, Any]:
    """The rows as they were typed, to show again; nothing is checked."""
    return {part.key: [row for _, row in _typed_rows(post, part)] for part in PARTS}


def _typed_rows(post: QueryDict, part: Part) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for index in range(MOST_ROWS + BLANK_ROWS):
        row: dict[str, Any] = {}
        for column in part.columns:
            name = f"{part.key}-{index}-{column.name}"
            row[column.name] = post.getlist(name) if column.kind == "weekdays" else post.get(name, "").strip()
        said = [row[column.name] for column in part.columns if column.kind != "choice"]
        if any(said):
            found.append((index, row))
    return found


def read(post: QueryDict, held_rules: Sequence[Mapping[str, Any]], policy_version: str) -> Read:
    """The draft that was sent. `held_rules`: the alert rules that were shown; a changed one names its source anew."""
    result = Read()
    content: dict[str, Any] = {part.key: _read_part(post, part, result) for part in PARTS}
    content["budget"] = _number(post.get("budget", ""), "budget", result)
    content["patient_sees_numbers"] = post.get("patient_sees_numbers") == "on"
    days = _number(post.get("days", ""), "days", result, whole=True)
    rules = _read_rules(post, held_rules, result)
    if result.problems:
        return result
    draft = Draft(
        key=post.get("key", "").strip(),
        name=post.get("name", "").strip(),
        procedure=post.get("procedure", "").strip(),
        days=int(days or 0),
        policy={"version": policy_version, "rules": rules},
        content=content,
    )
    try:
        draft.check()
    except Invalid as error:
        result.problems[error.field if error.field in ("key", "name", "procedure", "days", "budget") else ""] = (
            error.message
        )
        return result
    result.draft = draft
    return result


def _read_part(post: QueryDict, part: Part, result: Read) -> list[dict[str, Any]]:
    rows = []
    for index, typed_row in _typed_rows(post, part):
        row, before = {}, len(result.problems)
        for column in part.columns:
            cell = f"{part.key}-{index}-{column.name}"
            row[column.name] = _value(column, typed_row[column.name], cell, result)
        if len(result.problems) == before:
            _check_row(part, index, row, result)
        rows.append(row)
    return rows


def _value(column: Column, said: Any, cell: str, result: Read) -> Any:
    if column.kind == "number":
        return _number(said, cell, result, whole=True)
    try:
        if column.kind == "days":
            return read_days(said)
        return [int(one) for one in said] if column.kind == "weekdays" else said
    except (Invalid, ValueError) as error:
        result.problems[cell] = getattr(error, "message", "Choose weekdays from the list.")
        return []


def _check_row(part: Part, index: int, row: Mapping[str, Any], result: Read) -> None:
    """The schema's own word on the row, put beside the cell that it names."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    make: Callable[..., Any] = ROWS[part.key]
    try:
        make(**values)
    except Invalid as error:
        column = error.field.partition(".")[2] or part.columns[0].name
        result.problems[f"{part.key}-{index}-{column}"] = error.message


def _number(text: str, cell: str, result: Read, *, whole: bool = False) -> float | int | None:
    try:
        value = int(text) if whole else float(text)
        if not math.isfinite(value) or abs(value) > LARGEST:
            raise ValueError(text)
        return value
    except (ValueError, OverflowError):
        kind = "whole number" if whole else "number"
        result.problems[cell] = f'{cell.rpartition("-")[2]}: "{text}" is no {kind}. Write digits only.'
        return None


def _read_rules(post: QueryDict, held: Sequence[Mapping[str, Any]], result: Read) -> list[dict[str, Any]]:
    return [_read_rule(post, rule, result) for rule in held if post.get(f"rule-{rule['cause']}-on") == "on"]


def _read_rule(post: QueryDict, rule: Mapping[str, Any], result: Read) -> dict[str, Any]:
    said = dict(rule)
    prefix = f"rule-{rule['cause']}"
    for name in RULE_NUMBERS:
        text = post.get(f"{prefix}-{name}", "").strip()
        if not text and name in MAY_BE_BLANK:
            said[name] = None
            continue
        value = _number(text, f"{prefix}-{name}", result, whole=name in WHOLE)
        said[name] = value
    severity = post.get(f"{prefix}-severity", "")
    said["severity"] = severity if severity in SEVERITIES else rule["severity"]
    if any(said[name] != rule.get(name) for name in (*RULE_NUMBERS, "severity")):
        said["source"] = "[site] set by the hospital in the pathway editor; why: see the note of the version"
    return said


def with_typed(seen: Draft, post: QueryDict) -> Draft:
    """What was typed over what stands, as far as it can be shown again."""
    return replace(
        seen,
        key=post.get("key", seen.key),
        name=post.get("name", seen.name),
        procedure=post.get("procedure", seen.procedure),
        content=typed(post)
        | {
            "budget": post.get("budget", ""),
            "patient_sees_numbers": post.get("patient_sees_numbers") == "on",
        },
    )
