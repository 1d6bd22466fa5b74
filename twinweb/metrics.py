"""Prometheus' text format for what health knows; a few lines of our own instead of a dependency."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinweb.health import Part

HELP = {
    "twinweb_part_ok": "1 when this part of the system works, 0 when it does not",
    "twinweb_heartbeat_age_seconds": "Seconds since the last sign of life; absent when there never was one",
    "twinweb_owed_work": "Pieces of work that are owed and not done",
    "twinweb_owed_work_oldest_seconds": "Age of the oldest piece of owed work",
    "twinweb_broker_messages": "Messages in the broker",
    "twinweb_broker_oldest_seconds": "Age of the oldest message in the embedded broker",
    "twinweb_dead_letters": "Messages given up after too many attempts",
    "twinweb_disk_free_bytes": "Free space where the data directory is",
    "process_resident_memory_max_bytes": "Largest resident memory of the process that answered",
    "process_cpu_seconds_total": "Processor time used by the process that answered",
    "process_open_fds": "Open files of the process that answered",
}
COUNTERS = {"process_cpu_seconds_total"}
Sample = tuple[str, dict[str, str], float]


def exposition(parts: Iterable[Part]) -> str:
    """The whole answer, each metric with its HELP and TYPE lines once."""
    samples: dict[str, list[str]] = {}
    for name, labels, value in (*_of_parts(parts), *_of_process()):
        samples.setdefault(name, []).append(_line(name, labels, value))
    blocks = [
        f"# HELP {name} {HELP[name]}\n# TYPE {name} {'counter' if name in COUNTERS else 'gauge'}\n" + "\n".join(lines)
        for name, lines in samples.items()
    ]
    return "\n".join(blocks) + "\n"


def _line(name: str, labels: dict[str, str], value: float) -> str:
    if not labels:
        return f"{name} {value}"
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _of_parts(parts: Iterable[Part]) -> Iterator[Sample]:
    for part in parts:
        yield "twinweb_part_ok", {"part": part.name}, int(part.ok)
        if part.figures.get("age_seconds") is not None:
            yield "twinweb_heartbeat_age_seconds", {"role": part.name}, part.figures["age_seconds"]
        if part.name in _READERS:
            yield from _READERS[part.name](part.figures)


def _of_owed_work(figures: dict[str, Any]) -> Iterator[Sample]:
    for kind, owed in figures.get("kinds", {}).items():
        yield "twinweb_owed_work", {"kind": kind}, owed["open"]
        yield "twinweb_owed_work_oldest_seconds", {"kind": kind}, owed["oldest_seconds"]


def _of_broker(figures: dict[str, Any]) -> Iterator[Sample]:
    for depth in figures.get("queues", ()):
        yield "twinweb_broker_messages", {"queue": depth["queue"], "state": "waiting"}, depth["waiting"]
        yield "twinweb_broker_messages", {"queue": depth["queue"], "state": "in_work"}, depth["in_work"]
        yield "twinweb_broker_oldest_seconds", {"queue": depth["queue"]}, round(depth["oldest_age"], 1)
    if "dead_letters" in figures:
        yield "twinweb_dead_letters", {}, figures["dead_letters"]


def _of_disk(figures: dict[str, Any]) -> Iterator[Sample]:
    if "free_bytes" in figures:
        yield "twinweb_disk_free_bytes", {}, figures["free_bytes"]


_READERS = {"owed_work": _of_owed_work, "broker": _of_broker, "disk": _of_disk}


def _of_process() -> Iterator[Sample]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield "process_resident_memory_max_bytes", {}, usage.ru_maxrss * 1024
    yield "process_cpu_seconds_total", {}, round(usage.ru_utime + usage.ru_stime, 2)
    if os.path.isdir("/proc/self/fd"):
        yield "process_open_fds", {}, len(os.listdir("/proc/self/fd"))
