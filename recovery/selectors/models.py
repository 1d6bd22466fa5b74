"""The models pages: what is served, what waits, what runs, what was changed, and how it does here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.card_rules import CardField, card_fields
from recovery.exceptions import NotFound
from recovery.models import ModelChange, ModelReport, ModelVersion, Team, TrainingRun, User
from recovery.selectors.model_card import ModelCard, model_card
from recovery.twin.hypotheses_store import shipped_for

KINDS = ("hazard", "population", "hypotheses")
NO_CAUSES = "none were learned under the expected course in service, so no cause is weighed by name"
HISTORY = 50
RUNS = 10


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `pk` None: the model shipped with the product."""

    pk: int | None
    kind: str
    version: str
    status: str
    trained_on: str
    created_at: datetime | None
    evaluation: Mapping[str, Any]
    training: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    pk: int
    kind: str
    action: str
    status: str
    version: str
    version_pk: int | None
    replaced: str
    asked_name: str
    asked_at: datetime
    reason: str
    answered_name: str
    answered_at: datetime | None
    answer_reason: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Run:
    pk: int
    kind: str
    status: str
    progress: int
    words: str
    since: datetime
    until: datetime
    cut_at: datetime | None
    held_out: str
    under: str
    seed: int
    asked_name: str
    created_at: datetime
    changed_at: datetime
    version: str
    version_pk: int | None
    is_open: bool
    cancel_asked: bool


@dataclass(frozen=True, slots=True)
class Report:
    made_at: datetime
    since: datetime
    until: datetime
    model_version: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """What is in service of one kind, and what one step back would serve (None: there is no step back)."""

    kind: str
    version: Version
    back_to: str | None
    since: Change | None  # what put it into service; None: shipped with the product and never changed


@dataclass(frozen=True, slots=True)
class ModelsPage:
    served: tuple[Served, ...]
    waiting: tuple[Change, ...]
    versions: tuple[Version, ...]
    runs: tuple[Run, ...]
    history: tuple[Change, ...]
    report: Report | None
    sites: tuple[tuple[int, str], ...]
    courses: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class VersionPage:
    version: Version
    served: Version
    shadow: Mapping[str, Any] | None
    history: tuple[Change, ...]
    waits: bool
    report: Report | None
    card: tuple[CardField, ...]
    has_causes: bool


def models_page(user: User) -> ModelsPage:
    card = model_card()
    changes = [_change(row, user) for row in _changes()[:HISTORY]]
    runs = _runs().order_by("-created_at", "-pk")[:RUNS]
    return ModelsPage(
        served=tuple(Served(kind, served_version(kind, card), _back_to(kind), _since(changes, kind)) for kind in KINDS),
        waiting=tuple(one for one in changes if one.status == "open"),
        versions=tuple(_version(row) for row in _versions().order_by("-created_at", "-pk")),
        runs=tuple(_run(row) for row in runs),
        history=tuple(one for one in changes if one.status != "open"),
        report=latest_report(),
        sites=tuple(Team.objects.order_by("name").values_list("pk", "name")),
        courses=tuple(_versions().filter(kind="population").order_by("-pk").values_list("pk", "version")),
    )


def version_page(user: User, pk: int) -> VersionPage:
    """Raises NotFound."""
    row = _versions(parameters=True).filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such model version.")
    report = latest_report()
    shadows = report.content.get("shadows", {}) if report else {}
    changes = [_change(one, user) for one in _changes().filter(version_id=pk)]
    training = _training(row)
    return VersionPage(
        version=_version(row, training),
        served=served_version(row.kind, model_card()),
        shadow=shadows.get(row.version),
        history=tuple(changes),
        waits=any(one.status == "open" for one in changes),
        report=report,
        card=card_fields(row.kind, trained_on=row.trained_on, training=training, evaluation=row.evaluation or {}),
        has_causes=row.kind != "population" or _has_causes(row.version),
    )


def _has_causes(course: str) -> bool:
    """Were named causes learned under these expected courses, here or before they were shipped?"""
    own = ModelVersion.objects.filter(kind="hypotheses", parameters__twin_version=course).exists()
    return own or shipped_for(course) is not None


def training_page(pk: int) -> Run:
    row = _runs().filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such training.")
    return _run(row)


def latest_report() -> Report | None:
    row = ModelReport.objects.order_by("-made_at", "-pk").first()
    return Report(row.made_at, row.since, row.until, row.model_version, row.content) if row else None


