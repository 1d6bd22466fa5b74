"""What could explain the last days, in words for a clinician: a share of a hundred, since when, for and against."""

from dataclasses import dataclass

from recovery.selectors.snapshot import CauseSaid, SuspicionSaid
from recovery.twin.of_hundred import out_of_100

SMALLEST_SHOWN = 0.01
HARMLESS_FITS_BEST = (
    "A harmless cause fits best, and the chance above is lowered by as much as it explains. Whether it is the true"
    " cause is for a person to find out."
)


@dataclass(frozen=True, slots=True)
class CauseLine:
    label: str
    share: str
    begun: str
    speaks_for: str
    speaks_against: str
    benign: bool


@dataclass(frozen=True, slots=True)
class CausesView:
    """`silent` is the whole text when nothing was weighed. `known`: the share of what is diagnosed already; blank
    without any. `caution`: what to say where a harmless cause fits better than every complication."""

    lead: str
    ordinary: str
    silent: str
    known: str
    caution: str
    lines: tuple[CauseLine, ...]
    model: str
    evidence: str


def causes_view(said: SuspicionSaid | None) -> CausesView | None:
    if said is None:
        return None
    return CausesView(
        lead="" if said.probability is None else f"{of_hundred(said.probability)} that a complication is under way now",
        ordinary="" if said.ordinary is None else of_hundred(said.ordinary),
        silent=said.silent,
        known=of_hundred(said.known) if said.known >= SMALLEST_SHOWN else "",
        caution=HARMLESS_FITS_BEST if _harmless_fits_best(said) else "",
        lines=tuple(_line(one) for one in said.causes if one.probability >= SMALLEST_SHOWN),
        model=said.model,
        evidence=said.evidence,
    )


def _harmless_fits_best(said: SuspicionSaid) -> bool:
    """Whether the likeliest of all, what is diagnosed and ordinary recovery included, is a harmless cause."""
    harmless = max((one.probability for one in said.causes if one.benign), default=0.0)
    others = [one.probability for one in said.causes if not one.benign]
    return harmless > max([*others, said.known, said.ordinary or 0.0])


def of_hundred(share: float) -> str:
    """`7 in 100`."""
    return f"{out_of_100(share)} in 100"


def _line(one: CauseSaid) -> CauseLine:
    return CauseLine(
        label=one.label,
        share=of_hundred(one.probability),
        begun=f"would have begun about {one.begun_h_ago:.0f} h ago",
        speaks_for=", ".join(one.speaks_for),
        speaks_against=", ".join(one.speaks_against),
        benign=one.benign,
    )
