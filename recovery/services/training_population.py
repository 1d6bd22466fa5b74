"""The steps that learn expected courses: measures one by one, then judged on operations that were held back."""

from collections.abc import Mapping
from typing import Any

from recovery.models import TrainingRun
from recovery.services import training_shared
from recovery.services.training import Refused
from recovery.services.training_cases import cases_of
from recovery.services.training_shared import (
    SYNTHETIC,
    Step,
    described,
    gathered,
    made,
    name_of,
    what,
    whose,
)
from recovery.twin import fit_parts
from recovery.twin.cold_start import cold_start
from recovery.twin.errors import NotEnoughData
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_population import Fitting, begin, finish, step
from recovery.twin.fit_scorecard import scorecards
from recovery.twin.governance import FEWEST_PEOPLE
from recovery.twin.params import PopulationParams


def part(run: TrainingRun, cases: list[Case]) -> Any:
    """What a slice gives, as plain numbers."""
    return fit_parts.to_plain(fit_parts.population_part(cases))


def check(run: TrainingRun) -> Step:
    state = dict(run.state)
    try:
        fitting = begin(gathered(run), cold_start())
    except NotEnoughData as problem:
        raise Refused(f"There is too little to learn from: {problem}.") from problem
    state |= {"stage": "courses", "fitting": fitting.to_plain(), "steps": fitting.steps_left}
    return Step(state, 56, f"{len(fitting.pending)} measures to learn.")


def courses(run: TrainingRun) -> Step:
    state = dict(run.state)
    fitting = step(Fitting.from_plain(state["fitting"]), gathered(run), cold_start())
    done = state["steps"] - fitting.steps_left
    state["fitting"] = fitting.to_plain()
    if fitting.is_done:
        state |= {"stage": "finish"}
    words = f"Learning {fitting.pending[0].replace('_', ' ')}." if fitting.pending else "All measures learned."
    return Step(state, 56 + 30 * done // max(state["steps"], 1), words)


def finished(run: TrainingRun) -> Step:
    """The learned courses as they will be served; the measurements they came from are no longer needed."""
    state = dict(run.state)
    synthetic = whose(run) == SYNTHETIC
    fitting = Fitting.from_plain(state["fitting"])
    found = finish(fitting, gathered(run), version=name_of(run), data=what(run), synthetic=synthetic)
    plain = found.to_plain()
    plain["trained_on"] = dict(plain["trained_on"] or {}) | {"data": whose(run)} | described(run)
    state |= {"stage": "judge", "fitting": plain, "judged": 0, "cards": {}}
    return Step(state, 87, "Judging on operations that were held back.")


def judge(run: TrainingRun) -> Step:
    """One-step scorecards of held-back operations, under the learned courses and under the published ones."""
    state = dict(run.state)
    held, at, size = state["held"], state["judged"], training_shared.SLICE
    cases = cases_of(held[at : at + size])
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
    state |= {"judged": at + size, "cards": cards, "groups": groups}
    if at + size < len(held):
        return Step(state, 87 + 12 * (at + size) // len(held), f"Judged {at + size} of {len(held)} operations.")
    evaluation = {
        "held_out": {
            "operations": len(held),
            "measures": _cards_told(cards),
            "subgroups": {"sex": {sex: _group_told(sums) for sex, sums in sorted(groups.items())}},
        }
    }
    return made(run, state["fitting"], evaluation, f"fitted on {whose(run)}: {what(run)}")


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
