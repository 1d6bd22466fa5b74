"""Published bedside scores, computed exactly and always shown beside the twin's own estimates."""

from recovery.twin.scores.ariscat import ariscat
from recovery.twin.scores.news2 import news2
from recovery.twin.scores.qsofa import qsofa
from recovery.twin.scores.rcri import rcri
from recovery.twin.scores.result import Item, Rate, ScoreRefused, ScoreResult

__all__ = ["Item", "Rate", "ScoreRefused", "ScoreResult", "ariscat", "news2", "qsofa", "rcri"]
