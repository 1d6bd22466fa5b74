"""The steps that make a risk model: landmarks, folds over patients, the finished hazards."""

from dataclasses import replace
from typing import Any

import numpy as np

from recovery.models import TrainingRun
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
from recovery.twin import fit_parts, fit_run, hazard_store
from recovery.twin.evaluate_hazard import risks
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_hazard import LANDMARK_EVERY_H, rounded
from recovery.twin.fit_landmarks import Landmarks, collect
from recovery.twin.state import pack, unpack

LANDMARKS = np.arange(LANDMARK_EVERY_H, 720.0, LANDMARK_EVERY_H).tolist()


def part(run: TrainingRun, cases: list[Case]) -> Any:
    """What a slice gives, as plain numbers; None when nobody in it lived to the first landmark."""
    alive = [case for case in cases if case.died_h is None or case.died_h > LANDMARKS[0]]
    if not alive:
        return None
    found = collect(alive, courses_of(run), LANDMARKS)
    who = np.array([int(case.patient) for case in alive])
    return fit_parts.to_plain(replace(found, patient=who[found.patient]))


def _landmarks(run: TrainingRun) -> tuple[Landmarks, Any]:
    """All rows, and which of them may be fitted to (not held back)."""
    data: Landmarks = gathered(run)
    return data, ~np.isin(data.patient, run.state["held_people"])


def check(run: TrainingRun) -> Step:
    state = dict(run.state)
    data, learn = _landmarks(run)
    ill, free = fit_run.counts(data.take(learn))
    check_enough(ill, free, "a risk model")
    state |= {"stage": "fold", "fold": 0, "predicted": pack(np.full(int(learn.sum()), np.nan))}
    return Step(state, 56, f"{ill} patients with a first complication, {free} without.")


def fold(run: TrainingRun) -> Step:
    data, learn = _landmarks(run)
    at, predicted = run.state["fold"], unpack(run.state["predicted"])
    rows, said = fit_run.fold_predictions(data.take(learn), at, run.seed)
    predicted[rows] = said
    return fold_judged(run, predicted, then="risk")


def risk(run: TrainingRun) -> Step:
    """The finished risk model, with what unseen patients said."""
    data, learn = _landmarks(run)
    seen = data.take(learn)
    evidence = f"fitted on {whose(run)}"
    evaluation = {"out_of_fold": fit_run.figures(seen, unpack(run.state["predicted"]), run.seed)}
    told = described(run) | {"twin_version": courses_of(run).version, "description": evidence}
    model = fit_run.finished(seen, version=name_of(run), evidence=evidence, described=told)
    if run.state["held"]:
        held = data.take(~learn)
        evaluation["held_out"] = fit_run.figures(held, risks(model, held), run.seed)
    return made(run, rounded(hazard_store.to_plain(model)), evaluation, f"{evidence}: {what(run)}")
