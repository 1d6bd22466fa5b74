"""Comorbidities as the Charlson family of scores counts them: named conditions, and pairs of which only the more
severe counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from recovery.twin.scores.result import Item, ScoreRefused, flag

Conditions = Mapping[str, bool | None]
"""Condition to present, absent or (None, or not mentioned) not known."""


def checked(conditions: Conditions, known: Iterable[str]) -> Conditions:
    """The same conditions; raises ScoreRefused for a name that the score does not hold."""
    strange = sorted(set(conditions) - set(known))
    if strange:
        raise ScoreRefused(f"not a condition of this score: {', '.join(strange)}")
    return conditions


def condition_items(
    conditions: Conditions, labels: Mapping[str, str], weights: Mapping[str, int], pairs: Mapping[str, str]
) -> tuple[Item, ...]:
    """One item per condition, one per pair (milder to more severe): only the more severe of a pair counts."""
    checked(conditions, labels)
    severe = set(pairs.values())
    return tuple(
        _pair(conditions, key, pairs[key], labels, weights)
        if key in pairs
        else flag(key, label, conditions.get(key), weights[key])
        for key, label in labels.items()
        if key not in severe
    )


def _pair(
    conditions: Conditions, mild: str, severe: str, labels: Mapping[str, str], weights: Mapping[str, int]
) -> Item:
    label, worst = f"{labels[mild]} or {labels[severe]}", max(weights[mild], weights[severe])
    if conditions.get(severe):
        return Item(mild, label, severe, weights[severe], worst)
    if conditions.get(mild) is None or conditions.get(severe) is None:
        return Item(mild, label, None, None, worst)
    return Item(mild, label, mild if conditions[mild] else "none", weights[mild] * bool(conditions[mild]), worst)
