"""The streams shelf: series once, readings as narrow rows, the database deciding what is new."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from recovery.models import Batch, Device, Packet, Patient, Sample, Series
from recovery.models.streams_sql import find_series, insert_new
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.services import lives, mapped_series, merged, outbox, references
from recovery.services.changes import Changes
from recovery.services.intake import (
    NumberReading,
    Outcome,
    PacketReading,
    Reference,
    SeriesKey,
    Stands,
    Unmapped,
)
from recovery.services.mapped_series import Coding, series_hash
from recovery.services.mapped_series import Reading as Read

SAMPLE_COLUMNS = ("series_id", "at_ms", "value", "digits", "batch_id", "slots", "fhir_id")
SAMPLE_KEY = ("series_id", "at_ms", "value", "digits")
PACKET_COLUMNS = ("series_id", "at_ms", "digest", "end_ms", "data", "batch_id", "slots", "fhir_id")
PACKET_KEY = ("series_id", "at_ms", "digest")
KEYS_A_QUERY = 400

Place = tuple[int, int]  # where a series lives: (series row id, patient row id)
Reading = TypeVar("Reading", NumberReading, PacketReading)


def store(
    readings: Sequence[NumberReading],
    packets: Sequence[PacketReading],
    batch: Batch,
    now: datetime,
    changes: Changes,
    stands: Stands | None = None,
) -> None:
    """Store numbers and packets; outcomes and dirty times go into `changes`. `stands`: see Delivery."""
    if not readings and not packets:
        return
    keys = {*(one.series for one in readings), *(one.series for one in packets)}
    dangling: set[Reference] = set()
    places = place_as_owned(keys, changes, stands, dangling)
    _store_numbers(_placed(readings, places, dangling, changes), places, batch, now, changes)
    _store_packets(_placed(packets, places, dangling, changes), places, batch, now, changes)
    _note_mapped([*readings, *packets], places, changes)
    outbox.note_readings(_new([*readings, *packets], places, changes), now)


def _new(
    readings: Sequence[NumberReading | PacketReading], places: dict[SeriesKey, Place], changes: Changes
) -> Iterator[tuple[NumberReading | PacketReading, str, int]]:
    """Readings that were not held before, with their id and the row of their patient."""
    for one in readings:
        outcome = changes.outcomes.get(one.index)
        if one.series in places and outcome is not None and outcome.status == "created":
            yield one, outcome.fhir_id, places[one.series][1]


def _note_mapped(
    readings: Sequence[NumberReading | PacketReading], places: dict[SeriesKey, Place], changes: Changes
) -> None:
    """New readings whose metric the door does not know, but an administrator has said, make the patient dirty too."""
    unread = [one for one in readings if not one.series.metric and one.series in places]
    mapped = mapped_series.with_metric(places[one.series][0] for one in unread) if unread else set()
    for one in unread:
        series_id, patient_id = places[one.series]
        if series_id in mapped and changes.outcomes[one.index].status == "created":
            changes.reading(patient_id, one.at_ms)


def _placed(
    readings: Sequence[Reading], places: dict[SeriesKey, Place], dangling: Collection[Reference], changes: Changes
) -> list[Reading]:
    """The readings that have a place; the others are refused with the remedy."""
    homeless = [reading for reading in readings if reading.series not in places]
    patients = _patients(reading.series for reading in homeless) if homeless else {}
    gone = merged.survivors_of({one.series.patient for one in homeless} - patients.keys()) if homeless else {}
    for reading in homeless:
        is_known, index = reading.series.patient in patients, reading.index
        if reading.series.patient in gone:
            changes.outcomes[index] = _merged_away(index, reading.series.patient)
        else:
            changes.outcomes[index] = _refused(index, reading.series, is_known, dangling)
    return [reading for reading in readings if reading.series in places]


def _merged_away(index: int, patient: str) -> Outcome:
    error = merged.refusal(patient, "Observation.subject")
    return Outcome(index, "refused", reason=error.message, field=error.field, error="Conflict")


def _refused(index: int, key: SeriesKey, patient_is_known: bool, dangling: Collection[Reference]) -> Outcome:
    """Why a reading has no place: its patient is not known, or what it refers to."""
    if patient_is_known:
        error = references.refusal(key.references, dangling)
        return Outcome(index, "refused", reason=error.message, field=error.field, error="Invalid")
    reason = f"Patient/{key.patient} is not known here: send the Patient first, or correct the id."
    return Outcome(index, "refused", reason=reason, field="Observation.subject")


def place_as_owned(
    keys: Iterable[SeriesKey], changes: Changes, stands: Stands | None, dangling: set[Reference] | None
) -> dict[SeriesKey, Place]:
    """As `place_series`; readings of a device that is registered to another patient go to series without a metric.

    Whose they are is in doubt: they are kept and read back as sent, in no twin, and listed for an administrator.
    """
    wanted = set(keys)
    owners = _owners_of_devices(wanted)
    apart = {
        key: replace(key, metric="", scale=1.0, shift=0.0)
        for key in wanted
        if owners.get(key.source, key.patient) != key.patient
    }
    places = place_series((wanted - apart.keys()) | set(apart.values()), stands, dangling)
    for key, other in apart.items():
        if other in places:
            places[key] = places[other]
            device = key.source.removeprefix("Device/")
            changes.unmapped.append(Unmapped("Device", device, "", key.source, "it is registered to another patient"))
    return places


def _owners_of_devices(keys: Iterable[SeriesKey]) -> dict[str, str]:
    """source -> the patient to whom that Device is registered; devices of nobody in particular are left out."""
    ids = {key.source.removeprefix("Device/") for key in keys if key.source.startswith("Device/")}
    if not ids:
        return {}
    rows = Device.objects.filter(fhir_id__in=ids, patient__isnull=False)
    return {f"Device/{pk}": patient for pk, patient in rows.values_list("fhir_id", "patient__fhir_id")}


def place_series(
    keys: Iterable[SeriesKey], stands: Stands | None = None, dangling: set[Reference] | None = None
) -> dict[SeriesKey, Place]:
    """Find or make the series of each key; keys of unknown patients are left out.

    With `stands`, so are new ones that refer to something that is not here, which is added to `dangling`. A series that
    exists was checked when it was made.
    """
    wanted = {key: series_hash(key) for key in keys}
    found = _find(wanted)
    absent = [key for key in wanted if key not in found]
    patients = _patients(absent) if absent else {}
    missing = [key for key in absent if key.patient in patients]
    if missing and stands is not None:
        lacking = references.absent((one for key in missing for one in key.references), stands)
        missing = [key for key in missing if lacking.isdisjoint(key.references)]
        if dangling is not None:
            dangling |= lacking
    if missing:
        tiers = _device_tiers(missing)
        mapped = mapped_series.standing(_coding(key) for key in missing if not key.metric)
        Series.objects.bulk_create(
            [
                _series(key, wanted[key], patients[key.patient], tiers.get(key.source, key.tier or "consumer"), mapped)
                for key in missing
            ],
            ignore_conflicts=True,
        )
        found |= _find({key: wanted[key] for key in missing})
    return found


def _patients(keys: Iterable[SeriesKey]) -> dict[str, int]:
    wanted = {key.patient for key in keys}
    here = Patient.objects.filter(~merged.is_merged(), fhir_id__in=wanted, deleted_at__isnull=True)
    return dict(here.values_list("fhir_id", "pk"))


def _find(marks: dict[SeriesKey, str]) -> dict[SeriesKey, Place]:
    """Where the series of known patients are. Asked of the database each time: a memory of row ids would outlive a
    rollback, a deleted patient and a store put back to an earlier hour."""
    keys = list(marks)
    rows = find_series([(place, key.patient, marks[key]) for place, key in enumerate(keys)])
    return {keys[place]: (series_id, patient_id) for place, series_id, patient_id in rows}


def _device_tiers(keys: Iterable[SeriesKey]) -> dict[str, str]:
    """source -> tier for sources that are known Devices: what the device is decides, not what the message says."""
    ids = {key.source.removeprefix("Device/") for key in keys if key.source.startswith("Device/")}
    return {f"Device/{pk}": tier for pk, tier in Device.objects.filter(fhir_id__in=ids).values_list("fhir_id", "tier")}


def _coding(key: SeriesKey) -> Coding:
    return key.system, key.code, key.unit


def _series(key: SeriesKey, mark: str, patient_id: int, tier: str, mapped: Mapping[Coding, Read]) -> Series:
    """A new series; where the door knew no metric, as an administrator has mapped its code, if one has."""
    own = (key.metric, key.scale, key.shift)
    metric, scale, shift = own if key.metric else mapped.get(_coding(key), own)
    return Series(
        patient_id=patient_id,
        metric=metric,
        system=key.system,
        code=key.code,
        unit=key.unit,
        scale=scale,
        shift=shift,
        source=key.source,
        tier=tier,
        span_ms=key.span_ms,
        shape=key.shape,
        template=key.template,
        template_hash=mark,
    )


def _store_numbers(
    readings: Sequence[NumberReading],
    places: dict[SeriesKey, Place],
    batch: Batch,
    now: datetime,
    changes: Changes,
) -> None:
    rows = [
        (places[one.series][0], one.at_ms, one.value, one.digits, batch.pk, one.slots, one.fhir_id) for one in readings
    ]
    new = insert_new(Sample, SAMPLE_COLUMNS, SAMPLE_KEY, rows)
    held = _held(Sample, SAMPLE_KEY, [row for row in rows if row[:4] not in new])
    for key in lives.marked(key for key, (_, is_ended) in held.items() if is_ended):
        held[key] = (held[key][0], False)  # a retry does not undo a person's judgement
    for one, row in zip(readings, rows, strict=True):
        key = row[:4]
        is_new = key in new
        if is_new:
            held[key] = (one.fhir_id, False)
        new.discard(key)  # the same reading twice in one delivery is new once
        derived = ReadingId("r", row[0], one.at_ms, value_mark(one.value, one.digits))
        reading_id = held[key][0] or encode(derived)
        _note(one, is_new, reading_id, places[one.series][1], now, changes)
        _note_again(one, reading_id, held[key], is_new, row[0], changes)


def _store_packets(
    packets: Sequence[PacketReading],
    places: dict[SeriesKey, Place],
    batch: Batch,
    now: datetime,
    changes: Changes,
) -> None:
    rows = [
        (places[one.series][0], one.at_ms, one.digest, one.end_ms, one.data, batch.pk, one.slots, one.fhir_id)
        for one in packets
    ]
    new = insert_new(Packet, PACKET_COLUMNS, PACKET_KEY, rows)
    held = _held(Packet, PACKET_KEY, [row for row in rows if row[:3] not in new])
    points: list[tuple[int, int, float, int, int, None, None]] = []
    for one, row in zip(packets, rows, strict=True):
        key = row[:3]
        is_new = key in new
        new.discard(key)
        if is_new:
            held[key] = (one.fhir_id, False)
            points += [(row[0], at_ms, value, 0, batch.pk, None, None) for at_ms, value in one.points]
        reading_id = held[key][0] or encode(ReadingId("k", row[0], one.at_ms, one.digest))
        _note(one, is_new, reading_id, places[one.series][1], now, changes)
        _note_again(one, reading_id, held[key], is_new, row[0], changes)
    fresh = insert_new(Sample, SAMPLE_COLUMNS, SAMPLE_KEY, points)
    # Numbers of a voided packet that another packet says too speak again.
    lives.speak_again((point[:4] for point in points if point[:4] not in fresh), batch)


def _held(
    model: type[Sample] | type[Packet], key: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> dict[tuple[Any, ...], tuple[str | None, bool]]:
    """key -> (the sender's id under which it stands, whether it was taken back), for readings that are sent again."""
    found: dict[tuple[Any, ...], tuple[str | None, bool]] = {}
    width = len(key)
    for start in range(0, len(rows), KEYS_A_QUERY):
        part = rows[start : start + KEYS_A_QUERY]
        standing = model.objects.filter(series_id__in={row[0] for row in part}, at_ms__in={row[1] for row in part})
        for row in standing.values_list(*key, "fhir_id", "ended_batch_id"):
            found[row[:width]] = (row[width], row[width + 1] is not None)
    return found


def _note_again(
    one: NumberReading | PacketReading,
    name: str,
    held: tuple[str | None, bool],
    is_new: bool,
    series_id: int,
    changes: Changes,
) -> None:
    """A reading that was taken back, or stands under another id than the sender names, is told again (Changes); any
    other that is held already is dropped and counted."""
    if is_new:
        return
    if one.fhir_id is not None and one.fhir_id != name:
        changes.retold.append((one, one.fhir_id))
    elif held[1]:
        changes.retold.append((one, name))
    else:
        changes.repeated[series_id] += 1


def _note(
    one: NumberReading | PacketReading, is_new: bool, reading_id: str, patient_id: int, now: datetime, changes: Changes
) -> None:
    """Write down the outcome; a new reading that the twin uses makes the patient dirty from its time on."""
    changes.touched.add(patient_id)
    if is_new and one.series.metric:
        changes.reading(patient_id, one.at_ms)
    changes.outcomes[one.index] = Outcome(
        one.index, "created" if is_new else "unchanged", fhir_id=reading_id, updated_at=now
    )
