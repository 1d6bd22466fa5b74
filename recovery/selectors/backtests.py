"""Backtests as pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from recovery.backtest_files import RESULTS, files_of
from recovery.models import Backtest

NEWEST = 100


@dataclass(frozen=True, slots=True)
class Run:
    key: UUID
    label: str
    folder: str
    folds: int
    status: str
    progress: int
    words: str
    figures: Mapping[str, Any]
    asked_name: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    is_stopping: bool


def runs() -> list[Run]:
    """The newest first."""
    return [_run(row) for row in Backtest.objects.defer("figures").order_by("-created_at", "-pk")[:NEWEST]]


def run(key: UUID) -> Run | None:
    row = Backtest.objects.filter(key=key).first()
    return _run(row, row.figures) if row else None


def _run(row: Backtest, figures: Mapping[str, Any] | None = None) -> Run:
    return Run(
        row.key,
        row.label,
        row.folder,
        row.folds,
        row.status,
        row.progress,
        row.words,
        figures or {},
        row.asked_name,
        row.created_at,
        row.started_at,
        row.ended_at,
        row.cancel_asked and row.status == Backtest.Status.RUNNING,
    )


def result_file(key: UUID, name: str) -> Path | None:
    """The file of a finished run, or None: an unknown name, or nothing there."""
    path = files_of(key).results / name
    done = Backtest.objects.filter(key=key, status=Backtest.Status.DONE).exists()
    return path if done and name in RESULTS and path.is_file() else None
