"""Consent, asked in the query itself: which series may be used for a purpose. The one place that enforces it.

Every read of readings begins at their Series, so what is withheld here is in no twin, page, export or answer.
"""

from typing import Any

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When

from recovery.consent_rules import (
    ACTIVITY,
    ALLOWED_AT_FIRST,
    ANSWERS,
    CARE,
    IMPLANT,
    METRICS_OF,
    RECORDS,
    VITALS,
)


def _type_of_series(unread: str) -> Case:
    """The type of data of a series. `unread`: what counts for a wearable's code that no metric fits."""
    by_metric = [When(metric__in=metrics, then=Value(kind)) for kind, metrics in METRICS_OF.items()]
    return Case(
        When(tier="implant", then=Value(IMPLANT)),
        *by_metric,
        When(tier="self_report", then=Value(ANSWERS)),
        When(tier="cleared", then=Value(RECORDS)),
        default=Value(unread),
        output_field=models.CharField(),
    )


class SeriesQuerySet(models.QuerySet[Any]):
    """Series of readings, as far as their patients allow."""

    def usable_for(self, purpose: str) -> "SeriesQuerySet":
        """Those whose patient allows this purpose for this type of data (see consent_rules for what holds at first)."""
        return self._typed().filter(
            ~self._said(purpose, False) if ALLOWED_AT_FIRST[purpose] else self._all_said(purpose)
        )

    def sealed(self, purpose: str = CARE) -> "SeriesQuerySet":
        """Those that are kept, but not to be used for this purpose."""
        return self._typed().filter(
            self._said(purpose, False) if ALLOWED_AT_FIRST[purpose] else ~self._all_said(purpose)
        )

    def with_choice(self) -> "SeriesQuerySet":
        """Each with `is_chosen`: of several sources of its metric, this is the one that the patient wants believed."""
        from recovery.models.consent import SourceChoice

        mine = SourceChoice.objects.filter(patient_id=OuterRef("patient_id"), metric=OuterRef("metric"))
        return self.annotate(is_chosen=Exists(mine.filter(source=OuterRef("source"))))

    def _typed(self) -> "SeriesQuerySet":
        """A wearable's reading that no metric fits may be of either kind: it is withheld with the first of them."""
        return self.annotate(data_type=_type_of_series(ACTIVITY), data_type_too=_type_of_series(VITALS))

    def _said(self, purpose: str, allowed: bool) -> Q:
        return Q(_standing(purpose, allowed, "data_type")) | Q(_standing(purpose, allowed, "data_type_too"))

    def _all_said(self, purpose: str) -> Q:
        return Q(_standing(purpose, True, "data_type")) & Q(_standing(purpose, True, "data_type_too"))


def _standing(purpose: str, allowed: bool, column: str) -> Exists:
    from recovery.models.consent import ConsentDecision

    return Exists(
        ConsentDecision.objects.filter(
            patient_id=OuterRef("patient_id"),
            purpose=purpose,
            data_type=OuterRef(column),
            allowed=allowed,
            until__isnull=True,
        )
    )
