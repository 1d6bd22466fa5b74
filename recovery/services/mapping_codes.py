"""An administrator says what an unknown code means: its readings, those held and those to come, go to the twin."""

from datetime import datetime
from math import isfinite

from django.db import transaction

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Episode, Series
from recovery.services.mapped_series import UNREAD, Coding, Reading, is_unread
from recovery.twin.metrics import METRICS


def map_code(*, coding: Coding, metric: str, scale: float, shift: float, actor: Actor, now: datetime) -> int:
    """Read the code as `metric` (canonical value = sent value x scale + shift); returns how many series changed.

    Raises Invalid for an unknown metric or a conversion that is none, NotFound when nothing of the code is held, and
    Conflict when it is mapped already.
    """
    if metric not in METRICS:
        raise Invalid(f"There is no metric {metric[:40]!r}.", field="metric")
    if not isfinite(scale) or not isfinite(shift) or scale == 0:
        raise Invalid("A conversion needs a scale that is not zero.", field="scale")
    with transaction.atomic():
        rows = _rows(coding)
        if any(row.metric for row in rows):
            raise Conflict("This code is mapped already: undo that first.", field="metric")
        return _read_as(rows, coding, (metric, scale, shift), "map_code", actor, now)


def unmap_code(*, coding: Coding, actor: Actor, now: datetime) -> int:
    """Undo: the readings are kept, the twin forgets them. Raises NotFound when the code is not mapped by a person."""
    with transaction.atomic():
        rows = [row for row in _rows(coding) if row.metric]
        if not rows:
            raise NotFound("This code is not mapped.")
        return _read_as(rows, coding, UNREAD, "unmap_code", actor, now)


def _rows(coding: Coding) -> list[Series]:
    system, code, unit = coding
    held = Series.objects.select_for_update().filter(system=system, code=code, unit=unit).order_by("pk")
    rows = [row for row in held if is_unread(row)]
    if not rows:
        raise NotFound("No reading of this code is held as a series: there is nothing to map.")
    return rows


def _read_as(rows: list[Series], coding: Coding, reading: Reading, action: str, actor: Actor, now: datetime) -> int:
    metric, scale, shift = reading
    Series.objects.filter(pk__in=[row.pk for row in rows]).update(metric=metric, scale=scale, shift=shift)
    patients = sorted({row.patient_id for row in rows})
    episodes = Episode.objects.filter(patient_id__in=patients, surgery_end__isnull=False).values_list("pk", flat=True)
    queue.owe(kind="twin", dirty=dict.fromkeys(episodes), now=now)
    said = dict(zip(("system", "code", "unit"), coding, strict=True))
    audit.record(
        actor=actor,
        now=now,
        action=action,
        patient_ids=patients,
        entity=f"code/{coding[1]}"[:200],
        detail={**said, "metric": metric, "scale": scale, "shift": shift},
    )
    return len(rows)
