"""Search criteria as plain values, and as conditions on the index of documents.

The FHIR door makes them from its search grammar; this module knows rows. `integrations.fhir.search.matching` answers
the same criteria for what is not in the index, and a test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Substr

from recovery.consent_rules import ANSWERS, CARE
from recovery.models import CheckInResponse, ConsentDecision, Document, DocumentIndex, Sample, Series

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Index entries of quantities in the base unit of their dimension have a system that begins so.
CANONICAL = "~"
# Types of documents that say what a patient can withdraw from care.
CAN_BE_SEALED = ("Observation", "QuestionnaireResponse", "Media")
ATTEMPT = 36  # the id of a photo begins with that of the attempt it was sent with (services.check_ins.photo_id)


@dataclass(frozen=True, slots=True)
class Match:
    """One alternative of a criterion.

    token, quantity: `system` None is any system, `value` None any code. string: `how` prefix, contains (folded in
    `value`) or exact (as written in `value`). reference: `value`. uri: `how` eq, below or above. date: `how` compares
    with [low_ms, high_ms). number, quantity: with [low, high). composite: `parts`, one per component.
    """

    how: str = "eq"
    system: str | None = None
    value: str | None = None
    low_ms: int = 0
    high_ms: int = 0
    low: float = 0.0
    high: float = 0.0
    parts: tuple["Match", ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """A search parameter: any of `matches` (none of them when `negated`); `missing` asks for presence alone.

    kind composite: `components` are (param, kind) of what must hold in one part of the resource. kind any: one of
    `any_of`; kind all: each of them. kind named: it is one of `names` (Type/id). kind within: `param` points at `names`
    and at nothing else. kind chain: the reference `param` points at a match of `query`, or at one of `names` (Type/id).
    kind has: a match of `query` refers to the resource by `param`, or it is one of `names`. `resolved`: names of all
    these, where something has to be judged outside the database.
    """

    param: str
    kind: str
    matches: tuple[Match, ...] = ()
    negated: bool = False
    missing: bool | None = None
    components: tuple[tuple[str, str], ...] = ()
    any_of: tuple["Criterion", ...] = ()
    query: "DocumentQuery | None" = None
    names: frozenset[str] = frozenset()
    resolved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """Which current documents of a type are wanted: `criteria` and `updated` must all hold."""

    type: str
    criteria: tuple[Criterion, ...] = ()
    ids: Sequence[str] | None = None
    updated: tuple[tuple[Match, ...], ...] = ()


def matching(query: DocumentQuery) -> QuerySet[Document]:
    rows = Document.objects.filter(type=query.type, deleted=False)
    if query.ids is not None:
        rows = rows.filter(fhir_id__in=query.ids)
    for group in query.updated:
        rows = rows.filter(any_q(changed(match) for match in group))
    for criterion in query.criteria:
        rows = rows.filter(_holds(query.type, criterion))
    return rows.exclude(is_sealed(query.type)) if query.type in CAN_BE_SEALED else rows


def sealed_documents() -> QuerySet[Document]:
    """All documents that say what their patients withdrew from care."""
    return Document.objects.filter(any_q(Q(type=one) & is_sealed(one) for one in CAN_BE_SEALED))


def is_sealed(type_name: str) -> Q:
    """Documents of one of CAN_BE_SEALED whose patient withdrew what they say from care."""
    return _observations() if type_name == "Observation" else _answers(type_name)


def _answers(type_name: str) -> Q:
    """Every questionnaire that was answered, and the photos that came with answers here; other pictures are record."""
    standing = ConsentDecision.objects.filter(purpose=CARE, data_type=ANSWERS, allowed=False, until__isnull=True)
    patients = list(standing.values_list("patient_id", flat=True))
    if not patients or type_name == "QuestionnaireResponse":
        return Q(patient_id__in=patients)
    attempts = set(CheckInResponse.objects.filter(episode__patient_id__in=patients).values_list("document", flat=True))
    pictures = Document.objects.filter(type=type_name, patient_id__in=patients).values_list("pk", "fhir_id")
    return Q(pk__in=[pk for pk, fhir_id in pictures if fhir_id[:ATTEMPT] in attempts])


def _observations() -> Q:
    """Observations of sealed readings.

    Who has withdrawn anything is asked first, and mostly nobody has: inside a chain of questions the whole rule would
    be deeper than SQLite reads.
    """
    standing = ConsentDecision.objects.filter(purpose=CARE, allowed=False, until__isnull=True)
    patients = list(standing.values_list("patient_id", flat=True).distinct())
    if not patients:
        return Q(pk__in=[])
    theirs = Series.objects.filter(shape=Series.Shape.PROJECTED, patient_id__in=patients)
    sealed = list(theirs.sealed().values_list("pk", flat=True))
    drawn = Sample.objects.filter(series_id__in=sealed, fhir_id=OuterRef("fhir_id"))
    return Q(patient_id__in=patients) & Q(Exists(drawn))


def any_q(conditions: Any) -> Q:
    """One of them; none at all when there are none."""
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found


def all_q(conditions: Any) -> Q:
    """All of them, of which there is at least one."""
    found = Q(pk__isnull=False)
    for condition in conditions:
        found &= condition
    return found


def ids_of(type_name: str, names: Any) -> list[str]:
    """The ids among names (Type/id) of one type."""
    start = f"{type_name}/"
    return sorted(name.removeprefix(start) for name in names if name.startswith(start))


def _holds(type_name: str, criterion: Criterion) -> Q:
    if criterion.kind == "any":
        return any_q(_holds(type_name, one) for one in criterion.any_of)
    if criterion.kind == "all":
        return all_q(_holds(type_name, one) for one in criterion.any_of)
    if criterion.kind == "named":
        return Q(fhir_id__in=ids_of(type_name, criterion.names))
    if criterion.kind == "has":
        return _is_referred_to(type_name, criterion)
    if criterion.kind == "composite":
        return any_q(_together(type_name, criterion, match) for match in criterion.matches)
    entries = DocumentIndex.objects.filter(document=OuterRef("pk"), type=type_name, param=criterion.param)
    if criterion.kind == "chain":
        return Q(Exists(entries.filter(_points_at(criterion))))
    if criterion.kind == "within":
        names = sorted(criterion.names)
        return Q(Exists(entries.filter(value__in=names))) & ~Q(Exists(entries.exclude(value__in=names)))
    if criterion.missing is not None:
        there = Q(Exists(entries))
        return ~there if criterion.missing else there
    found = Q(Exists(entries.filter(any_q(entry_matches(criterion.kind, match) for match in criterion.matches))))
    return ~found if criterion.negated else found


def _points_at(criterion: Criterion) -> Q:
    found = Q(value__in=sorted(criterion.names))
    if criterion.query is not None:
        name = Concat(Value(f"{criterion.query.type}/"), "fhir_id")
        found |= Q(value__in=matching(criterion.query).annotate(name=name).values("name"))
    return found


def _is_referred_to(type_name: str, criterion: Criterion) -> Q:
    start = f"{type_name}/"
    found = Q(fhir_id__in=ids_of(type_name, criterion.names))
    if criterion.query is not None:
        entries = DocumentIndex.objects.filter(
            type=criterion.query.type,
            param=criterion.param,
            value__startswith=start,
            document__in=matching(criterion.query).values("pk"),
        )
        found |= Q(fhir_id__in=entries.annotate(name=Substr("value", len(start) + 1)).values("name"))
    return found


def _together(type_name: str, criterion: Criterion, match: Match) -> Q:
    """All components of a composite in one part of the resource."""
    (first, kind), *rest = criterion.components
    head = DocumentIndex.objects.filter(document=OuterRef("pk"), type=type_name, param=first)
    head = head.filter(entry_matches(kind, match.parts[0]))
    for (param, other), part in zip(rest, match.parts[1:], strict=True):
        beside = DocumentIndex.objects.filter(
            document=OuterRef("document"), type=type_name, param=param, part=OuterRef("part")
        )
        head = head.filter(Exists(beside.filter(entry_matches(other, part))))
    return Q(Exists(head))


def entry_matches(kind: str, match: Match) -> Q:
    """Whether one index entry satisfies one alternative."""
    if kind == "date":
        return date_matches(match)
    if kind == "string":
        return _string_matches(match)
    if kind == "uri" and match.how != "eq":
        value = match.value or ""
        return Q(value__startswith=value) if match.how == "below" else Q(value__in=above(value))
    q = Q(pk__isnull=False)  # any entry; an empty Q would vanish from an "or"
    if match.system is not None:
        q &= Q(system=match.system)
    if match.value is not None:
        q &= Q(value=match.value)
    if kind not in ("number", "quantity"):
        return q
    if match.system is None:
        q &= ~Q(system__startswith=CANONICAL)
    return q & number_matches(match)


def above(url: str) -> list[str]:
    """The URLs that lie above one, itself included: what is left when steps are taken off its end."""
    steps = url.split("/")
    return ["/".join(steps[:count]) for count in range(1, len(steps) + 1)]


def _string_matches(match: Match) -> Q:
    value = match.value or ""
    if match.how == "exact":
        return Q(system=value)
    if match.how == "contains":
        return Q(value__contains=value)
    return Q(value__startswith=value)


def date_matches(match: Match) -> Q:
    """FHIR R4 search prefixes between [low_ms, high_ms) and the entry's range; an open end reaches for ever."""
    starts_in, ends_in = Q(low_ms__gte=match.low_ms), Q(high_ms__lte=match.high_ms)
    ends_after = Q(high_ms__gt=match.high_ms) | Q(high_ms__isnull=True)
    starts_before = Q(low_ms__lt=match.low_ms) | Q(low_ms__isnull=True)
    tests = {
        "eq": starts_in & ends_in,
        "ne": starts_before | ends_after,  # spelled out: NOT (x <= NULL) is not true in SQL
        "gt": ends_after,
        "lt": starts_before,
        "ge": starts_in | ends_after,
        "le": ends_in | starts_before,
        "sa": Q(low_ms__gte=match.high_ms),
        "eb": Q(high_ms__lte=match.low_ms),
        "overlap": (Q(low_ms__lt=match.high_ms) | Q(low_ms__isnull=True))
        & (Q(high_ms__gt=match.low_ms) | Q(high_ms__isnull=True)),
    }
    return tests[match.how]


