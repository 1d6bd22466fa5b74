"""How a served model does where it is served: calibration, discrimination, drift, subgroups. Arrays in, figures out.

Every figure comes with its count and a 95 % interval; with too few people or events it is None, never a guess.

    share            Wilson 1927 interval of a proportion
    AUROC            Mann-Whitney; interval by bootstrap over patients, because one patient gives several rows
    calibration      logistic regression of the event on the predicted log odds (Cox 1958): intercept and slope
    expected / observed   Poisson interval of the observed count (Garwood 1936)
    drift            population stability index, sum (p - q) ln(p / q) over tenths of the earlier period
                     (Siddiqi 2006, Credit Risk Scorecards: below 0.10 little, from 0.25 on a lot)
    decision curve   net benefit, true alarms less false ones weighed by the odds of the threshold (Vickers 2006)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import chi2, rankdata

from recovery.twin.transform import Floats

Flags = NDArray[np.bool_]
Z95 = 1.959963984540054
FEWEST_PEOPLE = 20
"""A subgroup smaller than this is not shown: too uncertain, and too near to naming people (ux 5.8)."""
FEWEST_EVENTS = 10
"""Fewer events than this give no discrimination or slope [G: this project's choice; 100 are wanted for a firm
external validation, Vergouwe 2005]."""
PSI_SOME, PSI_LARGE = 0.10, 0.25
PSI_BINS = 10
FEWEST_FOR_DRIFT = 50
BOOTSTRAPS = 200
GROUPS = 10
THRESHOLDS = (0.05, 0.10, 0.15, 0.20, 0.30, 0.40)
"""Risks from which somebody might act [G: this project's choice]."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tenth:
    """Rows of similar predicted risk: how many, the mean predicted, and the share in whom it happened."""

    n: int
    events: int
    predicted: float
    observed: Estimate


@dataclass(frozen=True, slots=True)
class NetBenefit:
    """Per prediction, acting from `threshold` on: by the model, and on everyone (on nobody: 0)."""

    threshold: float
    model: float
    everyone: float
    acted_on: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Figures of one set of predictions. None where there are too few people or events."""

    people: int
    rows: int
    events: int
    brier: float | None
    auroc: Estimate | None
    slope: Estimate | None
    intercept: Estimate | None
    observed_over_expected: Estimate | None
    tenths: tuple[Tenth, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """One input or output, earlier against lately. index None: too few values in one of the periods."""

    name: str
    before: int
    lately: int
    median_before: float | None
    median_lately: float | None
    index: float | None

    @property
    def verdict(self) -> str:
        if self.index is None:
            return "too few to say"
        return "large" if self.index >= PSI_LARGE else "some" if self.index >= PSI_SOME else "little"


def share(k: float, n: float) -> Estimate | None:
    """k of n with the Wilson interval; None without any."""
    if n <= 0:
        return None
    p, z2 = k / n, Z95**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(middle - half, 0.0), min(middle + half, 1.0))


def ratio(observed: int, expected: float) -> Estimate | None:
    """Observed over expected events with the exact Poisson interval of the count."""
    if expected <= 0:
        return None
    low = float(chi2.ppf(0.025, 2 * observed)) / 2 if observed else 0.0
    high = float(chi2.ppf(0.975, 2 * (observed + 1))) / 2
    return Estimate(observed / expected, low / expected, high / expected)


def auroc(p: Floats, y: Flags) -> float:
    """Probability that someone with the event was given a higher risk than someone without; ties count half."""
    ranks = rankdata(p)
    n1 = int(y.sum())
    n0 = len(y) - n1
    return float((ranks[y].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def auroc_interval(p: Floats, y: Flags, who: ArrayLike, seed: int = 7) -> Estimate:
    """AUROC with a percentile bootstrap over whole people."""
    rows_of = _rows_by_person(who)
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(BOOTSTRAPS):
        rows = np.concatenate([rows_of[i] for i in rng.integers(0, len(rows_of), len(rows_of))])
        if y[rows].any() and not y[rows].all():
            drawn.append(auroc(p[rows], y[rows]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(auroc(p, y), float(low), float(high))


def _rows_by_person(who: ArrayLike) -> list[NDArray[np.intp]]:
    _, person = np.unique(np.asarray(who), return_inverse=True)
    order = np.argsort(person, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(person[order])) + 1)


def recalibration(p: Floats, y: Flags, who: ArrayLike) -> tuple[Estimate, Estimate] | None:
    """(slope, intercept) of y on logit p, by Newton's method, with errors that allow for several rows of one person
    (sandwich, Huber 1967); None where the regression does not converge, as with all risks equal."""
    x = np.column_stack([np.ones(len(p)), logit(np.clip(p, 1e-6, 1 - 1e-6))])
    if np.ptp(x[:, 1]) < 1e-9:
        return None
    beta = np.array([0.0, 1.0])
    for _ in range(50):
        mean = expit(x @ beta)
        information = x.T @ (x * (mean * (1 - mean))[:, None])
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, x.T @ (y - mean))
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    else:
        return None
    scores = x * (y - expit(x @ beta))[:, None]
    summed = np.array([scores[rows].sum(axis=0) for rows in _rows_by_person(who)])
    bread = np.linalg.inv(information)
    sd = np.sqrt(np.diag(bread @ (summed.T @ summed) @ bread))
    found = [Estimate(float(b), float(b - Z95 * s), float(b + Z95 * s)) for b, s in zip(beta, sd, strict=True)]
    return found[1], found[0]


def tenths(p: Floats, y: Flags) -> tuple[Tenth, ...]:
    """Observed against predicted in groups of equal size of rising risk; groups of one equal risk are one."""
    if len(p) < GROUPS * 2:
        return ()
    edges = np.unique(np.quantile(p, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    group = np.searchsorted(edges, p, side="right")
    found = []
    for number in np.unique(group):
        rows = group == number
        n, k = int(rows.sum()), int(y[rows].sum())
        seen = share(k, n)
        if seen is not None:
            found.append(Tenth(n, k, float(p[rows].mean()), seen))
    return tuple(found)


def decision_curve(p: ArrayLike, y: ArrayLike) -> tuple[NetBenefit, ...]:
    """At each of `THRESHOLDS`; nothing with fewer than `FEWEST_EVENTS` events."""
    risk, happened = np.asarray(p, float), np.asarray(y, bool)
    if happened.sum() < FEWEST_EVENTS:
        return ()
    found = []
    for threshold in THRESHOLDS:
        acted, odds = risk >= threshold, threshold / (1 - threshold)
        model = float((acted & happened).mean() - odds * (acted & ~happened).mean())
        everyone = float(happened.mean() - odds * (~happened).mean())
        found.append(NetBenefit(threshold, model, everyone, int(acted.sum())))
    return tuple(found)


def judge(p: ArrayLike, y: ArrayLike, who: ArrayLike, seed: int = 7) -> Judged | None:
    """Figures of predictions p (n,) of events y (n,) of people who (n,); None with fewer than `FEWEST_PEOPLE`."""
    risk, happened, person = np.asarray(p, float), np.asarray(y, bool), np.asarray(who)
    people, events = len(np.unique(person)), int(happened.sum())
    if people < FEWEST_PEOPLE:
        return None
    enough = events >= FEWEST_EVENTS and len(happened) - events >= FEWEST_EVENTS
    line = recalibration(risk, happened, person) if enough else None
    return Judged(
        people,
        len(risk),
        events,
        float(((risk - happened) ** 2).mean()),
        auroc_interval(risk, happened, person, seed) if enough else None,
        line[0] if line else None,
        line[1] if line else None,
        ratio(events, float(risk.sum())),
        tenths(risk, happened),
    )


def drift(name: str, before: ArrayLike, lately: ArrayLike) -> Drift:
    """The stability index of lately against before, missing values left out."""
    a, b = (np.asarray(values, float) for values in (before, lately))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    index = stability(a, b) if min(len(a), len(b)) >= FEWEST_FOR_DRIFT else None
    return Drift(name, len(a), len(b), _median(a), _median(b), index)


def stability(before: Floats, lately: Floats) -> float:
    """PSI over tenths of `before`; half a count is added to each bin so that an empty one stays finite."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, PSI_BINS + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, v, side="right"), minlength=len(edges) + 1) for v in (before, lately)]
    p, q = ((count + 0.5) / (count.sum() + 0.5 * len(count)) for count in counts)
    return float(((q - p) * np.log(q / p)).sum())


def category_drift(name: str, before: Sequence[str], lately: Sequence[str]) -> Drift:
    """The same index over named categories (operations, devices)."""
    names = sorted({*before, *lately})
    if min(len(before), len(lately)) < FEWEST_FOR_DRIFT:
        return Drift(name, len(before), len(lately), None, None, None)
    counts = [np.array([list(found).count(one) for one in names], float) for found in (before, lately)]
    p, q = ((count + 0.5) / (count.sum() + 0.5 * len(count)) for count in counts)
    return Drift(name, len(before), len(lately), None, None, float(((q - p) * np.log(q / p)).sum()))


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None


def subgroups(
    p: ArrayLike, y: ArrayLike, who: ArrayLike, groups: ArrayLike, seed: int = 7
) -> Mapping[str, Judged | None]:
    """Per group its figures, None where it is too small to show."""
    risk, happened, person, named = (np.asarray(v) for v in (p, y, who, groups))
    return {
        str(name): judge(risk[named == name], happened[named == name], person[named == name], seed)
        for name in np.unique(named)
    }
