"""Devices in words: what came twice, which firmware, and how far two of them agree."""

from dataclasses import dataclass

from recovery.presenters import wording
from recovery.selectors.agreement import Compared, DeviceQuality, SourceKind
from recovery.twin.agreement import FEWEST_PAIRS
from recovery.twin.metrics import METRICS


@dataclass(frozen=True, slots=True)
class DeviceLine:
    name: str
    version: str
    tier: str
    patients: str
    repeated: str
    brought_by: str


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """`limits` blank where there are too few pairs, which `bias` then says."""

    one: str
    other: str
    pairs: str
    bias: str
    limits: str


@dataclass(frozen=True, slots=True)
class DeviceView:
    lines: tuple[DeviceLine, ...]
    repeated: str
    compared: tuple[ComparedLine, ...]


def device_view(found: DeviceQuality, metric: str) -> DeviceView:
    return DeviceView(
        lines=tuple(_line(kind) for kind in found.kinds),
        repeated=_repeated(sum(kind.repeated for kind in found.kinds)),
        compared=tuple(_compared(one, metric) for one in found.compared),
    )


def _line(kind: SourceKind) -> DeviceLine:
    return DeviceLine(
        name=kind.name or ("Said by the patient" if kind.tier == "self_report" else "No device registered"),
        version=kind.version or "not said",
        tier=_tier(kind.tier),
        patients=wording.number(kind.patients),
        repeated=wording.number(kind.repeated),
        brought_by=", ".join(kind.brought_by),
    )


def _tier(key: str) -> str:
    return wording.TIERS.get(key, key)


def _repeated(count: int) -> str:
    if not count:
        return "No reading came twice in these 14 days."
    again = "It is" if count == 1 else "They are"
    return (
        f"{wording.plural(count, 'reading')} of all measures came again in these 14 days, though held already. {again}"
        " counted once; a source that often sends twice loads the network and its gateway for nothing."
    )


def _compared(said: Compared, metric: str) -> ComparedLine:
    names = wording.TIERS.get(said.one, said.one), wording.TIERS.get(said.other, said.other)
    pairs = f"{wording.plural(said.pairs, 'pair')} of {wording.plural(said.patients, 'patient')}"
    if said.found is None:
        return ComparedLine(*names, pairs, f"too few pairs to say: {FEWEST_PAIRS} are needed", "")
    if said.found.same:
        return ComparedLine(*names, pairs, "the same to the digit: one seems to pass on what the other measured", "")
    limits = f"{_amount(said.found.low, metric)} to {_amount(said.found.high, metric)}"
    return ComparedLine(*names, pairs, _amount(said.found.bias, metric), limits)


def _amount(value: float, metric: str) -> str:
    """A signed difference with its unit, one digit finer than a reading."""
    text = wording.number(value, wording.decimals(metric) + 1)
    sign = "+" if text.strip("0.,") and not text.startswith(wording.MINUS) else ""
    word = wording.unit(METRICS[metric].unit, metric)
    return f"{sign}{text}{'' if word in ('', '°') else chr(0xA0)}{word}"
