"""Offline only: what hypotheses say of patients they have not seen: is a complication under way, not yet diagnosed?

One look a day at each patient, as ordinary recovery or with a complication under way (`fit_hypotheses.labels`: from
three hours after the onset to the diagnosis); looks near a complication are neither and are left out.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recovery.twin.fit_hypotheses import Looks, Rows, fit, labels, suspicion, under_way
from recovery.twin.fit_looks import Gathered, ordered_for
from recovery.twin.fit_run import age_bands, fold_of, sex_words
from recovery.twin.governance import judge, subgroups
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.incidence import NAMED
from recovery.twin.survival import Floats, HazardModel

JUDGED_EVERY_H = 24
OUTCOME = "a complication under way that has not been diagnosed yet"


def counts(found: Gathered, learn: Rows) -> tuple[int, int]:
    """People with a look at a complication under way that had something to read, and people without a complication,
    among the looks `learn`."""
    read = np.asarray(found.looks.blocks.n.any(axis=(1, 2)))
    ill = people(found, learn & read & (labels(found.looks) == 1))
    had = found.people[[bool(one) for one in found.looks.illnesses]]
    return len(ill), len(np.setdiff1d(people(found, learn), had))


def people(found: Gathered, rows: Rows) -> NDArray[np.int64]:
    """Who was looked at in `rows`, each once, however many operations they had."""
    return np.unique(found.people[found.looks.patient[rows]])


def causes(found: Gathered, learn: Rows) -> dict[str, int]:
    """People with a look while that complication was under way, in the order of the catalogue."""
    seen: dict[str, set[int]] = {name: set() for name in NAMED}
    for index, illnesses in enumerate(found.looks.illnesses):
        at = found.looks.hour[learn & (found.looks.patient == index)] if illnesses else np.empty(0)
        for one in illnesses:
            if under_way(one, at).any():
                seen[one.outcome].add(int(found.people[index]))
    return {name: len(who) for name, who in seen.items()}


def judged_rows(looks: Looks) -> Rows:
    rows: Rows = (labels(looks) >= 0) & (looks.hour % JUDGED_EVERY_H == 0)
    return rows


def fold_suspicion(
    found: Gathered, learn: Rows, fold: int, hazards: HazardModel, twin_version: str, seed: int
) -> tuple[Rows, Floats]:
    """Rows of one fold (n,) that are judged, and their suspicion by hypotheses that saw none of their patients."""
    mine = fold_of(found.people[found.looks.patient], seed) == fold
    model = fit(of_rows(found, learn & ~mine, hazards), hazards, "fold", twin_version, {})
    held = learn & mine & judged_rows(found.looks)
    return held, suspicion(model, hazards, of_rows(found, held, hazards))


def held_out(found: Gathered, held: Rows, model: HypothesisModel, hazards: HazardModel) -> tuple[Rows, Floats]:
    rows = held & judged_rows(found.looks)
    return rows, suspicion(model, hazards, of_rows(found, rows, hazards))


def of_rows(found: Gathered, rows: Rows, hazards: HazardModel) -> Looks:
    return ordered_for(hazards, found.looks.take(rows), found.static_keys)


def figures(found: Gathered, rows: Rows, predicted: Floats, seed: int) -> dict[str, Any]:
    """Figures of the suspicion `predicted` (rows.sum(),) at the looks `rows` (n,), all and by sex and age."""
    happened = labels(found.looks)[rows] == 1
    who = found.people[found.looks.patient[rows]]
    overall = judge(predicted, happened, who, seed)
    groups = {"sex": sex_words(found.column("male")[rows]), "age": age_bands(found.column("age_decades")[rows])}
    by = {name: subgroups(predicted, happened, who, one, seed) for name, one in groups.items()}
    return {
        "outcome": OUTCOME,
        "all": asdict(overall) if overall else None,
        "subgroups": {
            name: {group: asdict(one) if one else None for group, one in one_by.items()} for name, one_by in by.items()
        },
    }
