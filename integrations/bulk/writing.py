"""One slice of an export: page after page into packed files, a checkpoint every few seconds, until the time is over."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integrations.bulk.packing import Mark, PackedFile, said
from integrations.bulk.walking import Step, Walk, walk_of
from recovery import export_files
from recovery.selectors import fhir_export
from recovery.services import exports
from recovery.services.exports import Slice

logger = logging.getLogger(__name__)

SLICE_S = 15.0  # well below a task's time limit
CHECKPOINT_S = 1.0
LINES_A_FILE = 100_000
BYTES_A_FILE = 500_000_000  # of text
# Deliveries that had begun before the moment of the export are waited for, so that none is missed.
SETTLED_AFTER = timedelta(seconds=1)
SETTLED_AT_MOST = timedelta(seconds=20)
PAUSE_S = 0.2

Clock = Callable[[], datetime]
_one_at_a_time = threading.Lock()


class Stopped(Exception):
    """The export was cancelled, or is another worker's now."""


@dataclass
class Slicing:
    """The slice at work. Progress lies in `taken.position`: step, place, and the file that is being written."""

    taken: Slice
    walk: Walk
    clock: Clock
    file: PackedFile | None = None
    steps: list[Step] = field(default_factory=list)
    told_at: float = field(default_factory=time.monotonic)

    def run(self, until: float) -> bool:
        """Whether all is written; False when the time ran out. Raises Stopped."""
        self.steps = self.walk.steps()
        position = self.taken.position
        while position.setdefault("step", 0) < len(self.steps):
            step = self.steps[position["step"]]
            page = self.walk.page(step, position.get("place") or [])
            self._write(step, page.lines)
            position["share"] = page.share
            position["place"] = page.place
            if page.place is None:
                self._next_step(step)
            if time.monotonic() - self.told_at >= CHECKPOINT_S:
                self._checkpoint(step)
            if time.monotonic() >= until and position["step"] < len(self.steps):
                self._checkpoint(step)
                return False
        self._close_file()
        return True

    def _next_step(self, step: Step) -> None:
        position = self.taken.position
        position["step"], position["place"], position["share"] = position["step"] + 1, None, 0.0
        following = self.steps[position["step"]] if position["step"] < len(self.steps) else None
        if following is None or following.type != step.type:
            self._close_file()

    def _write(self, step: Step, lines: list[str]) -> None:
        while lines:
            file = self._open(step)
            room = max(LINES_A_FILE - file.lines, 1)
            file.add(lines[:room])
            lines = lines[room:]
            if file.lines >= LINES_A_FILE or file.length >= BYTES_A_FILE:
                self._close_file()

    def _open(self, step: Step) -> PackedFile:
        position = self.taken.position
        if self.file is None:
            if position.get("file") is None:
                number = sum(1 for one in self.taken.output if one["type"] == step.type)
                kind = "deleted" if step.shelf == "deleted" else "output"
                position["file"] = {"type": step.type, "kind": kind, "name": f"{step.type}.{number:03d}.ndjson"}
            mark = Mark(**position["file"]["mark"]) if "mark" in position["file"] else None
            self.file = PackedFile(export_files.path_of(self.taken.key, position["file"]["name"]), mark)
        return self.file

    def _close_file(self) -> None:
        """The file is whole: from the next checkpoint on it is one of the output. (Not before: the page that filled it
        may go on in the next file, and a checkpoint stands between pages.)"""
        about = self.taken.position.get("file")
        if about is None:
            return
        if self.file is None:  # written to its end by an earlier slice
            self.file = PackedFile(export_files.path_of(self.taken.key, about["name"]), Mark(**about["mark"]))
        count, size = self.file.finish(), self.file.length
        self.file = None
        self.taken.position["file"] = None
        self.taken.output.append(
            {"type": about["type"], "kind": about["kind"], "name": about["name"], "count": count, "bytes": size}
        )

    def _checkpoint(self, step: Step) -> None:
        if self.file is not None:
            self.taken.position["file"]["mark"] = said(self.file.checkpoint())
        if not self._keep(step.type):
            raise Stopped

    def _keep(self, doing: str) -> bool:
        self.told_at = time.monotonic()
        position = self.taken.position
        done = (position["step"] + float(position.get("share") or 0)) / max(len(self.steps), 1)
        words = f"Writing {doing}."
        written = sum(one["count"] for one in self.taken.output) + (self.file.lines if self.file else 0)
        return exports.checkpoint(
            taken=self.taken, progress=int(100 * done), words=words, written=written, now=self.clock()
        )


def run_owed(*, clock: Clock, slice_s: float = SLICE_S) -> int:
    """One slice of each open export, one after the other, within `slice_s`; returns how many are still open.

    One at a time in a process: the wards come first.
    """
    if not _one_at_a_time.acquire(blocking=False):
        return 0
    try:
        return _run_owed(clock, time.monotonic() + slice_s)
    finally:
        _one_at_a_time.release()


def _run_owed(clock: Clock, until: float) -> int:
    still_open = 0
    while (taken := exports.take_up(now=clock())) is not None:
        if not _run(taken, clock, until):
            still_open += 1
        if time.monotonic() >= until:
            break
    if still_open:
        exports.ring()
    return still_open


def _run(taken: Slice, clock: Clock, until: float) -> bool:
    """Whether the export has ended, one way or another."""
    slicing: Slicing | None = None
    try:
        _settle(taken, clock)
        slicing = Slicing(taken, walk_of(taken), clock)
        if slicing.run(until):
            return exports.finish(taken=taken, now=clock())
        exports.let_go(taken=taken)
        return False
    except Stopped:
        _clear_if_gone(taken)
        return True
    except OSError as error:
        exports.fail(taken=taken, why=f"The files could not be written: {error.strerror or error}.", now=clock())
        return True
    except Exception as error:
        logger.exception("an export broke off")
        exports.fail(taken=taken, why=f"An error of the product ({type(error).__name__}): see its log.", now=clock())
        return True
    finally:
        if slicing is not None and slicing.file is not None:
            slicing.file.leave()


def _clear_if_gone(taken: Slice) -> None:
    """Cancelled while it was written: the canceller may have removed the folder before our last page."""
    if exports.is_cancelled(taken=taken):
        export_files.remove(taken.key)


def _settle(taken: Slice, clock: Clock) -> None:
    if taken.position.get("settled"):
        return
    moment = taken.transaction_time
    while clock() < moment + SETTLED_AT_MOST:
        if clock() >= moment + SETTLED_AFTER and fhir_export.is_quiet(moment + SETTLED_AFTER):
            break
        time.sleep(PAUSE_S)
    taken.position["settled"] = True
