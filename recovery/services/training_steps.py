"""The steps of a training: gather slice by slice, judge out of fold, fit, make a version of plain numbers.

`advance` makes the next step from what the run's row says and returns what to store; nothing is written here. What it
needs of earlier steps it reads back from the stored parts, so it does not matter which worker made them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from recovery import card_rules
from recovery.models import Episode, ModelVersion, TrainingPart, TrainingRun
from recovery.services import served_models
from recovery.services.served_models import HAZARD
from recovery.services.training import Refused
from recovery.services.training_cases import cases_of, eligible, held_back
from recovery.twin import fit_parts, fit_run, hazard_store
from recovery.twin.cold_start import cold_start
from recovery.twin.errors import NotEnoughData
from recovery.twin.evaluate_hazard import risks
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_hazard import LANDMARK_EVERY_H, rounded
from recovery.twin.fit_landmarks import Landmarks, collect
from recovery.twin.fit_population import Fitting, begin, finish, step
from recovery.twin.fit_population_data import Training
from recovery.twin.fit_scorecard import scorecards
from recovery.twin.governance import FEWEST_PEOPLE
from recovery.twin.params import PopulationParams
from recovery.twin.state import pack, unpack

SLICE = 20
"""Operations gathered in one step: a few seconds of work, a few hundred kB to store."""
FEWEST_EVENTS, FEWEST_FREE = 100, 100
"""Patients with and without a first complication: at least 100 of each to judge a risk model (Vergouwe 2005)."""
FEWEST_OPERATIONS = 100
"""To learn expected courses; each measure needs 50 patients of its own beside that [G: this project's choice]."""
JUDGED_SHARE = 5
"""Without a cut or a site to hold back, every fifth operation (in seeded order) is kept to judge the courses."""
LANDMARKS = np.arange(LANDMARK_EVERY_H, 720.0, LANDMARK_EVERY_H).tolist()
SYNTHETIC = "synthetic patients of this installation, not evidence about patients"
OWN = "operations of this unit"


@dataclass(frozen=True)
class Step:
    """What a step made: the next state, how far the run is, one part to store, or the finished version."""

    state: dict[str, Any]
    progress: int
    words: str
    part: tuple[int, Any] | None = None
    made: ModelVersion | None = None


def advance(run: TrainingRun) -> Step:
    """The next step of the run. Raises Refused when there is too little to learn from."""
    stage = run.state.get("stage", "begin")
    return STAGES[stage](run)


def _begin(run: TrainingRun) -> Step:
    keys = list(eligible(run.since, run.until).values_list("pk", flat=True))
    back = held_back(run.cut_at, run.held_out_id)
    held = list(eligible(run.since, run.until).filter(back).values_list("pk", flat=True))
    if run.kind != HAZARD and not held:
        order = np.random.default_rng(run.seed).permutation(len(keys))
        held = sorted(keys[i] for i in order[: len(keys) // JUDGED_SHARE])
    kept = len(keys) - len(held)
    if kept < FEWEST_OPERATIONS:
        raise Refused(
            f"{FEWEST_OPERATIONS} operations with 30 days of follow-up inside the window are needed to learn from;"
            f" there are {kept}, besides {len(held)} held back to judge."
        )
    taken = sorted(set(keys) - set(held)) + held if run.kind == HAZARD else sorted(set(keys) - set(held))
    state = {"stage": "gather", "keys": taken, "held": held, "next": 0, "parts": 0}
    return Step(state, 1, f"{len(taken)} operations to read.")


def _gather(run: TrainingRun) -> Step:
    state = dict(run.state)
    number, keys = state["next"], state["keys"]
    cases = cases_of(keys[number * SLICE : (number + 1) * SLICE])
    part = _part(run.kind, cases)
    state |= {"next": number + 1, "parts": state["parts"] + (part is not None)}
    read = min((number + 1) * SLICE, len(keys))
    if read >= len(keys):
        state["stage"] = "check"
    words = f"Read {read} of {len(keys)} operations."
    return Step(state, 1 + 54 * read // len(keys), words, None if part is None else (number, part))


def _part(kind: str, cases: list[Case]) -> Any:
    """What a slice gives, as plain numbers; None when nothing of it can be used."""
    if not cases:
        return None
    if kind != HAZARD:
        return fit_parts.to_plain(fit_parts.population_part(cases))
    alive = [case for case in cases if case.died_h is None or case.died_h > LANDMARKS[0]]
    if not alive:
        return None
    found = collect(alive, served_models.population(), LANDMARKS)
    who = np.array([int(case.patient) for case in alive])
    return fit_parts.to_plain(replace(found, patient=who[found.patient]))


@lru_cache(maxsize=1)
def _joined(run_id: int, kind: str, parts: int) -> Any:
    """All parts of a run joined; kept for the steps that one task makes."""
    rows = TrainingPart.objects.filter(run_id=run_id).order_by("number").values_list("content", flat=True)
    found = [fit_parts.from_plain(one) for one in rows.iterator(chunk_size=20)]
    if len(found) != parts:
        raise Refused("A part of what was gathered is missing; begin the training again.")
    return fit_parts.join_landmarks(found) if kind == HAZARD else fit_parts.join_training(found)


def _landmarks(run: TrainingRun) -> tuple[Landmarks, Any]:
    """All rows, and which of them may be fitted to (not held back). A row's patient is its operation's row id."""
    data: Landmarks = _joined(run.pk, run.kind, run.state["parts"])
    return data, ~np.isin(data.patient, run.state["held"])


def _training(run: TrainingRun) -> Training:
    data: Training = _joined(run.pk, run.kind, run.state["parts"])
    return data


def _check(run: TrainingRun) -> Step:
    state = dict(run.state)
    if run.kind != HAZARD:
        try:
            fitting = begin(_training(run), cold_start())
        except NotEnoughData as problem:
            raise Refused(f"There is too little to learn from: {problem}.") from problem
        state |= {"stage": "courses", "fitting": fitting.to_plain(), "steps": fitting.steps_left}
        return Step(state, 56, f"{len(fitting.pending)} measures to learn.")
    data, learn = _landmarks(run)
    ill, free = fit_run.counts(data.take(learn))
    if ill < FEWEST_EVENTS or free < FEWEST_FREE:
        raise Refused(
            f"At least {FEWEST_EVENTS} patients with and {FEWEST_FREE} without a first complication are needed to judge"
            f" a risk model; the window holds {ill} with and {free} without."
        )
    state |= {"stage": "fold", "fold": 0, "predicted": pack(np.full(int(learn.sum()), np.nan))}
    return Step(state, 56, f"{ill} patients with a first complication, {free} without.")


def _fold(run: TrainingRun) -> Step:
    state = dict(run.state)
    data, learn = _landmarks(run)
    fold, predicted = state["fold"], unpack(state["predicted"])
    rows, said = fit_run.fold_predictions(data.take(learn), fold, run.seed)
    predicted[rows] = said
    state |= {"fold": fold + 1, "predicted": pack(predicted)}
    if fold + 1 == fit_run.FOLDS:
        state["stage"] = "risk"
    words = f"Judged on patients it had not seen: part {fold + 1} of {fit_run.FOLDS}."
    return Step(state, 56 + 7 * (fold + 1), words)


def _risk(run: TrainingRun) -> Step:
    """The finished risk model, with what unseen patients said."""
    data, learn = _landmarks(run)
    seen = data.take(learn)
    evidence = f"fitted on {_whose(run)}"
    evaluation = {"out_of_fold": fit_run.figures(seen, unpack(run.state["predicted"]), run.seed)}
    described = _described(run) | {"twin_version": served_models.population().version, "description": evidence}
    model = fit_run.finished(seen, version=_name(run), evidence=evidence, described=described)
    if run.state["held"]:
        held = data.take(~learn)
        evaluation["held_out"] = fit_run.figures(held, risks(model, held), run.seed)
    return _made(run, rounded(hazard_store.to_plain(model)), evaluation, f"{evidence}: {_what(run)}")


def _courses(run: TrainingRun) -> Step:
    state = dict(run.state)
    fitting = step(Fitting.from_plain(state["fitting"]), _training(run), cold_start())
    done = state["steps"] - fitting.steps_left
    state["fitting"] = fitting.to_plain()
    if fitting.is_done:
        state |= {"stage": "finish"}
    words = f"Learning {fitting.pending[0].replace('_', ' ')}." if fitting.pending else "All measures learned."
    return Step(state, 56 + 30 * done // max(state["steps"], 1), words)


def _finish(run: TrainingRun) -> Step:
    """The learned courses as they will be served; the measurements they came from are no longer needed."""
    state = dict(run.state)
    synthetic = _whose(run) == SYNTHETIC
    fitting = Fitting.from_plain(state["fitting"])
    found = finish(fitting, _training(run), version=_name(run), data=_what(run), synthetic=synthetic)
    plain = found.to_plain()
    plain["trained_on"] = dict(plain["trained_on"] or {}) | {"data": _whose(run)} | _described(run)
    state |= {"stage": "judge", "fitting": plain, "judged": 0, "cards": {}}
    return Step(state, 87, "Judging on operations that were held back.")


def _judge(run: TrainingRun) -> Step:
    """One-step scorecards of held-back operations, under the learned courses and under the published ones."""
    state = dict(run.state)
    held, at = state["held"], state["judged"]
    cases = cases_of(held[at : at + SLICE])
    learned = PopulationParams.from_plain(state["fitting"])
    cards = dict(state["cards"])
    groups = dict(state.get("groups", {}))
    for sex in sorted({_sex(case) for case in cases}):
        mine = [case for case in cases if _sex(case) == sex]
        for name, params in (("learned", learned), ("published", cold_start())):
            found = scorecards(mine, params)
            _add(cards, {f"{name}/{key}": card for key, card in found.items()})
            if name == "learned":
                readings, in90 = (sum(card[i] for card in found.values()) for i in (0, 1))
                _add(groups, {sex: [float(len(mine)), readings, in90]})
    state |= {"judged": at + SLICE, "cards": cards, "groups": groups}
    if at + SLICE < len(held):
        return Step(state, 87 + 12 * (at + SLICE) // len(held), f"Judged {at + SLICE} of {len(held)} operations.")
    evaluation = {
        "held_out": {
            "operations": len(held),
            "measures": _cards_told(cards),
            "subgroups": {"sex": {sex: _group_told(sums) for sex, sums in sorted(groups.items())}},
        }
    }
    return _made(run, state["fitting"], evaluation, f"fitted on {_whose(run)}: {_what(run)}")


def _sex(case: Case) -> str:
    return case.profile.sex or "not recorded"


def _add(sums: dict[str, list[float]], more: Mapping[str, list[float]]) -> None:
    for key, values in more.items():
        before = sums.get(key, [0.0] * len(values))
        sums[key] = [a + b for a, b in zip(before, values, strict=True)]


def _group_told(sums: list[float]) -> dict[str, Any] | None:
    """People, readings and the share of these inside the 90 % band; None for a group too small to show."""
    people, readings, in90 = sums
    if people < FEWEST_PEOPLE or not readings:
        return None
    return {"people": int(people), "readings": int(readings), "coverage90": round(in90 / readings, 3)}


def _cards_told(cards: Mapping[str, list[float]]) -> dict[str, dict[str, Any]]:
    """metric -> readings, coverage of the 90 and 50 % interval, and mean error beside that of the published courses."""
    told = {}
    for name, (n, in90, in50, error, _) in cards.items():
        side, key = name.split("/")
        if side == "learned" and n:
            published = cards[f"published/{key}"][3]
            told[key] = {
                "readings": int(n),
                "coverage90": round(in90 / n, 3),
                "coverage50": round(in50 / n, 3),
                "skill_over_published": round(1 - error / published, 3) if published else None,
            }
    return told


def _made(run: TrainingRun, plain: Any, evaluation: dict[str, Any], trained_on: str) -> Step:
    _joined.cache_clear()
    version = ModelVersion(
        kind=run.kind, version=_name(run), parameters=plain, trained_on=trained_on[:300], evaluation=evaluation
    )
    return Step({}, 100, f"Made version {version.version}. It serves nobody until two people say so.", made=version)


def _name(run: TrainingRun) -> str:
    return f"{run.kind}-own-{run.pk}"


def _whose(run: TrainingRun) -> str:
    """What the data are; one synthetic patient among them makes the whole synthetic."""
    keys = [*run.state["keys"], *run.state["held"]]
    chunks = (keys[i : i + 5000] for i in range(0, len(keys), 5000))
    made_up = any(Episode.objects.filter(pk__in=one, patient__is_synthetic=True).exists() for one in chunks)
    return SYNTHETIC if made_up else OWN


def _what(run: TrainingRun) -> str:
    learn = len(set(run.state["keys"]) - set(run.state["held"]))
    return f"{learn} operations from {run.since:%Y-%m-%d} to {run.until:%Y-%m-%d}, {len(run.state['held'])} held back"


def _described(run: TrainingRun) -> dict[str, Any]:
    """The training data in words and counts, kept inside the version."""
    return {
        "synthetic": _whose(run) == SYNTHETIC,
        "cohort": _what(run),
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


STAGES: Mapping[str, Callable[[TrainingRun], Step]] = {
    "begin": _begin,
    "gather": _gather,
    "check": _check,
    "fold": _fold,
    "risk": _risk,
    "courses": _courses,
    "finish": _finish,
    "judge": _judge,
}
