"""Does the alerting help? Counts over a window, set-wise in the database, for the teams that a person answers for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DurationField, Exists, ExpressionWrapper, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from recovery.models import Alert, AlertTransition, Delivery, Episode, Finding, Pathway, RosterShift, Team, User
from recovery.permissions import current_team_ids
from recovery.selectors.pathways import NO_PATHWAY, pathway_seen

SHIFT = timedelta(hours=8)
ROSTER_COUNTS_FROM = 0.5  # a roster that covers less of the window says little about who worked [G]
FEWEST_JUDGED = 20  # below it a share says too little to act on (ux.md 5.8: hidden under 20)
USELESS_BELOW = 0.10  # ux.md section 3: a rule under 10 % useful for 30 days is flagged
USELESS_FOR = timedelta(days=30)
LEAD_WITHIN = timedelta(days=7)  # a diagnosis later than this is not what the alert was about [G]
OVERRIDDEN = ("false_alarm", "expected_course", "device_problem")
MOST_OVERRIDDEN = 10
DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Middle:
    """A median over `n`; None where n is 0."""

    median: timedelta | None
    n: int


@dataclass(frozen=True, slots=True)
class Share:
    hits: int
    of: int


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One cause in the window. `true`: of those with an outcome, true problems; `useful`: of those who gave an answer.

    `recent`: useful of the last 30 days, whatever the window.
    """

    cause: str
    headline: str
    raised: int
    true: Share
    useful: Share
    overridden: int
    recent: Share


@dataclass(frozen=True, slots=True)
class Sent:
    channel: str
    sent: int
    waiting: int
    given_up: int
    cause: str


@dataclass(frozen=True, slots=True)
class Service:
    """Everything of the service page. `budget`: alerts a patient-week that the pathways allow, by their patients."""

    since: datetime
    until: datetime
    followed: int
    activated: int
    responding: int
    raised: dict[str, int]
    patient_days: float
    nurse_shifts: float
    shifts_are_rostered: bool
    acknowledged: Middle
    acknowledged_high: Middle
    acted_on_high: Share
    lead: Middle
    snoozed_long: int
    escalated: int
    rules: tuple[RuleFigures, ...]
    sent: tuple[Sent, ...]
    budget: float | None


def service(teams: QuerySet[Team], now: datetime, days: int) -> Service:
    """Figures of the last `days` days. About twenty queries, however many alerts."""
    since = now - timedelta(days=days)
    episodes = Episode.objects.filter(team__in=teams, patient__deleted_at__isnull=True)
    alerts = Alert.objects.filter(episode__in=episodes, raised_at__gte=since, raised_at__lte=now)
    high = alerts.filter(severity="high")
    followed = episodes.filter(status__in=[Episode.Status.PLANNED, Episode.Status.ACTIVE])
    rostered, whole = _rostered(teams, since, now), teams.count() * (now - since)
    is_kept = rostered >= ROSTER_COUNTS_FROM * whole and bool(rostered)
    return Service(
        since=since,
        until=now,
        followed=followed.count(),
        activated=followed.filter(twin__data_until__isnull=False).count(),
        responding=followed.filter(twin__data_until__gte=now - timedelta(hours=24)).count(),
        raised=dict(alerts.order_by().values_list("severity").annotate(n=Count("id"))),
        patient_days=_patient_days(episodes, since, now),
        nurse_shifts=(rostered if is_kept else whole) / SHIFT,
        shifts_are_rostered=is_kept,
        acknowledged=_middle(alerts.filter(acknowledged_at__isnull=False), F("acknowledged_at")),
        acknowledged_high=_middle(high.filter(acknowledged_at__isnull=False), F("acknowledged_at")),
        acted_on_high=Share(high.filter(Q(acknowledged_at__isnull=False) | ~Q(outcome="")).count(), high.count()),
        lead=_lead(alerts),
        snoozed_long=_snoozed_long(episodes, now),
        escalated=alerts.filter(escalations__status="told").distinct().count(),
        rules=_rules(episodes, alerts, now),
        sent=_sent(episodes, since, now),
        budget=_budget(followed),
    )


def teams_answered_for(user: User, now: datetime) -> QuerySet[Team]:
    """Care staff: their own teams. Administrators: all, in numbers only."""
    if user.role == User.Role.ADMINISTRATOR:
        return Team.objects.all()
    return Team.objects.filter(pk__in=current_team_ids(user, now))


