"""The levers of what-if: each with the kind of evidence behind it, its size, and whom it speaks about."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt
from types import MappingProxyType
from typing import Literal

from recovery.twin.source import Source

Evidence = Literal["causal", "association", "assumption"]
Acts = Literal["shift", "odds", "share"]


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing that may be moved. low..high: the amounts that are answered, in `unit`; step: of the input field.

    metric: whose forecast moves; outcome: whose risk moves (blank: none). size, spread: of the effect, per unit of the
    amount for "odds", in all for "share", 0 for "shift", whose size is the amount. first_day, last_day: postoperative
    days the evidence speaks about. procedures: keys it speaks about; empty: any adult operation.
    """

    key: str
    question: str
    evidence: Evidence
    acts: Acts
    metric: str
    outcome: str
    unit: str
    low: float
    high: float
    step: float
    start: float
    size: float
    spread: float
    first_day: int
    last_day: int
    procedures: tuple[str, ...]
    source: Source
    caution: str


_COLECTOMY = ("colectomy", "colectomy_laparoscopic", "colectomy_open")
_TRIAL_ARM = 905 / 2
_TRIAL_SHARE_SD = sqrt(2 * 0.5 * 0.5 / _TRIAL_ARM)
"""SD of a difference of two shares near one half in arms of 452: the interval is not in our source, so this is
computed from the trial's size [D]."""
_ODDS_SD = abs(log(0.60)) / 2
"""The interval of the odds ratio is not in our source; half its logarithm is assumed [G]."""


WALKING = Lever(
    key="walking",
    question="If the day's steps were higher by this share of the own baseline?",
    evidence="association",
    acts="odds",
    metric="steps",
    outcome="readmission",
    unit="% of baseline",
    low=0.0,
    high=20.0,
    step=5.0,
    start=10.0,
    size=log(0.60) / 10.0,
    spread=_ODDS_SD / 10.0,
    first_day=1,
    last_day=14,
    procedures=_COLECTOMY,
    source=Source(
        "V",
        "Clinical reference 2.1, colorectal: readmission odds ratio 0.60 per 10 % return to baseline steps;"
        " its interval is not stated there and is assumed",
    ),
    caution="Patients who walk more may walk more because they are well.",
)
REMOTE_CARE = Lever(
    key="remote_care",
    question="If the patient were in remote automated monitoring with nurse follow-up?",
    evidence="causal",
    acts="share",
    metric="pain",
    outcome="",
    unit="",
    low=1.0,
    high=1.0,
    step=1.0,
    start=1.0,
    size=0.14,
    spread=_TRIAL_SHARE_SD,
    first_day=7,
    last_day=14,
    procedures=(),
    source=Source(
        "V",
        "PVC-RAM-1, randomised, n = 905: 14 fewer in 100 reported pain on day 7 (12 on day 15, 10 on day 30);"
        " the interval is computed from the trial's size; pain of 4 or more is taken as the trial's pain [G]",
    ),
    caution="The trial's patients had non-elective surgery in one country; days alive at home did not differ.",
)
BETA_BLOCKER = Lever(
    key="beta_blocker",
    question="If a beta-blocker lowered the heart rate by this much, what would be hidden?",
    evidence="assumption",
    acts="shift",
    metric="heart_rate",
    outcome="",
    unit="/min lower",
    low=0.0,
    high=20.0,
    step=1.0,
    start=10.0,
    size=-1.0,
    spread=0.0,
    first_day=0,
    last_day=30,
    procedures=(),
    source=Source("G", "Clinical reference rule 10: a rise in heart rate is masked by beta-blockers; no size is given"),
    caution="A lower reading then says less: the risk is not lowered by it.",
)
ANTIPYRETIC = Lever(
    key="antipyretic",
    question="If paracetamol or an NSAID lowered the temperature by this much, what would be hidden?",
    evidence="assumption",
    acts="shift",
    metric="temperature",
    outcome="",
    unit="Cel lower",
    low=0.0,
    high=1.0,
    step=0.1,
    start=0.5,
    size=-1.0,
    spread=0.0,
    first_day=0,
    last_day=30,
    procedures=(),
    source=Source("G", "Clinical reference rule 10: temperature is masked by paracetamol and NSAIDs; no size is given"),
    caution="A lower reading then says less: the risk is not lowered by it.",
)

LEVERS: Mapping[str, Lever] = MappingProxyType(
    {one.key: one for one in (WALKING, REMOTE_CARE, BETA_BLOCKER, ANTIPYRETIC)}
)
