"""The queue of unmapped codes as the page shows it: for each the metrics that take its unit, with the conversion."""

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.fhir.streams import units
from recovery.selectors.fhir_codes import Progress, QueuedCode, mapping_progress
from recovery.twin.metrics import METRICS

# A count or score has no unit: these metrics take a bare number as it is.
_BARE_UNITS = ("{score}", "1")


@dataclass(frozen=True, slots=True)
class Choice:
    metric: str
    label: str
    scale: float
    shift: float
    conversion: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    code: QueuedCode
    mapped_label: str
    choices: tuple[Choice, ...]
    progress: Progress | None = None


def queue_row(code: QueuedCode, progress: Progress | None = None) -> QueueRow:
    known = METRICS.get(code.mapped_to)
    return QueueRow(code, known.label if known else "", () if known else choices_of(code.unit), progress)


def queue_rows(codes: Iterable[QueuedCode]) -> list[QueueRow]:
    """The queue, with how far the twins of mapped codes are."""
    codes = list(codes)
    progress = mapping_progress(code.coding for code in codes if code.mapped_to in METRICS)
    return [queue_row(code, progress.get(code.coding)) for code in codes]


def choices_of(unit: str) -> tuple[Choice, ...]:
    """The metrics to which numbers in `unit` convert exactly; never a guess."""
    found = []
    for metric in METRICS.values():
        factors = _factors(unit, metric.unit)
        if factors is not None:
            found.append(Choice(metric.key, metric.label, *factors, _sentence(unit, metric.unit, *factors)))
    return tuple(sorted(found, key=lambda one: one.label))


def _factors(unit: str, target: str) -> tuple[float, float] | None:
    if not unit:
        return (1.0, 0.0) if target in _BARE_UNITS else None
    code = unit if units.conversion(unit, target) else units.code_of(None, None, unit)
    return units.conversion(code, target) if code else None


def _sentence(unit: str, target: str, scale: float, shift: float) -> str:
    """How a sent number becomes one of the metric's: "value × 0.5556 − 17.78 Cel"."""
    words = "value" if scale == 1 else f"value × {scale:.4g}"
    if shift:
        words += f" {'+' if shift > 0 else '−'} {abs(shift):.4g}"
    return f"{words} {target}" if unit != target or shift or scale != 1 else f"as sent, in {target}"
