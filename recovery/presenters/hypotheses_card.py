"""The hypotheses on the model page and the cards: which version, what they were learned from, and their limits."""

from dataclasses import asdict, dataclass
from typing import Any

from recovery.twin.hypotheses import HYPOTHESIS_LABELS, HypothesisModel, complications
from recovery.twin.metrics import METRICS
from recovery.twin.surprise_blocks import SPAN_H

NONE_SERVE = (
    "No hypotheses have been learned under the expected courses in use, so no cause is weighed by name; where the"
    " pathway's policy asks for them, the deviation of the vital signs and the risk alarm instead."
)
LIMITS = (
    "A hint, not a diagnosis: the causes listed here are compared with each other and with ordinary recovery; what is"
    " not listed cannot be named.",
    "The harmless rivals (directions and sizes) are assumptions, mark G; no record of such causes was learned from."
    " What they explain is taken off the probability of a complication by which alerts are raised; that itself was"
    " calibrated on simulated patients without a record of such causes.",
    "Each complication starts from its incidence for this operation and patient by the risk model in use. With another"
    " risk model than the one it was calibrated with, the probability of a complication may be off.",
    f"It looks {SPAN_H // 24} days back, in the first 30 days after the operation, and is silent without a reading in"
    " them.",
    "A single reading of a single measure raises no alert, however far out it lies: a second reading, of it or of"
    " another measure, has to speak for a complication too.",
    "After a complication has been diagnosed, its own course still counts towards the probability of a further one.",
)


@dataclass(frozen=True, slots=True)
class HypothesesView:
    """`silent`: the whole text where no hypotheses serve the twin."""

    version: str
    evidence: str
    trained_on: str
    causes: str
    rivals: str
    metrics: str
    limits: tuple[str, ...]
    silent: str = ""


def hypotheses_view(model: HypothesisModel | None) -> HypothesesView:
    if model is None:
        return HypothesesView("", "", "", "", "", "", (), NONE_SERVE)
    named = complications(model)
    return HypothesesView(
        version=model.version,
        evidence=model.evidence,
        trained_on=_trained_on(model),
        causes=", ".join(HYPOTHESIS_LABELS[name] for name in named),
        rivals=", ".join(HYPOTHESIS_LABELS[name] for name in model.names if name not in named),
        metrics=", ".join(METRICS[key].label.lower() for key in model.metrics if key in METRICS),
        limits=LIMITS,
    )


def hypotheses_json(model: HypothesisModel | None) -> dict[str, Any]:
    """The same for the card as JSON."""
    plain = asdict(hypotheses_view(model))
    return plain | {"training": dict(model.training) if model else {}}


def _trained_on(model: HypothesisModel) -> str:
    said = model.training
    many = f"{said['patients']} patients" if "patients" in said else "a number of patients not stated"
    what = str(said.get("description") or model.evidence)
    return f"{what[:1].upper()}{what[1:]}. {many}; under the expected courses {model.twin_version}."
