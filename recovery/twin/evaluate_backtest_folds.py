"""Offline only: a backtest in which every patient is judged by a model that was fitted without them.

Patients are dealt into folds by their id alone, so that the same patient is in the same fold whatever the order or the
size of the export, and never in two.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from recovery.twin.evaluate_backtest_judge import Judgement, Look, inputs_of
from recovery.twin.evaluate_backtest_run import LAST_H, Said
from recovery.twin.evaluate_backtest_subjects import Subject
from recovery.twin.fit_hazard import LANDMARK_EVERY_H, fit
from recovery.twin.fit_landmarks import Landmarks, with_outcomes
from recovery.twin.survival import Floats, HazardModel

HARVEST = frozenset(range(int(LANDMARK_EVERY_H), LAST_H, int(LANDMARK_EVERY_H)))


def fold_of(patient: str, folds: int) -> int:
    return zlib.crc32(b"fold:" + patient.encode()) % folds


class Listener:
    """A judge that says nothing: for the passage in which only the inputs of a fit are gathered."""

    version = "none"

    def judge(self, looks: Sequence[Look], *, with_risks: bool) -> list[Judgement]:
        return [Judgement((), {}, {}) for _ in looks]


class Harvest(NamedTuple):
    """Plain arrays of one group: values (n, keys), hours (n,), whose (n,); the group's subjects by index."""

    landmarks: Landmarks
    patients: list[str]


def harvest(subjects: Sequence[Subject], said: Sequence[Said]) -> Harvest | None:
    """The landmarks of a group; None when nobody was looked at."""
    rows, who, when = [], [], []
    for index, one in enumerate(said):
        for hour, look in one.inputs:
            values = inputs_of(look).values
            rows.append(values)
            who.append(index)
            when.append(float(hour))
    if not rows:
        return None
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    table = np.array([[row.get(key, np.nan) for key in keys] for row in rows])
    cases = [subject.case for subject in subjects]
    points = np.full(len(rows), np.nan)
    found = with_outcomes(cases, keys, np.array(when), np.array(who), table, points)
    return Harvest(found, [case.patient for case in cases])


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
    return Harvest(landmarks, [patient for part in parts for patient in part.patients])


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
    return {**plain, **events, **words, "patient": marks.patient}


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
    return Harvest(landmarks, list(map(str, arrays["patients"])))