def number_matches(match: Match, low: str = "number", high: str = "number_high") -> Q:
    """FHIR R4 number prefixes: eq and ne take the precision of what was asked for, the others its exact value."""
    inside = Q(**{f"{low}__gte": match.low, f"{high}__lt": match.high})
    tests = {
        "eq": inside,
        "ne": Q(**{f"{low}__lt": match.low}) | Q(**{f"{high}__gte": match.high}),
        "gt": Q(**{f"{high}__gt": match.low}),
        "lt": Q(**{f"{low}__lt": match.low}),
        "ge": Q(**{f"{high}__gte": match.low}),
        "le": Q(**{f"{low}__lte": match.low}),
        "sa": Q(**{f"{low}__gt": match.low}),
        "eb": Q(**{f"{high}__lt": match.low}),
        "overlap": Q(**{f"{high}__gte": match.low, f"{low}__lte": match.high}),
    }
    return tests[match.how]


def changed(match: Match, field: str = "updated_at") -> Q:
    """A comparison with the time of the last change, which is an instant."""
    low, high = moment(match.low_ms), moment(match.high_ms)
    inside = Q(**{f"{field}__gte": low, f"{field}__lt": high})
    tests = {
        "eq": inside,
        "overlap": inside,
        "ne": ~inside,
        "gt": Q(**{f"{field}__gte": high}),
        "sa": Q(**{f"{field}__gte": high}),
        "lt": Q(**{f"{field}__lt": low}),
        "eb": Q(**{f"{field}__lt": low}),
        "ge": Q(**{f"{field}__gte": low}),
        "le": Q(**{f"{field}__lt": high}),
    }
    return tests[match.how]


def moment(ms: int) -> datetime:
    """Times beyond the calendar (the end of the year 9999) are its ends."""
    try:
        return EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC) if ms < 0 else datetime(9999, 12, 31, tzinfo=UTC)


def moment_of(number: float | str | None) -> datetime:
    """The inverse of `micros`; beyond the calendar its ends."""
    try:
        return EPOCH + int(number or 0) * MICROSECOND
    except OverflowError:
        return moment(int(number or 0) // 1000)


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
