"""What could explain the last days, as a snapshot says it."""

from math import isfinite
from typing import Any

from recovery.twin.metrics import METRICS
from recovery.twin.suspicion import SILENCE, Hypothesis, Suspicion, spoken_of

MOST_CAUSES = 5


def suspicion_note(found: Suspicion | None) -> dict[str, Any] | None:
    """None where no hypotheses serve this twin. `probability` and `ordinary` are null when it is silent; `known` is the
    share of the complications diagnosed already."""
    if found is None:
        return None
    return {
        "probability": _share(found.probability),
        "ordinary": _share(found.ordinary),
        "known": _share(found.known),
        "silent": SILENCE[found.silent_because] if found.silent_because else "",
        "causes": [_cause(one, found) for one in found.hypotheses[:MOST_CAUSES]],
        "model": found.model_version,
        "evidence": found.evidence,
    }


def _cause(one: Hypothesis, found: Suspicion) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "benign": one.is_benign,
        "probability": _share(one.probability),
        "begun_h_ago": round(one.onset_hours_ago),
        "for": [spoken_of(key, found) for key, _ in one.speaks_for],
        "against": [METRICS[key].label.lower() for key, _ in one.speaks_against],
    }


def _share(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else round(value, 4)
