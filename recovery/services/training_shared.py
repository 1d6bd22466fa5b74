"""What the trainings of every kind share: a step's form, what was gathered, and how a version describes its data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from recovery import card_rules
from recovery.models import Episode, ModelVersion, TrainingPart, TrainingRun
from recovery.services import served_models
from recovery.services.served_models import HAZARD, HYPOTHESES, POPULATION
from recovery.services.training import Refused
from recovery.twin import fit_looks, fit_parts
from recovery.twin.fit_run import FOLDS
from recovery.twin.params import PopulationParams
from recovery.twin.state import pack
from recovery.twin.survival import Floats

SLICE = 20
"""Operations gathered in one step: a few seconds of work, a few hundred kB to store."""
FEWEST_EVENTS, FEWEST_FREE = 100, 100
"""Patients with and without a first complication: at least 100 of each to judge a risk model (Vergouwe 2005)."""
SYNTHETIC = "synthetic patients of this installation, not evidence about patients"
OWN = "operations of this unit"
JOIN: Mapping[str, Callable[[Any], Any]] = {
    HAZARD: fit_parts.join_landmarks,
    POPULATION: fit_parts.join_training,
    HYPOTHESES: fit_looks.join,
}


@dataclass(frozen=True)
class Step:
    """What a step made: the next state, how far the run is, one part to store, or the finished version."""

    state: dict[str, Any]
    progress: int
    words: str
    part: tuple[int, Any] | None = None
    made: ModelVersion | None = None


@lru_cache(maxsize=1)
def joined(run_id: int, kind: str, parts: int) -> Any:
    """All parts of a run joined; kept for the steps that one task makes."""
    rows = TrainingPart.objects.filter(run_id=run_id).order_by("number").values_list("content", flat=True)
    found = [fit_parts.from_plain(one) for one in rows.iterator(chunk_size=20)]
    if len(found) != parts:
        raise Refused("A part of what was gathered is missing; begin the training again.")
    return JOIN[kind](found)


def gathered(run: TrainingRun) -> Any:
    return joined(run.pk, run.kind, run.state["parts"])


def courses_of(run: TrainingRun) -> PopulationParams:
    """The expected courses that are learned under."""
    return served_models.course(run.under_id)


def check_enough(ill: int, free: int, what: str) -> None:
    """Raises Refused with fewer than FEWEST_EVENTS patients with and FEWEST_FREE without a complication."""
    if ill < FEWEST_EVENTS or free < FEWEST_FREE:
        raise Refused(
            f"At least {FEWEST_EVENTS} patients with and {FEWEST_FREE} without a first complication are needed to judge"
            f" {what}; the window holds {ill} with and {free} without."
        )


def fold_judged(run: TrainingRun, predicted: Floats, *, then: str) -> Step:
    """One part of the patients was judged by what was fitted to the others; `then`: the stage after the last part."""
    done = run.state["fold"] + 1
    state = run.state | {"fold": done, "predicted": pack(predicted)} | ({"stage": then} if done == FOLDS else {})
    return Step(state, 56 + 7 * done, f"Judged on patients it had not seen: part {done} of {FOLDS}.")


def made(run: TrainingRun, plain: Any, evaluation: dict[str, Any], trained_on: str) -> Step:
    joined.cache_clear()
    version = ModelVersion(
        kind=run.kind, version=name_of(run), parameters=plain, trained_on=trained_on[:300], evaluation=evaluation
    )
    return Step({}, 100, f"Made version {version.version}. It serves nobody until two people say so.", made=version)


def name_of(run: TrainingRun) -> str:
    return f"{run.kind}-own-{run.pk}"


def whose(run: TrainingRun) -> str:
    """What the data are; one synthetic patient among them makes the whole synthetic."""
    keys = [*run.state["keys"], *run.state["held"]]
    chunks = (keys[i : i + 5000] for i in range(0, len(keys), 5000))
    made_up = any(Episode.objects.filter(pk__in=one, patient__is_synthetic=True).exists() for one in chunks)
    return SYNTHETIC if made_up else OWN


def what(run: TrainingRun) -> str:
    learn = len(set(run.state["keys"]) - set(run.state["held"]))
    return f"{learn} operations from {run.since:%Y-%m-%d} to {run.until:%Y-%m-%d}, {len(run.state['held'])} held back"


def described(run: TrainingRun) -> dict[str, Any]:
    """The training data in words and counts, kept inside the version."""
    return {
        "synthetic": whose(run) == SYNTHETIC,
        "cohort": what(run),
        "window": f"{run.since:%Y-%m-%d} to {run.until:%Y-%m-%d}",
        "held_back_from": f"{run.cut_at:%Y-%m-%d}" if run.cut_at else "",
        "held_back_site": run.held_out.name if run.held_out else "",
        "seed": run.seed,
        "run": run.pk,
        "data_sha256": _fingerprint(run),
        "code_sha256": card_rules.code_sha256(),
    }


def _fingerprint(run: TrainingRun) -> str:
    """Of everything that was gathered, slice by slice."""
    rows = TrainingPart.objects.filter(run=run).order_by("number").values_list("number", "content")
    return card_rules.sha256_of([[number, card_rules.sha256_of(one)] for number, one in rows.iterator(chunk_size=20)])
