"""A backtest as a job: a process of its own, watched. It can be cancelled, its memory ends with it, and neither a
killed worker nor a killed process leaves a row that says it runs for ever."""

import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from django.conf import settings

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.uploads import unpack
from recovery.services import backtests
from recovery.services.backtests import Order

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
STOP_WITHIN_S = 15.0
_DONE = re.compile(r"(.+): (\d+) of (\d+)")
# From where to where each part of the work moves the bar, with and without folds.
BARS: Mapping[bool, Mapping[str, tuple[int, int]]] = {
    False: {"replaying": (8, 96), "adding up": (96, 99)},
    True: {"gathering inputs of the fit": (8, 48), "fitting": (48, 52), "replaying": (52, 96), "adding up": (96, 99)},
}
KEPT = ("subjects", "synthetic", "note", "models", "risk", "forecast", "alerts", "rows", "run")
LONG = ("roc", "calibration", "lead_bins")

Clock = Callable[[], datetime]


@dataclass
class Heard:
    """What the process has said so far."""

    words: str = "Starting."
    progress: int = 2
    last: list[str] = field(default_factory=list)

    def listen(self, lines: IO[str], bars: Mapping[str, tuple[int, int]]) -> None:
        for line in lines:
            said = line.strip()
            if not said:
                continue
            self.last = [*self.last[-5:], said]
            match = _DONE.fullmatch(said)
            if match and match.group(1) in bars:
                low, high = bars[match.group(1)]
                self.progress = low + (high - low) * int(match.group(2)) // max(int(match.group(3)), 1)
            self.words = f"{said[:1].upper()}{said[1:]}"


def run_owed(*, clock: Clock) -> int:
    """Run every backtest that is open, one after the other; returns how many were taken up."""
    taken = 0
    while (order := backtests.take_up(now=clock())) is not None:
        taken += 1
        try:
            _run(order, clock)
        except BacktestRefused as refused:
            backtests.fail(order=order, why=str(refused), now=clock())
    return taken


def _run(order: Order, clock: Clock) -> None:
    if not order.cohort.is_dir():
        raise BacktestRefused("The export is no longer where it was.")
    if order.cohort.parent == order.out.parent:  # uploaded, so ours to unpack
        unpack(order.cohort, settings.MAX_BACKTEST_UNPACKED)
    heard = Heard()
    child = subprocess.Popen(  # noqa: S603  (our own command; the paths are ours)
        _command(order), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stderr is not None  # noqa: S101  (PIPE was asked for)
        listener = threading.Thread(target=heard.listen, args=(child.stderr, BARS[order.folds > 1]), daemon=True)
        listener.start()
        wanted = _watch(child, order, heard, clock)
        listener.join(timeout=LOOK_EVERY_S)
    finally:
        _stop(child)
    if wanted:
        _conclude(child.returncode, order, heard, clock)
    else:
        backtests.cancelled(order=order, now=clock())


def _command(order: Order) -> list[str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = max(cores - 1, 1)  # the wards come first
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "backtest", str(order.cohort)]
    command += ["--out", str(order.out), "--workers", str(workers), "--in-background"]
    return [*command, "--folds", str(order.folds)] if order.folds else command


def _watch(child: "subprocess.Popen[str]", order: Order, heard: Heard, clock: Clock) -> bool:
    """Until the process ends (True), or is no longer wanted (False)."""
    while True:
        try:
            child.wait(timeout=LOOK_EVERY_S)
            return True
        except subprocess.TimeoutExpired:
            if not backtests.still_at_it(order=order, progress=heard.progress, words=heard.words, now=clock()):
                return False


def _stop(child: "subprocess.Popen[str]") -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stderr is not None:
        child.stderr.close()


def _conclude(code: int, order: Order, heard: Heard, clock: Clock) -> None:
    report = order.out / "report.json"
    if code == 0 and report.is_file():
        figures = shortened(json.loads(report.read_text(encoding="utf-8")))
        backtests.finish(order=order, figures=figures, now=clock())
        return
    said = heard.last[-1].removeprefix("CommandError: ") if heard.last else ""
    if code < 0:
        said = f"The process was killed by signal {-code} (out of memory?)."
    elif code != 2:
        logger.error("a backtest ended with %d", code)
        said = "The replay broke off by an error of the product; the log of the worker has it."
    backtests.fail(order=order, why=said, now=clock())


def shortened(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows; the files hold the rest."""
    kept = {name: report[name] for name in KEPT}
    kept["alerts"] = _without(kept["alerts"])
    kept["risk"] = {day: _without(told) for day, told in kept["risk"].items()}
    return kept | {"data": {"problems": report["data"]["problems"], "lines": report["data"]["lines"]}}


def _without(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in LONG}
