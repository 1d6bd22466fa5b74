"""The steps of a training: gather slice by slice, then what its kind asks for, to a version of plain numbers.

`advance` makes the next step from what the run's row says and returns what to store; nothing is written here. What it
needs of earlier steps it reads back from the stored parts, so it does not matter which worker made them.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from recovery.models import TrainingRun
from recovery.services import training_hazard, training_hypotheses, training_population, training_shared
from recovery.services.served_models import HAZARD, HYPOTHESES, POPULATION
from recovery.services.training import Refused
from recovery.services.training_cases import cases_of, eligible, held_back
from recovery.services.training_shared import Step

FEWEST_OPERATIONS = 100
"""To learn expected courses; each measure needs 50 patients of its own beside that [G: this project's choice]."""
JUDGED_SHARE = 5
"""Without a cut or a site to hold back, every fifth operation (in seeded order) is kept to judge the courses."""
KINDS: Mapping[str, ModuleType] = {
    HAZARD: training_hazard,
    POPULATION: training_population,
    HYPOTHESES: training_hypotheses,
}


def advance(run: TrainingRun) -> Step:
    """The next step of the run. Raises Refused when there is too little to learn from."""
    stage = run.state.get("stage", "begin")
    return STAGES[stage](run)


def _begin(run: TrainingRun) -> Step:
    keys = list(eligible(run.since, run.until).values_list("pk", flat=True))
    back = held_back(run.cut_at, run.held_out_id)
    held = list(eligible(run.since, run.until).filter(back).values_list("pk", flat=True))
    if run.kind == HYPOTHESES:
        keys = keys[-training_hypotheses.MOST_OPERATIONS :]
        held = sorted(set(held) & set(keys))
    if run.kind == POPULATION and not held:
        order = np.random.default_rng(run.seed).permutation(len(keys))
        held = sorted(keys[i] for i in order[: len(keys) // JUDGED_SHARE])
    kept = len(keys) - len(held)
    if kept < FEWEST_OPERATIONS:
        raise Refused(
            f"{FEWEST_OPERATIONS} operations with 30 days of follow-up inside the window are needed to learn from;"
            f" there are {kept}, besides {len(held)} held back to judge."
        )
    taken = sorted(set(keys) - set(held)) + ([] if run.kind == POPULATION else held)
    state = {"stage": "gather", "keys": taken, "held": held, "next": 0, "parts": 0}
    return Step(state, 1, f"{len(taken)} operations to read.")


def _gather(run: TrainingRun) -> Step:
    state = dict(run.state)
    number, keys, size = state["next"], state["keys"], training_shared.SLICE
    cases = cases_of(keys[number * size : (number + 1) * size])
    part = _part(run, cases)
    state |= {"next": number + 1, "parts": state["parts"] + (part is not None)}
    read = min((number + 1) * size, len(keys))
    if read >= len(keys):
        state["stage"] = "check"
    words = f"Read {read} of {len(keys)} operations."
    return Step(state, 1 + 54 * read // len(keys), words, None if part is None else (number, part))


def _part(run: TrainingRun, cases: list[Any]) -> Any:
    """What a slice gives, as plain numbers; None when nothing of it can be used."""
    return KINDS[run.kind].part(run, cases) if cases else None


def _check(run: TrainingRun) -> Step:
    """Is there enough to learn from? Raises Refused with what is missing."""
    step: Step = KINDS[run.kind].check(run)
    return step


STAGES: Mapping[str, Callable[[TrainingRun], Step]] = {
    "begin": _begin,
    "gather": _gather,
    "check": _check,
    "fold": training_hazard.fold,
    "weigh_fold": training_hypotheses.fold,
    "weigh": training_hypotheses.weigh,
    "risk": training_hazard.risk,
    "courses": training_population.courses,
    "finish": training_population.finished,
    "judge": training_population.judge,
}
