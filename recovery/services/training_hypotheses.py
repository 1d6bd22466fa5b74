"""The steps that learn named causes: looks every six hours, folds over patients, the finished hypotheses.

They are learned under one version of the expected courses and with the risk model in service, whose hazards are the
probabilities before any reading.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from recovery.models import TrainingRun
from recovery.services import served_models
from recovery.services.training import Refused
from recovery.services.training_shared import (
    Step,
    check_enough,
    courses_of,
    described,
    fold_judged,
    gathered,
    made,
    name_of,
    what,
    whose,
)
from recovery.twin import evaluate_suspicion, fit_looks, fit_parts, hypotheses_store
from recovery.twin.errors import NotEnoughData
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_hazard import rounded
from recovery.twin.fit_hypotheses import LOOK_EVERY_H, Rows, fit
from recovery.twin.fit_looks import Gathered
from recovery.twin.hypotheses import complications
from recovery.twin.state import pack, unpack
from recovery.twin.survival import HazardModel

LOOKS = np.arange(LOOK_EVERY_H, 720.0, LOOK_EVERY_H).tolist()
MOST_OPERATIONS = 2000
"""A worker needs 1.0 GB for 1,200 operations and by proportion 1.4 GB for 2,000 [measured: docs/models.md]; it may have
2 GB (deploy/kubernetes)."""


def part(run: TrainingRun, cases: list[Case]) -> Any:
    """The looks at a slice, as plain numbers; None when nobody in it was looked at."""
    found = fit_looks.collect(cases, courses_of(run), LOOKS)
    return None if found is None else fit_parts.to_plain(found)


def check(run: TrainingRun) -> Step:
    state = dict(run.state)
    found, learn = _looks(run)
    ill, free = evaluate_suspicion.counts(found, learn)
    check_enough(ill, free, "named causes (the onset must be recorded, before the diagnosis)")
    nobody = pack(np.full(len(found.looks.hour), np.nan))
    state |= {"stage": "weigh_fold", "fold": 0, "predicted": nobody, "risk": served_models.hazard().version}
    return Step(state, 56, f"{ill} patients with a complication under way, {free} without a complication.")


def fold(run: TrainingRun) -> Step:
    found, learn = _looks(run)
    at, predicted = run.state["fold"], unpack(run.state["predicted"])
    course = courses_of(run).version
    try:
        rows, said = evaluate_suspicion.fold_suspicion(found, learn, at, _hazards(run), course, run.seed)
    except NotEnoughData as problem:
        raise Refused(f"There is too little to learn from: {problem}.") from problem
    predicted[rows] = said
    return fold_judged(run, predicted, then="weigh")


def weigh(run: TrainingRun) -> Step:
    """The finished hypotheses, with what unseen patients said."""
    found, learn = _looks(run)
    hazards, course, evidence = _hazards(run), courses_of(run).version, f"fitted on {whose(run)}"
    predicted = unpack(run.state["predicted"])
    judged = np.isfinite(predicted)
    evaluation = {"out_of_fold": evaluate_suspicion.figures(found, judged, predicted[judged], run.seed)}
    told = described(run) | {
        "twin_version": course,
        "risk_version": hazards.version,
        "description": evidence,
        "patients": len(evaluate_suspicion.people(found, learn)),
        "looks": int(learn.sum()),
        "causes": evaluate_suspicion.causes(found, learn),
    }
    looks = evaluate_suspicion.of_rows(found, learn, hazards)
    model = fit(looks, hazards, name_of(run), course, told, evidence)
    model = replace(model, training=told | {"named": list(complications(model))})
    if run.state["held"]:
        rows, said = evaluate_suspicion.held_out(found, ~learn, model, hazards)
        evaluation["held_out"] = evaluate_suspicion.figures(found, rows, said, run.seed)
    return made(run, rounded(hypotheses_store.to_plain(model)), evaluation, f"{evidence}: {what(run)}, under {course}")


def _looks(run: TrainingRun) -> tuple[Gathered, Rows]:
    """All looks, and which of them may be fitted to (not held back)."""
    found: Gathered = gathered(run)
    return found, ~found.rows_of(run.state["held_people"])


def _hazards(run: TrainingRun) -> HazardModel:
    """Raises Refused when the risk model in service is no longer that of the earlier steps."""
    model = served_models.hazard()
    if run.state["risk"] != model.version:
        raise Refused("Another risk model went into service meanwhile; ask for this training again.")
    return model
