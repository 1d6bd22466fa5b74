"""The models pages in words: what is served, what waits, how a version compares, and how it does on this unit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from recovery.card_rules import CARDS, CardField, missing
from recovery.presenters import wording
from recovery.presenters.model_report import (
    GroupLine,
    Plot,
    ReportView,
    judged_figures,
    plot,
    report_view,
    trained_groups,
)
from recovery.selectors.models import Change, ModelsPage, Report, Run, Served, Version, VersionPage
from recovery.twin.incidence import LABELS, NAMED

KINDS = {"hazard": "Risk model", "population": "Expected course", "hypotheses": "Named causes"}
STATUS = {
    "draft": ("no_data", "Not in use"),
    "shadow": ("watch", "In shadow"),
    "active": ("on_track", "In service"),
    "retired": ("no_data", "Retired"),
    "shipped": ("on_track", "In service, as shipped"),
    "silent": ("watch", "Silent"),
}
RUN_STATUS = {
    "queued": ("watch", "Waiting"),
    "running": ("watch", "Running"),
    "done": ("on_track", "Done"),
    "refused": ("review", "Too little data"),
    "failed": ("act", "Failed"),
    "cancelled": ("no_data", "Cancelled"),
}
ACTIONS = {
    "promote": "into service",
    "rollback": "back into service",
    "shadow": "into shadow",
    "unshadow": "out of shadow",
    "follow": "back into service with its expected course",
}
# What may be changed, by which steps, and what follows: the three parts of a predetermined change control plan
# (US FDA, final guidance of December 2024, reissued 18 August 2025).
PLAN = (
    (
        "Learn again from this unit's own operations: same inputs, same outcome, same method",
        "Training by a steward; judged on people it had not seen; card complete; in shadow beside the served version;"
        " proposed by one person, approved by another",
        "Every risk or course may move. Twins are computed anew within minutes; former versions stay, with one step"
        " back.",
    ),
    (
        "Go back to what was served before",
        "One person, with a reason, at once",
        "As before that change; kept with who, when and why.",
    ),
    (
        "Run a version in shadow",
        "One person, with a reason",
        "Nothing for care: no clinician, patient or other system sees what it says.",
    ),
    (
        "Other inputs, another outcome, another method, other people than the card names",
        "Not allowed here: a new release of the product, with its own validation",
        "Cannot be done on this page.",
    ),
)
FEWEST_OF_A_CAUSE = 20
"""Patients with a complication below which its signature is mostly the shrinkage [G: this project's choice]."""
ANSWERS = {"done": "approved", "refused": "refused", "withdrawn": "withdrawn", "open": "waiting"}


@dataclass(frozen=True, slots=True)
class ChangeLine:
    pk: int
    kind: str
    what: str
    when: str
    who: str
    reason: str
    answer: str
    is_mine: bool
    version_pk: int | None


@dataclass(frozen=True, slots=True)
class VersionLine:
    pk: int | None
    kind: str
    version: str
    status: str
    status_word: str
    trained_on: str
    made: str
    judged: str


@dataclass(frozen=True, slots=True)
class ServedLine:
    kind: str
    label: str
    version: VersionLine
    back_to: str | None
    pathway: str
    put_there: str
    checked: str


@dataclass(frozen=True, slots=True)
class RunLine:
    pk: int
    label: str
    status: str
    status_word: str
    progress: int
    words: str
    window: str
    asked: str
    changed: str
    version: str
    version_pk: int | None
    is_open: bool
    cancel_asked: bool


@dataclass(frozen=True, slots=True)
class ModelsView:
    served: tuple[ServedLine, ...]
    waiting: tuple[ChangeLine, ...]
    versions: tuple[VersionLine, ...]
    runs: tuple[RunLine, ...]
    history: tuple[ChangeLine, ...]
    report: ReportView | None
    sites: tuple[tuple[int, str], ...]
    courses: tuple[tuple[int, str], ...]
    is_moving: bool


@dataclass(frozen=True, slots=True)
class CompareLine:
    name: str
    this: str
    other: str


@dataclass(frozen=True, slots=True)
class VersionView:
    line: VersionLine
    label: str
    served: VersionLine
    compare: tuple[CompareLine, ...]
    shadow: tuple[CompareLine, ...]
    shadow_note: str
    plot: Plot | None
    groups: tuple[GroupLine, ...]
    measures: tuple[tuple[str, ...], ...]
    history: tuple[ChangeLine, ...]
    warnings: tuple[str, ...]
    can_propose: bool
    can_shadow: bool
    is_shadow: bool
    card: tuple[CardField, ...]
    missing: tuple[str, ...]


def models_view(page: ModelsPage, zone: ZoneInfo) -> ModelsView:
    return ModelsView(
        served=tuple(_served(one, page.report, zone) for one in page.served),
        waiting=tuple(change_line(one, zone) for one in page.waiting),
        versions=tuple(version_line(one, zone) for one in page.versions),
        runs=tuple(run_line(one, zone) for one in page.runs),
        history=tuple(change_line(one, zone) for one in page.history),
        report=report_view(page.report, zone),
        sites=page.sites,
        courses=page.courses,
        is_moving=any(one.is_open for one in page.runs),
    )


def _served(one: Served, report: Report | None, zone: ZoneInfo) -> ServedLine:
    is_about_it = report is not None and report.content.get(one.kind) == one.version.version
    return ServedLine(
        one.kind,
        KINDS[one.kind],
        version_line(one.version, zone),
        one.back_to,
        CARDS[one.kind].pathway,
        _put_there(one, zone),
        f"last checked {wording.dated(report.made_at, zone)}" if report and is_about_it else "not yet checked here",
    )


def _put_there(one: Served, zone: ZoneInfo) -> str:
    since = one.since
    if since is None:
        shipped = "" if one.version.status == "silent" else "shipped with the product; "
        return f"{shipped}nobody here has changed it"
    at = wording.dated(since.answered_at or since.asked_at, zone)
    if one.version.status == "silent":
        return f"none serve since {at}"
    if since.action == "follow":
        return f"in service with its expected courses, changed by {since.asked_name}, {at}"
    if since.action == "rollback":
        return f"back in service by {since.asked_name}, {at}"
    return f"proposed by {since.asked_name}, approved by {since.answered_name}, {at}"


def version_view(page: VersionPage, zone: ZoneInfo) -> VersionView:
    version, said = page.version, _best(page.version)
    return VersionView(
        line=version_line(version, zone),
        label=KINDS[version.kind],
        served=version_line(page.served, zone),
        compare=tuple(_compare(said, _best(page.served))),
        shadow=tuple(_compare(_all(page.shadow, "shadow"), _all(page.shadow, "served"))),
        shadow_note=_shadow_note(version, page.shadow),
        plot=plot((said.get("all") or {}).get("tenths") or ()),
        groups=tuple(trained_groups(said)),
        measures=tuple(_measures(version)),
        history=tuple(change_line(one, zone) for one in page.history),
        warnings=tuple(_warnings(page)),
        can_propose=version.status != "active" and not page.waits and not missing(page.card),
        can_shadow=version.status in ("draft", "retired"),
        is_shadow=version.status == "shadow",
        card=page.card,
        missing=missing(page.card),
    )


def version_line(one: Version, zone: ZoneInfo) -> VersionLine:
    status, word = STATUS[one.status]
    return VersionLine(
        one.pk,
        KINDS[one.kind],
        one.version,
        status,
        word,
        one.trained_on,
        wording.dated(one.created_at, zone) if one.created_at else "with the product",
        _judged_words(one),
    )


def _judged_words(one: Version) -> str:
    if not one.evaluation:
        return "never judged on unseen patients"
    names = {"out_of_fold": "on unseen patients", "held_out": "on operations held back"}
    return "judged " + " and ".join(names[key] for key in names if one.evaluation.get(key))


def change_line(one: Change, zone: ZoneInfo) -> ChangeLine:
    answer = ANSWERS[one.status]
    if one.answered_name and one.action == "promote":
        answer = f"{answer} by {one.answered_name}: {one.answer_reason}"
    return ChangeLine(
        one.pk,
        KINDS[one.kind],
        _what_changed(one),
        wording.dated(one.answered_at or one.asked_at, zone),
        one.asked_name,
        one.reason,
        answer if one.action == "promote" else "done",
        one.is_mine,
        one.version_pk,
    )


def _what_changed(one: Change) -> str:
    if one.action == "follow" and one.version_pk is None:
        return f"{one.replaced} out of service with its expected course"
    if one.action in ("shadow", "unshadow", "follow"):
        return f"{one.version} {ACTIONS[one.action]}"
    return f"{one.version} {ACTIONS[one.action]}, for {one.replaced}"


def back_words(served: Version) -> str:
    """What serves after going back."""
    if served.status == "silent":
        return "No causes serve now"
    return f"Back to {served.version if served.pk else f'the model shipped with the product, {served.version}'}"


def run_line(one: Run, zone: ZoneInfo) -> RunLine:
    status, word = RUN_STATUS[one.status]
    window = f"operations from {one.since:%d %b %Y} to {one.until:%d %b %Y}"
    if one.cut_at:
        window += f", held back from {one.cut_at:%d %b %Y}"
    if one.held_out:
        window += f", {one.held_out} held back"
    if one.under:
        window += f", under the expected course {one.under}"
    return RunLine(
        one.pk,
        KINDS[one.kind],
        status,
        "Stopping" if one.is_open and one.cancel_asked else word,
        one.progress,
        one.words,
        window,
        f"asked by {one.asked_name} {wording.dated(one.created_at, zone)}",
        wording.dated(one.changed_at, zone),
        one.version,
        one.version_pk,
        one.is_open,
        one.cancel_asked,
    )


def _best(version: Version) -> Mapping[str, Any]:
    return version.evaluation.get("out_of_fold") or version.evaluation.get("held_out") or {}


def _all(shadow: Mapping[str, Any] | None, side: str) -> Mapping[str, Any]:
    return {"all": shadow.get(side)} if shadow else {}


def _compare(this: Mapping[str, Any], other: Mapping[str, Any]) -> Iterable[CompareLine]:
    mine, theirs = (list(judged_figures(said.get("all"))) for said in (this, other))
    beside = {one.name: one.value for one in theirs}
    for one in mine:
        yield CompareLine(one.name, one.value, beside.get(one.name, "not measured the same way"))
    for day, said in (this.get("days") or {}).items():
        yield CompareLine(f"AUROC, day {day}", _of_day(said), _of_day((other.get("days") or {}).get(day)))


def _of_day(said: Mapping[str, Any] | None) -> str:
    if not said or "auroc" not in said:
        return "not measured"
    low, high = said["auroc_90"]
    return f"{said['auroc']:.2f} ({low:.2f} to {high:.2f}, 90 %), {said['events']} events in {said['n']}"


def _shadow_note(version: Version, shadow: Mapping[str, Any] | None) -> str:
    if version.status != "shadow" and not shadow:
        return ""
    if not shadow or not shadow.get("paired"):
        return "In shadow, nothing to compare yet: figures come with the nightly report."
    middle, most = (f"{shadow[key] * 100:.1f}" for key in ("median_gap", "largest_gap"))
    gap = f"risks differ by {middle} points at the median, {most} at most"
    return f"Spoke beside the served model at {shadow['paired']} of the looks that are judged; {gap}."


def _warnings(page: VersionPage) -> Iterable[str]:
    version = page.version
    if version.training.get("synthetic"):
        yield "Fitted to synthetic patients: its figures are no evidence about people."
    if not version.evaluation:
        yield "Never judged on unseen patients, so it cannot be put into service."
    empty = missing(page.card)
    if empty and version.status != "active":
        yield f"Its card is not complete, so it cannot be proposed. Empty: {', '.join(empty)}."
    twin = version.training.get("twin_version")
    population = page.report.content.get("population") if page.report else None
    if version.kind == "hazard" and twin and population and twin != population:
        yield f"Fitted on twins of {twin}, but {population} is in service: its inputs differ from what it learned from."
    if not page.has_causes:
        yield (
            "No causes have been learned under this expected course: while it serves, no complication is named, and"
            " deterioration and the risk alarm instead. Train named causes under it first, and put both into service."
        )
    yield from _warnings_of_causes(version)


def _warnings_of_causes(version: Version) -> Iterable[str]:
    if version.kind != "hypotheses":
        return
    if "twin_version" in version.training:
        yield f"Serves only beside the expected course {version.training['twin_version']}, under which it was learned."
    seen = version.training.get("causes") or {}
    named = version.training.get("named") or ()
    never = [LABELS[name] for name in NAMED if name not in named]
    if named and never:
        yield f"Not learned for want of patients, so never named: {', '.join(never)}."
    few = [f"{LABELS[name]} ({seen[name]} patients)" for name in NAMED if 0 < seen.get(name, 0) < FEWEST_OF_A_CAUSE]
    if few:
        yield f"Learned from few: {', '.join(few)}."


def _measures(version: Version) -> Iterable[tuple[str, ...]]:
    found = (version.evaluation.get("held_out") or {}).get("measures") or {}
    for key, one in sorted(found.items()):
        skill = one.get("skill_over_published")
        better = "" if skill is None else f"{skill:+.0%}"
        yield (
            key.replace("_", " "),
            str(one["readings"]),
            f"{one['coverage90']:.0%}",
            f"{one['coverage50']:.0%}",
            better,
        )
