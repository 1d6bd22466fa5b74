"""Offline only: looks at operations, gathered group by group and joined: what `fit_hypotheses` learns from.

The blocks of a look are those that the served twin would have had at that hour, from what had arrived by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recovery.twin.errors import MalformedState
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_hypotheses import Illness, Looks, Rows, measured
from recovery.twin.fit_replay import replay
from recovery.twin.incidence import NAMED, procedure_class
from recovery.twin.metrics import METRICS
from recovery.twin.params import PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors, static_inputs
from recovery.twin.surprise import RecoveryFeatures, features, has_blocks
from recovery.twin.surprise_blocks import Blocks, in_order_of
from recovery.twin.survival import Floats, HazardModel

WEIGHED = tuple(key for key in METRICS if has_blocks(key))
"""Metrics whose surprises the hypotheses may weigh."""


class Seen(NamedTuple):
    """One look, before it is a row. patient: index into the illnesses."""

    patient: int
    hour: float
    profile: Profile
    factors: RiskFactors
    features: RecoveryFeatures


@dataclass(frozen=True)
class Gathered:
    """Looks at `people` (p,), numbers of operations; a look's patient is an index into them. The looks' `static` holds
    the inputs `static_keys` by name, since the hazards that order them are chosen later."""

    people: NDArray[np.int64]
    static_keys: tuple[str, ...]
    looks: Looks

    def rows_of(self, people: Sequence[int]) -> Rows:
        """(n,) which looks are at these people."""
        rows: Rows = np.isin(self.people, people)[self.looks.patient]
        return rows

    def column(self, key: str) -> Floats:
        """(n,) a static input; nan where nobody has it."""
        if key not in self.static_keys:
            return np.full(len(self.looks.hour), np.nan)
        return self.looks.static[:, self.static_keys.index(key)]


def collect(cases: Sequence[Case], params: PopulationParams, hours: Sequence[float]) -> Gathered | None:
    """Replays the operations (`Case.patient` is a number) and looks at everybody alive at each hour; None when nobody
    was."""
    seen = [
        Seen(index, hour, case.profile, case.factors, features(state, params, hour, case.profile))
        for hour, states in replay(cases, params, hours)
        for index, (case, state) in enumerate(zip(cases, states, strict=True))
        if case.died_h is None or case.died_h > hour
    ]
    if not seen:
        return None
    looks, keys = looks_of(seen, [illnesses_of(case) for case in cases])
    return Gathered(np.array([int(case.patient) for case in cases], np.int64), keys, looks)


def illnesses_of(case: Case) -> list[Illness]:
    return [Illness(*one) for one in case.diagnoses if one[2] in NAMED]


def looks_of(seen: Sequence[Seen], illnesses: Sequence[Sequence[Illness]]) -> tuple[Looks, tuple[str, ...]]:
    """Looks as arrays, and the names of their static inputs. Raises IndexError without a look."""
    statics = [static_inputs(one.profile, one.factors) for one in seen]
    keys = tuple(statics[0])
    blocks = [in_order_of(WEIGHED, one.features.blocks) for one in seen]
    mean: Any = np.stack([one.mean for one in blocks]).astype(np.float32)
    n: Any = np.stack([one.n for one in blocks]).astype(np.int16)
    looks = Looks(
        metrics=WEIGHED,
        patient=np.array([one.patient for one in seen], np.int64),
        hour=np.array([one.hour for one in seen], float),
        classes=np.array([procedure_class(one.profile.procedure) for one in seen]),
        static=np.array([[one[key] for key in keys] for one in statics]),
        blocks=Blocks(mean, n),
        illnesses=illnesses,
    )
    return looks, keys


def join(parts: Sequence[Gathered]) -> Gathered:
    """All looks at all people, of what was measured at all. Raises MalformedState when the parts were gathered by
    different versions."""
    if len({(part.static_keys, part.looks.metrics) for part in parts}) != 1:
        raise MalformedState("the parts of this training were gathered by different versions; begin it again")
    offsets = np.cumsum([0, *(len(part.people) for part in parts[:-1])])
    people = np.concatenate([part.people for part in parts])
    looks = measured(joined_looks([part.looks for part in parts], offsets))
    return Gathered(people, parts[0].static_keys, looks)


def joined_looks(parts: Sequence[Looks], offsets: NDArray[np.int64]) -> Looks:
    """All looks; the patients of a part are numbered from its offset."""
    return Looks(
        metrics=parts[0].metrics,
        patient=np.concatenate([one.patient + offset for one, offset in zip(parts, offsets, strict=True)]),
        hour=np.concatenate([one.hour for one in parts]),
        classes=np.concatenate([one.classes for one in parts]),
        static=np.concatenate([one.static for one in parts]),
        blocks=Blocks(
            np.concatenate([one.blocks.mean for one in parts]), np.concatenate([one.blocks.n for one in parts])
        ),
        illnesses=[row for one in parts for row in one.illnesses],
    )


def ordered_for(hazards: HazardModel, looks: Looks, static_keys: Sequence[str]) -> Looks:
    """The looks with their static inputs in the order of the hazards' features; nan where there is none."""
    places = [static_keys.index(f.key) if f.kind == "static" else -1 for f in hazards.features]
    padded = np.column_stack([looks.static, np.full(len(looks.hour), np.nan)])
    return replace(looks, static=padded[:, places])
