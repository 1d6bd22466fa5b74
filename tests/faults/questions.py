"""Questions to a product's store, asked in a process that has that product's environment.

    python -m tests.faults.questions <question> [arguments]

Prints one JSON object. Run by `Stack.ask`; pytest's own process is set up for another database.
"""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")

import django

django.setup()

from django.db.models import F  # noqa: E402
from django.utils import timezone  # noqa: E402

from recovery import queue  # noqa: E402
from recovery.audit import Actor  # noqa: E402
from recovery.models import Document, Episode, Owed, Packet, Sample, Twin  # noqa: E402
from recovery.services import ingestion, proof  # noqa: E402
from recovery.services.intake import Delivery  # noqa: E402
from tests.deliveries import number, series  # noqa: E402
from tests.faults.stack import DIED  # noqa: E402


def owed() -> int:
    return Owed.objects.filter(done_seq__lt=F("seq")).count()


def settled(seconds: str) -> dict[str, Any]:
    """Waits until no work is owed."""
    begun = time.monotonic()
    while owed() and time.monotonic() - begun < float(seconds):
        time.sleep(0.2)
    return {"owed": owed(), "seconds": round(time.monotonic() - begun, 1)}


def missing_readings(path: str) -> dict[str, Any]:
    """Which of the readings in the file (lines of [patient, code, ms, value]) are not in the store, or are twice."""
    wanted = [tuple(json.loads(line)) for line in Path(path).read_text().splitlines()]
    patients = {patient for patient, *_ in wanted}
    rows = Sample.objects.filter(series__patient__fhir_id__in=patients, ended_batch__isnull=True)
    held: dict[tuple[Any, ...], int] = {}
    for row in rows.filter(series__shape="number").values_list(
        "series__patient__fhir_id", "series__code", "at_ms", "value"
    ):
        held[row] = held.get(row, 0) + 1
    return {
        "wanted": len(wanted),
        "missing": [one for one in set(wanted) if one not in held][:20],
        "twice": [one for one in set(wanted) if held.get(one, 0) > 1][:20],
    }


def missing_ids(path: str) -> dict[str, Any]:
    """Which of the Observation ids in the file are neither a reading nor a document."""
    wanted = set(Path(path).read_text().split())
    held: set[str] = set(Packet.objects.exclude(fhir_id=None).values_list("fhir_id", flat=True))
    held |= set(Sample.objects.exclude(fhir_id=None).values_list("fhir_id", flat=True))
    held |= set(Document.objects.filter(type="Observation").values_list("fhir_id", flat=True))
    return {"wanted": len(wanted), "missing": sorted(wanted - held)}


def twins() -> dict[str, Any]:
    """Whether every followed episode has a twin, up to its newest reading, equal to its rebuild to 1e-9."""
    followed = Episode.objects.filter(surgery_end__isnull=False, surgery_end__lte=timezone.now())
    found = proof.prove_twins(now=timezone.now())
    twins = Twin.objects.count()
    return {"episodes": followed.count(), "twins": twins, "compared": found.compared, "differing": found.differ}


def die_before_the_bell(patient: str) -> dict[str, Any]:
    """Deliver one reading and end, as by kill -9, after the commit and before the doorbell is rung."""
    queue.ring = lambda kind: os._exit(DIED)
    reading = replace(number(0, 0, 88.0, series(patient)), at_ms=int(time.time() * 1000))
    delivery = Delivery("test", readings=(reading,))
    ingestion.deliver(delivery=delivery, actor=Actor.system("test"), now=timezone.now(), atomic=True)
    raise AssertionError("the doorbell was not rung")


def count() -> dict[str, Any]:
    return {"owed": owed(), "readings": Sample.objects.count(), "packets": Packet.objects.count()}


def main(question: str, *arguments: str) -> None:
    print(json.dumps(globals()[question](*arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
