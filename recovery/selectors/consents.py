"""What patients have allowed: for their own page, for the team's, and for whoever reads what was concluded."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from recovery.consent_rules import ALLOWED_AT_FIRST, CARE, DATA_TYPES, METRICS_OF, NOT_SWITCHABLE, PURPOSES
from recovery.models import ConsentDecision, Document, Packet, Sample, Series
from recovery.reading_ids import decode
from recovery.selectors.fhir_criteria import CAN_BE_SEALED, is_sealed

OF_ONE_METRIC = {"milestones", "advice"}  # lists in a snapshot of which each item tells of one metric
SWITCHABLE_FOR_CARE = tuple(kind for kind in DATA_TYPES if (CARE, kind) not in NOT_SWITCHABLE)


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands for one purpose and type. `since` None and `said_by` blank: the patient has said nothing yet."""

    purpose: str
    data_type: str
    allowed: bool
    since: datetime | None
    said_by: str
    switchable: bool


@dataclass(frozen=True, slots=True)
class PastDecision:
    purpose: str
    data_type: str
    allowed: bool
    since: datetime
    until: datetime | None
    said_by: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A type of data that may not be used for care; `sealed`: whether readings of it are kept unused."""

    data_type: str
    since: datetime
    sealed: bool


def consents_of(patient_id: int) -> tuple[Decision, ...]:
    """Every purpose and type, in the order in which they are asked."""
    rows = {(row.purpose, row.data_type): row for row in _standing(patient_id)}
    return tuple(_decision(purpose, kind, rows.get((purpose, kind))) for purpose in PURPOSES for kind in DATA_TYPES)


def _decision(purpose: str, kind: str, row: ConsentDecision | None) -> Decision:
    switchable = (purpose, kind) not in NOT_SWITCHABLE
    if row is None:
        return Decision(purpose, kind, ALLOWED_AT_FIRST[purpose], None, "", switchable)
    return Decision(purpose, kind, row.allowed, row.since, row.said_by, switchable)


def _standing(patient_id: int) -> list[ConsentDecision]:
    return list(ConsentDecision.objects.filter(patient_id=patient_id, until__isnull=True))


def history_of(patient_id: int) -> tuple[PastDecision, ...]:
    """Every decision ever made, the newest first."""
    rows = ConsentDecision.objects.filter(patient_id=patient_id).order_by("-since", "-pk")
    return tuple(
        PastDecision(row.purpose, row.data_type, row.allowed, row.since, row.until, row.said_by) for row in rows
    )


def withdrawn_for_care(patient_id: int) -> tuple[Withdrawn, ...]:
    """What the team is told instead of a blank."""
    rows = ConsentDecision.objects.filter(patient_id=patient_id, purpose=CARE, allowed=False, until__isnull=True)
    held = (
        set(Series.objects.filter(patient_id=patient_id).sealed().values_list("data_type", flat=True)) if rows else ()
    )
    return tuple(Withdrawn(row.data_type, row.since, row.data_type in held) for row in rows.order_by("data_type"))


def may_use_for_care(patient_id: int, kind: str) -> bool:
    """Whether the patient lets this type of data be used for care."""
    said_no = ConsentDecision.objects.filter(patient_id=patient_id, purpose=CARE, data_type=kind, allowed=False)
    return not said_no.filter(until__isnull=True).exists()


def sealed_flags(patient: str) -> dict[str, Exists]:
    """Annotations for any query: `sealed_<type>` is true where the patient (at the path `patient`) withdrew it."""
    return {f"sealed_{kind}": _withdrew(patient, [kind]) for kind in SWITCHABLE_FOR_CARE}


def withdrew_any(patient: str) -> Exists:
    """True where any of the `sealed_flags` is."""
    return _withdrew(patient, SWITCHABLE_FOR_CARE)


def _withdrew(patient: str, kinds: Collection[str]) -> Exists:
    return Exists(
        ConsentDecision.objects.filter(
            patient_id=OuterRef(patient), purpose=CARE, data_type__in=kinds, allowed=False, until__isnull=True
        )
    )


def without_sealed(content: Mapping[str, Any], flagged: object) -> Mapping[str, Any]:
    """A snapshot's content without the metrics of withdrawn types, and without what is expected or advised of them;
    `flagged`: a row with the flags above."""
    sealed = {
        metric
        for kind in SWITCHABLE_FOR_CARE
        if getattr(flagged, f"sealed_{kind}", False)
        for metric in METRICS_OF[kind]
    }
    if not sealed:
        return content
    kept = {
        **content,
        "metrics": {key: said for key, said in (content.get("metrics") or {}).items() if key not in sealed},
    }
    for name in OF_ONE_METRIC & content.keys():
        kept[name] = [said for said in content[name] or () if said.get("metric") not in sealed]
    return kept


def said_no(purpose: str) -> Any:
    """Row ids of patients who withheld their hospital record from a purpose, as a subquery."""
    return ConsentDecision.objects.filter(
        purpose=purpose, data_type="records", allowed=False, until__isnull=True
    ).values("patient_id")


def entry_is_sealed(type_name: str, fhir_id: str, patient_id: int | None) -> bool:
    """Whether the resource says what its patient withdrew from care."""
    if type_name == "Observation":
        return observation_is_sealed(fhir_id, patient_id)
    if patient_id is None or type_name not in CAN_BE_SEALED:
        return False
    return Document.objects.filter(is_sealed(type_name), type=type_name, fhir_id=fhir_id).exists()


def sealed_among(type_name: str, named: Mapping[str, int | None]) -> frozenset[str]:
    """FHIR ids of those of `named` (id -> row of its patient) that are sealed; one query where nobody withdrew."""
    if type_name not in CAN_BE_SEALED:
        return frozenset()
    standing = ConsentDecision.objects.filter(purpose=CARE, allowed=False, until__isnull=True)
    theirs = standing.filter(patient_id__in={one for one in named.values() if one is not None})
    patients = set(theirs.values_list("patient_id", flat=True))
    return frozenset(one for one, who in named.items() if who in patients and entry_is_sealed(type_name, one, who))


def observation_is_sealed(fhir_id: str, patient_id: int | None) -> bool:
    """Whether the Observation of that id, streamed or a document, says what its patient withdrew from care."""
    if patient_id is None:
        return False
    withdrawn = ConsentDecision.objects.filter(patient_id=patient_id, purpose=CARE, allowed=False, until__isnull=True)
    if not withdrawn.exists():
        return False
    sealed = set(Series.objects.filter(patient_id=patient_id).sealed().values_list("pk", flat=True))
    derived = decode(fhir_id)
    if derived is not None:
        return derived.series_id in sealed
    named = [model.objects.filter(fhir_id=fhir_id, series_id__in=sealed) for model in (Sample, Packet)]
    return any(rows.exists() for rows in named)