def _middle(alerts: QuerySet[Alert], end: Any) -> Middle:
    """Median of the time from raising to `end`, by order in the database."""
    took = alerts.annotate(took=ExpressionWrapper(end - F("raised_at"), output_field=DurationField()))
    n = took.count()
    if not n:
        return Middle(None, 0)
    middle = list(took.order_by("took").values_list("took", flat=True)[(n - 1) // 2 : n // 2 + 1])
    return Middle((middle[0] + middle[-1]) / 2, n)


def _lead(alerts: QuerySet[Alert]) -> Middle:
    """From the alert to the first complication that was diagnosed after it, where it was judged a true problem."""
    known = Finding.objects.filter(
        kind=Finding.Kind.COMPLICATION,
        patient=OuterRef("episode__patient"),
        recorded_at__gt=OuterRef("raised_at"),
        recorded_at__lt=OuterRef("raised_at") + LEAD_WITHIN,
    ).order_by("recorded_at")
    right = alerts.filter(outcome="true_problem").annotate(known=Subquery(known.values("recorded_at")[:1]))
    return _middle(right.filter(known__isnull=False), F("known"))


def _snoozed_long(episodes: QuerySet[Episode], now: datetime) -> int:
    """Alerts that are snoozed and were first put off more than a day ago."""
    first = AlertTransition.objects.filter(alert=OuterRef("pk"), to_status="snoozed", at__lt=now - timedelta(hours=24))
    return Alert.objects.filter(Exists(first), episode__in=episodes, status=Alert.Status.SNOOZED).count()


def _patient_days(episodes: QuerySet[Episode], since: datetime, now: datetime) -> float:
    """Days between surgery and the end of the pathway that lie in the window."""
    rows = episodes.filter(surgery_end__isnull=False, surgery_end__lte=now).exclude(status="cancelled")
    total = timedelta()
    for end, days in rows.values_list("surgery_end", "pathway__days").iterator():
        if end is not None:
            total += max(min(now, end + timedelta(days=days or 30)) - max(since, end), timedelta())
    return total / timedelta(days=1)


def _rostered(teams: QuerySet[Team], since: datetime, now: datetime) -> timedelta:
    turns = RosterShift.objects.filter(team__in=teams, level="on_call_first", until__gt=since, start__lt=now)
    spans = (min(until, now) - max(start, since) for start, until in turns.values_list("start", "until"))
    return sum(spans, timedelta())


def _rules(episodes: QuerySet[Episode], alerts: QuerySet[Alert], now: datetime) -> tuple[RuleFigures, ...]:
    """By cause, the most frequent first."""
    month = Alert.objects.filter(episode__in=episodes, resolved_at__gte=now - USELESS_FOR)
    recent = {row["cause"]: Share(row["yes"], row["answers"]) for row in _judged(month)}
    return tuple(
        RuleFigures(
            cause=row["cause"],
            headline=row["words"],
            raised=row["raised"],
            true=Share(row["true"], row["judged"]),
            useful=Share(row["yes"], row["answers"]),
            overridden=row["overridden"],
            recent=recent.get(row["cause"], Share(0, 0)),
        )
        for row in _judged(alerts)
    )


def _judged(alerts: QuerySet[Alert]) -> list[Any]:
    return list(
        alerts.order_by()
        .values("cause")
        .annotate(
            words=Max("headline"),
            raised=Count("id"),
            judged=Count("id", filter=~Q(outcome="")),
            true=Count("id", filter=Q(outcome="true_problem")),
            yes=Count("id", filter=Q(useful=True)),
            answers=Count("id", filter=Q(useful__isnull=False)),
            overridden=Count("id", filter=Q(outcome__in=OVERRIDDEN) | Q(useful=False)),
        )
        .order_by("-raised", "cause")
    )


def _sent(episodes: QuerySet[Episode], since: datetime, now: datetime) -> tuple[Sent, ...]:
    rows = Delivery.objects.filter(alert__episode__in=episodes, at__gte=since, at__lte=now)
    found = (
        rows.order_by()
        .values("channel")
        .annotate(
            sent=Count("id", filter=Q(status="sent")),
            waiting=Count("id", filter=Q(status="waiting")),
            dead=Count("id", filter=Q(status="dead")),
            why=Coalesce(Max("cause", filter=Q(status="dead")), Max("cause", filter=Q(status="waiting"))),
        )
        .order_by("channel")
    )
    return tuple(Sent(row["channel"], row["sent"], row["waiting"], row["dead"], row["why"] or "") for row in found)


def _budget(followed: QuerySet[Episode]) -> float | None:
    """The budgets of the pathways in use, weighted by their patients."""
    counts = dict(followed.order_by().values_list("pathway").annotate(n=Count("id")))
    if not counts:
        return None
    plans = {one.pk: pathway_seen(one).plan for one in Pathway.objects.filter(pk__in=[pk for pk in counts if pk])}
    total = sum(plans.get(pk, NO_PATHWAY.plan).budget * n for pk, n in counts.items())
    return total / sum(counts.values())
