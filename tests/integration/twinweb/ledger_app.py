"""A Celery application on the embedded broker whose tasks write a ledger; run as a worker by test_broker.

LEDGER_DIR holds the broker file and the ledger; one line is appended for each start and each end of a task.
"""

import os
import time
from pathlib import Path

from celery import Celery

from twinweb.broker import ALIAS, register

register()
directory = Path(os.environ["LEDGER_DIR"])
app = Celery("ledger", broker=f"{ALIAS}://", set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    task_default_queue="ledger",
    broker_transport_options={
        "path": str(directory / "broker.sqlite3"),
        "visibility_timeout": 2,
        "polling_interval": 0.05,
    },
)


def _note(line: str) -> None:
    with (directory / "ledger.txt").open("a") as ledger:
        ledger.write(line + "\n")


@app.task(name="work")
def work(number: int, seconds: float = 0.02) -> None:
    _note(f"start {number}")
    time.sleep(seconds)
    _note(f"end {number}")


@app.task(name="poison")
def poison() -> None:
    _note("start poison")
    os._exit(9)
