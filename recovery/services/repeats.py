"""Readings that came again: held once, and counted each time, so that a source that sends twice is seen."""

from django.db.models import Count

from recovery.models import AlsoSaid, Batch, Repeated, Sample
from recovery.services.changes import Changes

IDS_A_QUERY = 400


def count(changes: Changes, batch: Batch) -> None:
    """Write down how many readings of each series this delivery brought in vain. A row each delivery, never added to
    one that others hold: deliveries do not wait for each other here."""
    for start in range(0, len(changes.resaid), IDS_A_QUERY):
        _add_documents(changes, changes.resaid[start : start + IDS_A_QUERY])
    Repeated.objects.bulk_create(
        Repeated(series_id=series, batch=batch, readings=readings)
        for series, readings in sorted(changes.repeated.items())
    )


def _add_documents(changes: Changes, ids: list[str]) -> None:
    """The samples of Observations that were sent again word for word."""
    mine = Sample.objects.filter(fhir_id__in=ids, series__shape="projected", ended_batch__isnull=True)
    for rows in (mine, AlsoSaid.objects.filter(fhir_id__in=ids)):
        for series, readings in rows.values_list("series_id").annotate(n=Count("at_ms")).order_by():
            changes.repeated[series] += readings
