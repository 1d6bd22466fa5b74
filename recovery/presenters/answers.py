"""What a patient answered, as the team reads it: in English, dangers first, with who answered and how late it came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.check_ins.forms import Form
from recovery.presenters import check_ins, wording
from recovery.selectors.check_ins import Response

LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Said:
    question: str
    answer: str
    level: str
    photo: str


@dataclass(frozen=True, slots=True)
class ResponseRow:
    title: str
    at: str
    age: str
    who: str
    late: str
    level: str
    lines: tuple[Said, ...]


def answers_view(
    responses: Sequence[Response], forms: Mapping[str, Form | None], zone: ZoneInfo, now: datetime
) -> tuple[ResponseRow, ...]:
    return tuple(_row(one, form, zone, now) for one in responses if (form := forms.get(one.questionnaire)))


def _row(one: Response, form: Form, zone: ZoneInfo, now: datetime) -> ResponseRow:
    levels = {said["question"]: said["level"] for said in one.dangers}
    waited = one.received_at - one.answered_at
    late = f"received {wording.clock(one.received_at, zone)}, answered without a connection" if waited > LATE else ""
    lines = [
        Said(
            question.words("en"),
            check_ins.said(question, one.answers[question.link_id], "en"),
            levels.get(question.link_id, ""),
            str(one.answers[question.link_id]) if _is_photo(question.kind, one.answers[question.link_id]) else "",
        )
        for question in form.questions
        if question.link_id in one.answers
    ]
    worst = "emergency" if "emergency" in levels.values() else "urgent" if levels else ""
    return ResponseRow(
        title=form.title("en"),
        at=wording.clock(one.answered_at, zone),
        age=wording.age_of(one.answered_at, now),
        who=one.by_words,
        late=late,
        level=worst,
        lines=tuple(sorted(lines, key=lambda said: (said.level != "emergency", not said.level))),
    )


def _is_photo(kind: str, answer: object) -> bool:
    return kind == "photo" and isinstance(answer, str)
