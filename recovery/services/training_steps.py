"""The steps of a training: gather slice by slice, then what its kind asks for, to a version of plain numbers.

`advance` makes the next step from what the run's row says and returns what to store; nothing is written here. What it
needs of earlier steps it reads back from the stored parts, so it does not matter which worker made them.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from recovery.models import TrainingRun
from recovery.services import training_hazard, training_hypotheses, training_population, training_shared
from recovery.services.served_models import HAZARD, HYPOTHESES, POPULATION
from recovery.services.training import Refused
from recovery.services.training_cases import cases_of, eligible, held_back
from recovery.services.training_shared import Step
from recovery.twin.fit_cohort import Case

FEWEST_OPERATIONS = 100
"""To learn expected courses; each measure needs 50 patients of its own beside that [G: this project's choice]."""
JUDGED_SHARE = 5
"""Without a cut or a site to hold back, every fifth operation (in seeded order) is kept to judge the courses."""


class Learner(NamedTuple):
    """What a kind of training does of its own. part: what a slice gives, as plain numbers, or None. check: is there
    enough to learn from? Raises Refused with what is missing."""

    part: Callable[[TrainingRun, list[Case]], Any]
    check: Callable[[TrainingRun], Step]


LEARNERS: Mapping[str, Learner] = {
    HAZARD: Learner(training_hazard.part, training_hazard.check),
    POPULATION: Learner(training_population.part, training_population.check),
    HYPOTHESES: Learner(training_hypotheses.part, training_hypotheses.check),
}


def advance(run: TrainingRun) -> Step:
    """The next step of the run. Raises Refused when there is too little to learn from."""
    stage = run.state.get("stage", "begin")
    try:
        return STAGES[stage](run)
    except Exception:
        training_shared.joined.cache_clear()  # hundreds of megabytes; read again if the step is
        raise


def _begin(run: TrainingRun) -> Step:
    learn, held = _dealt(run)
    if len(learn) < FEWEST_OPERATIONS:
        raise Refused(
            f"{FEWEST_OPERATIONS} operations with 30 days of follow-up inside the window are needed to learn from;"
            f" there are {len(learn)}, besides {len(held)} held back to judge."
        )
    taken = sorted(learn) + ([] if run.kind == POPULATION else sorted(held))
    people = sorted(set(held.values()))
    state = {"stage": "gather", "keys": taken, "held": sorted(held), "held_people": people, "next": 0, "parts": 0}
    return Step(state, 1, f"{len(taken)} operations to read.")


def _dealt(run: TrainingRun) -> tuple[dict[int, int], dict[int, int]]:
    """Operations to learn from and operations held back, each with its patient. Nobody is in both: a patient's other
    operations are not learned from."""
    rows = eligible(run.since, run.until).order_by("-surgery_end", "-pk").values_list("pk", "patient_id")
    everybody = dict(rows)
    back = dict(rows.filter(held_back(run.cut_at, run.held_out_id)))
    if run.kind == POPULATION and not back:
        order = np.random.default_rng(run.seed).permutation(len(everybody))
        keys = sorted(everybody)
        back = {keys[i]: everybody[keys[i]] for i in order[: len(keys) // JUDGED_SHARE]}
    people = set(back.values())
    learn = {key: who for key, who in everybody.items() if who not in people}
    if run.kind == HYPOTHESES:  # the newest that fit into memory
        learn = dict(islice(learn.items(), training_hypotheses.MOST_OPERATIONS))
        back = dict(islice(back.items(), training_hypotheses.MOST_OPERATIONS // JUDGED_SHARE))
    return learn, back


def _gather(run: TrainingRun) -> Step:
    state = dict(run.state)
    number, keys, size = state["next"], state["keys"], training_shared.SLICE
    cases = cases_of(keys[number * size : (number + 1) * size])
    part = LEARNERS[run.kind].part(run, cases) if cases else None
    state |= {"next": number + 1, "parts": state["parts"] + (part is not None)}
    read = min((number + 1) * size, len(keys))
    if read >= len(keys):
        state["stage"] = "check"
    words = f"Read {read} of {len(keys)} operations."
    return Step(state, 1 + 54 * read // len(keys), words, None if part is None else (number, part))


def _check(run: TrainingRun) -> Step:
    return LEARNERS[run.kind].check(run)


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
