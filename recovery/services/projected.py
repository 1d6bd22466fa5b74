"""Samples drawn from documents. Two documents may say the same number: it speaks as long as one of them stands."""

from collections.abc import Iterable, Sequence

from recovery.models import AlsoSaid, Batch, Sample
from recovery.models.streams_sql import insert_new
from recovery.services import lives, mapped_series
from recovery.services.changes import Changes
from recovery.services.intake import ProjectedSample
from recovery.services.lives import Key
from recovery.services.streams import SAMPLE_COLUMNS, SAMPLE_KEY, place_as_owned


def store_projected(
    patient_id: int | None,
    document_id: str,
    samples: Sequence[ProjectedSample],
    batch: Batch,
    changes: Changes,
) -> None:
    """Make the samples drawn from `document_id` exactly `samples`: end what it no longer says, add the rest."""
    places = place_as_owned((sample.series for sample in samples), changes, None, None)
    said = {(places[one.series][0], one.at_ms, one.value, one.digits): one for one in samples if one.series in places}
    held, shared = _standing(document_id)
    if not said.keys() >= held | shared:  # once nobody else can hand a number over, look again
        lives.locked(held | shared)
        held, shared = _standing(document_id)
    for key in _taken_back(held - said.keys(), document_id, batch):
        if patient_id is not None:
            changes.reading(patient_id, key[1])
    for key in shared - said.keys():
        AlsoSaid.objects.filter(**_fields(key), fhir_id=document_id).delete()
    fresh = [key for key in said if key not in held and key not in shared]
    unread = {key[0] for key in fresh if not said[key].series.metric}
    mapped = mapped_series.with_metric(unread) if unread else set()
    for key in _spoken(fresh, document_id, batch, changes):
        one = said[key]
        changes.touched.add(places[one.series][1])
        if one.series.metric or key[0] in mapped:
            changes.reading(places[one.series][1], one.at_ms)


def _standing(document_id: str) -> tuple[set[Key], set[Key]]:
    """The numbers that the document says first, and those that it says too."""
    mine = Sample.objects.filter(fhir_id=document_id, series__shape="projected", ended_batch__isnull=True)
    also = AlsoSaid.objects.filter(fhir_id=document_id)
    return set(mine.values_list(*SAMPLE_KEY)), set(also.values_list(*SAMPLE_KEY))


def _taken_back(keys: Iterable[Key], document_id: str, batch: Batch) -> list[Key]:
    """End these samples; one that another document says too goes over to that document. Returned are the ended."""
    ended = []
    for row in lives.locked(keys):
        key = (row.series_id, row.at_ms, row.value, row.digits)
        rows = Sample.objects.filter(**_fields(key), fhir_id=document_id)
        heir = AlsoSaid.objects.filter(**_fields(key)).order_by("pk").first()
        if heir is None:
            rows.update(ended_batch=batch)
            ended.append(key)
        else:
            rows.update(fhir_id=heir.fhir_id)
            heir.delete()
    return ended


def _spoken(keys: Sequence[Key], document_id: str, batch: Batch, changes: Changes) -> list[Key]:
    """Say these samples. Returned are those that were not heard before: new, or taken back since."""
    new = insert_new(Sample, SAMPLE_COLUMNS, SAMPLE_KEY, [(*key, batch.pk, None, document_id) for key in keys])
    known = [key for key in keys if key not in new]
    revived = lives.speak_again(known, batch, document_id)
    AlsoSaid.objects.bulk_create(
        [AlsoSaid(fhir_id=document_id, **_fields(key)) for key in known if key not in revived], ignore_conflicts=True
    )
    changes.repeated.update(key[0] for key in known if key not in revived)
    return [key for key in keys if key in new or key in revived]


def _fields(key: Key) -> dict[str, float]:
    return dict(zip(SAMPLE_KEY, key, strict=True))
