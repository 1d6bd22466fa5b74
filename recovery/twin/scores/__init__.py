"""Published bedside scores, computed exactly and always shown beside the twin's own estimates."""

from recovery.twin.scores.ariscat import ariscat
from recovery.twin.scores.caprini import caprini
from recovery.twin.scores.charlson import charlson
from recovery.twin.scores.clavien_dindo import GradeResult, IndexResult, clavien_dindo, complication_index
from recovery.twin.scores.kdigo import Creatinine, KdigoResult, kdigo
from recovery.twin.scores.lace import lace
from recovery.twin.scores.news2 import news2
from recovery.twin.scores.possum import PossumResult, possum, possum_operative, possum_physiology
from recovery.twin.scores.qsofa import qsofa
from recovery.twin.scores.rcri import rcri
from recovery.twin.scores.result import Item, Rate, ScoreRefused, ScoreResult
from recovery.twin.scores.sirs import sirs
from recovery.twin.scores.surgical_apgar import surgical_apgar
from recovery.twin.scores.urine import Urine

__all__ = [
    "Creatinine",
    "GradeResult",
    "IndexResult",
    "Item",
    "KdigoResult",
    "PossumResult",
    "Rate",
    "ScoreRefused",
    "ScoreResult",
    "Urine",
    "ariscat",
    "caprini",
    "charlson",
    "clavien_dindo",
    "complication_index",
    "kdigo",
    "lace",
    "news2",
    "possum",
    "possum_operative",
    "possum_physiology",
    "qsofa",
    "rcri",
    "sirs",
    "surgical_apgar",
]
