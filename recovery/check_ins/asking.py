"""Which questions this person is asked today: few, and those whose answers are worth most. Pure.

Safety questions come always. Of the others, those whose reading would teach the twin most (value of information, see
twin.advice) come first; the rest take turns, so that each is asked at least every few days.
"""

from collections.abc import Iterable, Mapping, Sequence

from recovery.check_ins.answers import Answers, is_enabled
from recovery.check_ins.forms import Form, Question

MOST_A_DAY = 7  # ux 5.6
WALKING_AID = "walking_aid"
SURGERY_OF_THE_LEGS_AND_BACK = ("hip_", "knee_", "spinal_")
LEAST_DAYS_APART = {"not-walking": 2}
"""Days after which the aid is asked for again [G]; a week after any other answer, or none."""
SURGERY_OF_THE_BELLY = ("colectomy", "cholecystectomy", "hysterectomy", "gastrectomy", "hernia", "pancreat")


def choose(form: Form, *, day: int, worth: Mapping[str, float], procedure: str) -> tuple[str, ...]:
    """Link ids to ask, in the form's order. A form without questions to choose from is asked whole.

    worth: metric -> worth of a reading now, as the snapshot says it; a metric that is not there is known well enough.
    """
    fixed = [one.link_id for one in form.questions if one.ask == "always"]
    room = MOST_A_DAY - len(fixed)
    free = [one for one in form.questions if one.ask != "always" and _fits(one, procedure)]
    if not free:
        return tuple(one.link_id for one in form.questions)
    wanted = sorted((one for one in free if _worth(one, worth) > 0.0), key=lambda one: -_worth(one, worth))
    turns = [one for one in free if one.ask == "in-turn"]
    chosen = [one.link_id for one in wanted][: max(room, 0)]
    for place in range(len(turns)):
        if len(chosen) >= room:
            break
        chosen.append(turns[(day + place) % len(turns)].link_id)
    return tuple(one.link_id for one in form.questions if one.link_id in {*fixed, *chosen})


_ONLY_AFTER = {"bowel": SURGERY_OF_THE_BELLY, WALKING_AID: SURGERY_OF_THE_LEGS_AND_BACK}


def _fits(question: Question, procedure: str) -> bool:
    return procedure.startswith(_ONLY_AFTER.get(question.link_id, ""))


def _worth(question: Question, worth: Mapping[str, float]) -> float:
    return worth.get(question.link_id, 0.0) if question.ask in ("informative", "weekly") else 0.0


def aid_is_due(procedure: str, given: Iterable[tuple[int, object]]) -> bool:
    """Whether to ask for the walking aid. given: (days ago, answer, also a declined one) to that question."""
    if not procedure.startswith(SURGERY_OF_THE_LEGS_AND_BACK):
        return False
    return all(ago >= LEAST_DAYS_APART.get(str(answer), 7) for ago, answer in given)


def to_ask(form: Form, asked: Sequence[str], answers: Answers) -> tuple[Question, ...]:
    """The questions of this attempt that apply, given the answers so far."""
    return tuple(one for one in form.questions if one.link_id in asked and is_enabled(one, answers))


def kept(form: Form, asked: Sequence[str], answers: Answers) -> dict[str, object]:
    """The answers that still apply: what was said to a question that no longer does is not sent."""
    return {one.link_id: answers[one.link_id] for one in to_ask(form, asked, answers) if one.link_id in answers}


def next_question(form: Form, asked: Sequence[str], answers: Answers, after: str = "") -> Question | None:
    """The first question after `after` (or at all) that has no answer yet."""
    questions = to_ask(form, asked, answers)
    names = [one.link_id for one in questions]
    start = names.index(after) + 1 if after in names else 0
    return next((one for one in questions[start:] if one.link_id not in answers), None) or next(
        (one for one in questions if one.link_id not in answers), None
    )
