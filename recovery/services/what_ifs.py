"""One what-if about one patient, answered from the twin and the snapshot as they stand.

Nothing is kept but an audit row with the inputs: what was imagined is no part of the record.
"""

from dataclasses import dataclass
from datetime import datetime

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import Episode, Snapshot, Twin
from recovery.services import served_models
from recovery.services.factors import known_at
from recovery.services.twinning import look_until
from recovery.twin.errors import TwinError
from recovery.twin.state import TwinState
from recovery.twin.what_if import LEVERS, Answer, Situation, silence, what_if

HORIZON_H = 720
"""Of the risks that levers move: readmission within 30 days."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, or the reason why there is none (then `answer` is None)."""

    answer: Answer | None
    refusal: str


def answer_what_if(*, episode: Episode, lever: str, amount: float | None, actor: Actor, now: datetime) -> Asked:
    """`amount` None: where the lever starts. Raises Invalid for a lever that does not exist."""
    if lever not in LEVERS:
        raise Invalid("There is no such question; choose one of the list.", field="lever")
    amount = LEVERS[lever].start if amount is None else amount
    params = served_models.population()
    try:
        asked = Asked(what_if(LEVERS[lever], amount, situation(episode, now), params), "")
    except TwinError as refused:
        asked = Asked(None, str(refused))
    audit.record(
        actor=actor,
        now=now,
        action="what_if",
        patient_ids=[episode.patient_id],
        entity=f"Episode/{episode.key}",
        detail={"lever": lever, "amount": amount, "model": params.version, "answered": asked.answer is not None},
    )
    return asked


def open_levers(episode: Episode, now: datetime) -> dict[str, str]:
    """lever -> why it cannot be asked about this patient now; blank where it can."""
    who, params = situation(episode, now), served_models.population()
    return {key: silence(lever, lever.start, who, params) or "" for key, lever in LEVERS.items()}


def situation(episode: Episode, now: datetime) -> Situation:
    """The patient as the twin stands; without a readable twin of the served model there is no state."""
    state = _state(episode)
    hour = max(look_until(episode, now), state.until_hour) if state else look_until(episode, now)
    return Situation(state, known_at(episode, now).profile, hour, _risks(episode))


def _state(episode: Episode) -> TwinState | None:
    stored = Twin.objects.filter(episode=episode).values_list("state", flat=True).first()
    if stored is None:
        return None
    try:
        state = TwinState.from_plain(stored)
    except TwinError:
        return None
    return state if state.model_version == served_models.population().version else None


def _risks(episode: Episode) -> dict[str, tuple[float, float, float]]:
    """outcome -> the risk that the current snapshot shows, where it shows one."""
    said = Snapshot.objects.filter(episode=episode, current=True).values_list("content__risks", flat=True).first()
    found = {}
    for one in said or ():
        numbers = [one.get(name) for name in ("probability", "low", "high")]
        if one.get("horizon_h") == HORIZON_H and all(isinstance(number, float) for number in numbers):
            found[str(one["outcome"])] = (numbers[0], numbers[1], numbers[2])
    return found
