"""Offline only: a backtest in which every patient is judged by a model that was fitted without them.

Patients are dealt into folds by their id alone, so that the same patient is in the same fold whatever the order or the
size of the export, and never in two.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recovery.twin.evaluate_backtest_judge import Judgement, Look, inputs_of, partial_news2
from recovery.twin.evaluate_backtest_run import LAST_H, Said
from recovery.twin.evaluate_backtest_subjects import Subject
from recovery.twin.fit_hazard import LANDMARK_EVERY_H, fit
from recovery.twin.fit_hypotheses import LOOK_EVERY_H, Illness, Looks
from recovery.twin.fit_hypotheses import fit as fit_hypotheses
from recovery.twin.fit_landmarks import Landmarks, with_outcomes
from recovery.twin.fit_looks import WEIGHED, Seen, illnesses_of, joined_looks, looks_of, ordered_for
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.surprise_blocks import Blocks
from recovery.twin.survival import Floats, HazardModel

HARVEST = frozenset(range(LOOK_EVERY_H, LAST_H, LOOK_EVERY_H))


def fold_of(patient: str, folds: int) -> int:
    return zlib.crc32(b"fold:" + patient.encode()) % folds


class Listener:
    """A judge that says nothing: for the passage in which only the inputs of a fit are gathered."""

    version = "none"

    def judge(self, looks: Sequence[Look], *, with_risks: bool) -> list[Judgement]:
        return [Judgement((), {}, {}) for _ in looks]


class Harvest(NamedTuple):
    """Plain arrays of one group: landmarks for the hazards, looks for the hypotheses; the group's subjects by index.

    Of the looks, `static` holds the inputs `static_keys` by name, since the hazards that order them are not yet made.
    """

    landmarks: Landmarks
    patients: list[str]
    looks: Looks
    static_keys: tuple[str, ...]


def harvest(subjects: Sequence[Subject], said: Sequence[Said]) -> Harvest | None:
    """The landmarks and looks of a group; None when nobody was looked at."""
    rows, who, when, points = [], [], [], []
    for index, one in enumerate(said):
        for hour, look in one.inputs:
            if hour % LANDMARK_EVERY_H == 0:
                rows.append(inputs_of(look).values)
                who.append(index)
                when.append(float(hour))
                score = partial_news2(look)
                points.append(nan if score is None or score.value is None else float(score.value))
    if not rows:
        return None
    looks, static_keys = _looks(subjects, said)
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    table = np.array([[row.get(key, np.nan) for key in keys] for row in rows])
    cases = [subject.case for subject in subjects]
    found = with_outcomes(cases, keys, np.array(when), np.array(who), table, np.array(points))
    return Harvest(found, [case.patient for case in cases], looks, static_keys)


def _looks(subjects: Sequence[Subject], said: Sequence[Said]) -> tuple[Looks, tuple[str, ...]]:
    seen = [
        Seen(index, float(hour), look.profile, look.factors, look.features)
        for index, one in enumerate(said)
        for hour, look in one.inputs
    ]
    return looks_of(seen, [illnesses_of(subject.case) for subject in subjects])


def joined(parts: Sequence[Harvest]) -> Harvest:
    """All groups as one."""
    offsets = np.cumsum([0, *(len(part.patients) for part in parts[:-1])])
    marks = [part.landmarks for part in parts]
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in marks])
        for name in ("hours", "classes", "values", "end_h", "news2")
    }
    patient = np.concatenate([one.patient + offset for one, offset in zip(marks, offsets, strict=True)])
    events = {name: np.concatenate([one.event_h[name] for one in marks]) for name in marks[0].event_h}
    landmarks = Landmarks(keys=marks[0].keys, patient=patient, event_h=events, **whole)
    return Harvest(
        landmarks,
        [patient for part in parts for patient in part.patients],
        joined_looks([part.looks for part in parts], offsets),
        parts[0].static_keys,
    )


def fitted_hypotheses(
    all_of_them: Harvest, hazards: Sequence[HazardModel], twin_version: str, training: dict[str, Any]
) -> list[HypothesisModel]:
    """One model a fold, fitted on the patients of the other folds with the hazards of the same fold."""
    folds, looks = len(hazards), all_of_them.looks
    of_row = np.array([fold_of(patient, folds) for patient in all_of_them.patients])[looks.patient]
    return [
        hypotheses_on(
            all_of_them, of_row != fold, model, f"cross-validated-{fold + 1}-of-{folds}", twin_version, training
        )
        for fold, model in enumerate(hazards)
    ]


def hypotheses_on(
    all_of_them: Harvest,
    rows: NDArray[np.bool_],
    hazards: HazardModel,
    version: str,
    twin_version: str,
    training: dict[str, Any],
) -> HypothesisModel:
    """Fitted on the looks in `rows`."""
    looks = looks_for(all_of_them, rows, hazards)
    return fit_hypotheses(looks, hazards, version, twin_version, training)


def looks_for(all_of_them: Harvest, rows: NDArray[np.bool_], hazards: HazardModel) -> Looks:
    """The looks in `rows`, their static inputs in the order of the hazards' features."""
    return ordered_for(hazards, all_of_them.looks.take(rows), all_of_them.static_keys)


