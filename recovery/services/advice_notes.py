"""Which measurement tonight would tell most, as a snapshot says it."""

from typing import Any

from recovery.services.served_models import Models
from recovery.services.twinning import Folded
from recovery.twin.advice import Advice, advise

MOST = 5


def advice_notes(folded: Folded, models: Models) -> list[dict[str, Any]]:
    """At most five measurements, the most worth a minute first; empty before surgery and where the model ends."""
    found = advise(folded.fold.state, models.population, folded.known.profile, models.hazard, folded.now_hour)
    return [_note(one) for one in found[:MOST]]


def _note(one: Advice) -> dict[str, Any]:
    """`forecast` and `risk`: shares 0..1 of the uncertainty that one reading is expected to remove."""
    return {
        "metric": one.metric,
        "label": one.label,
        "forecast": round(one.forecast, 3),
        "risk": round(one.risk, 3),
        "age_h": None if one.age_h is None else round(one.age_h, 1),
        "minutes": one.burden.minutes,
        "who": one.burden.who,
        "source": str(one.burden.source),
    }