def served_version(kind: str, card: ModelCard) -> Version:
    """The version in service of this kind; the shipped one without a row of its own."""
    row = _versions(parameters=True).filter(kind=kind, status="active").first()
    if row is not None and (kind != "hypotheses" or (card.hypotheses and card.hypotheses.version == row.version)):
        return _version(row, _training(row))
    if kind == "hazard":
        shipped = card.hazard
        return Version(
            None, kind, shipped.version, "shipped", shipped.evidence, None, _shipped(shipped.training), shipped.training
        )
    if kind == "hypotheses":
        return _shipped_causes(card)
    return Version(
        None, kind, card.population.version, "shipped", "published numbers; fitted to no patient", None, {}, {}
    )


def _shipped_causes(card: ModelCard) -> Version:
    """Those shipped for the expected courses in service; "silent" where none were learned under these."""
    causes = card.hypotheses
    if causes is None:
        return Version(None, "hypotheses", "none", "silent", NO_CAUSES, None, {}, {})
    said = causes.training
    return Version(None, "hypotheses", causes.version, "shipped", causes.evidence, None, _shipped(said), said)


def _shipped(training: Mapping[str, Any]) -> Mapping[str, Any]:
    checked = training.get("cross_validation")
    return {"out_of_fold": checked} if checked else {}


def _training(row: ModelVersion) -> Mapping[str, Any]:
    """What the numbers themselves say about the data they were fitted to."""
    plain = row.parameters if isinstance(row.parameters, dict) else {}
    return plain.get("training") or plain.get("trained_on") or {}


def _versions(*, parameters: bool = False) -> Any:
    rows = ModelVersion.objects.all()
    return rows if parameters else rows.defer("parameters")


def _version(row: ModelVersion, training: Mapping[str, Any] | None = None) -> Version:
    return Version(
        row.pk, row.kind, row.version, row.status, row.trained_on, row.created_at, row.evaluation or {}, training or {}
    )


def _back_to(kind: str) -> str | None:
    active = ModelVersion.objects.filter(kind=kind, status="active").values_list("pk", flat=True).first()
    if active is None:
        return None
    done = ModelChange.objects.filter(version_id=active, action="promote", status="done")
    before = done.select_related("replaced").defer("replaced__parameters").order_by("-answered_at", "-pk").first()
    return before.replaced.version if before and before.replaced else _shipped_words(kind)


def _shipped_words(kind: str) -> str:
    if kind == "hypotheses":
        return "those shipped for the expected course in service, if any"
    return "the model shipped with the product"


def _since(changes: Iterable[Change], kind: str) -> Change | None:
    """The newest change of what is served, among those shown."""
    served = (one for one in changes if one.kind == kind and one.status == "done")
    return next((one for one in served if one.action in ("promote", "rollback", "follow")), None)


def _changes() -> Any:
    rows = ModelChange.objects.select_related("version", "replaced")
    return rows.defer("version__parameters", "replaced__parameters").order_by("-asked_at", "-pk")


def _change(row: ModelChange, user: User) -> Change:
    return Change(
        pk=row.pk,
        kind=row.kind,
        action=row.action,
        status=row.status,
        version=row.version.version if row.version else _shipped_words(row.kind),
        version_pk=row.version_id,
        replaced=row.replaced.version if row.replaced else _shipped_words(row.kind),
        asked_name=row.asked_name,
        asked_at=row.asked_at,
        reason=row.reason,
        answered_name=row.answered_name,
        answered_at=row.answered_at,
        answer_reason=row.answer_reason,
        is_mine=row.asked_by_id == user.pk,
    )


def _run(row: TrainingRun) -> Run:
    return Run(
        pk=row.pk,
        kind=row.kind,
        status=row.status,
        progress=row.progress,
        words=row.words,
        since=row.since,
        until=row.until,
        cut_at=row.cut_at,
        held_out=row.held_out.name if row.held_out else "",
        under=row.under.version if row.under else "",
        seed=row.seed,
        asked_name=row.asked_name,
        created_at=row.created_at,
        changed_at=row.changed_at,
        version=row.version.version if row.version else "",
        version_pk=row.version_id,
        is_open=row.status in ("queued", "running"),
        cancel_asked=row.cancel_asked,
    )


def _runs() -> Any:
    rows = TrainingRun.objects.select_related("held_out", "version", "under")
    unread = ("parameters", "evaluation")
    return rows.defer("state", *(f"{one}__{name}" for one in ("version", "under") for name in unread))