def fitted(all_of_them: Harvest, folds: int, training: dict[str, Any]) -> list[HazardModel]:
    """One model a fold, fitted on the patients of the other folds."""
    of_patient = np.array([fold_of(patient, folds) for patient in all_of_them.patients])
    of_row = of_patient[all_of_them.landmarks.patient]
    return [
        fit(
            _without_gaps(all_of_them.landmarks.take(of_row != fold)),
            f"cross-validated-{fold + 1}-of-{folds}",
            {**training, "patients": int((of_patient != fold).sum())},
        )
        for fold in range(folds)
    ]


def _without_gaps(data: Landmarks) -> Landmarks:
    """An input that nobody in training has (a site that sends no blood loss) is constant there: it has no effect."""
    never = ~np.isfinite(data.values).any(axis=0)
    return replace(data, values=np.where(never, 0.0, data.values))


def packed(found: Harvest) -> dict[str, Any]:
    """Arrays for `numpy.savez`, without objects."""
    marks = found.landmarks
    events = {f"event_{name}": hours for name, hours in marks.event_h.items()}
    plain: dict[str, Floats] = {name: getattr(marks, name) for name in ("hours", "values", "end_h", "news2")}
    words = {"classes": marks.classes, "keys": np.array(marks.keys), "patients": np.array(found.patients)}
    looks = found.looks
    seen: dict[str, Any] = {
        f"look_{name}": getattr(looks, name) for name in ("patient", "hour", "classes", "static")
    } | {"look_mean": looks.blocks.mean, "look_n": looks.blocks.n.astype(np.int8)}
    ill = [(index, *one) for index, row in enumerate(looks.illnesses) for one in row]
    told = {
        "ill_hours": np.array([[float(i), dx, on] for i, dx, on, _ in ill]).reshape(-1, 3),
        "ill_outcomes": np.array([outcome for *_, outcome in ill], dtype="U16"),
        "static_keys": np.array(found.static_keys),
    }
    return {**plain, **events, **words, **seen, **told, "patient": marks.patient}


def unpacked(arrays: Any) -> Harvest:
    """Inverse of `packed`, from what `numpy.load(..., allow_pickle=False)` gives."""
    events = {name[len("event_") :]: arrays[name] for name in arrays if name.startswith("event_")}
    landmarks = Landmarks(
        keys=tuple(map(str, arrays["keys"])),
        hours=arrays["hours"],
        patient=arrays["patient"],
        classes=arrays["classes"],
        values=arrays["values"],
        event_h=events,
        end_h=arrays["end_h"],
        news2=arrays["news2"],
    )
    patients = list(map(str, arrays["patients"]))
    return Harvest(landmarks, patients, _looks_of(arrays, len(patients)), tuple(map(str, arrays["static_keys"])))


def _looks_of(arrays: Any, patients: int) -> Looks:
    illnesses: list[list[Illness]] = [[] for _ in range(patients)]
    for (index, diagnosis, onset), outcome in zip(arrays["ill_hours"], arrays["ill_outcomes"], strict=True):
        illnesses[int(index)].append(Illness(float(diagnosis), float(onset), str(outcome)))
    return Looks(
        metrics=WEIGHED,
        patient=arrays["look_patient"],
        hour=arrays["look_hour"],
        classes=arrays["look_classes"],
        static=arrays["look_static"],
        blocks=Blocks(arrays["look_mean"], arrays["look_n"]),
        illnesses=illnesses,
    )
