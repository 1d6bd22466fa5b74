"""The model of recovery: pure numbers, arrays in and arrays out, no clock, no database. Table of contents:

errors, source, transform   refusals; provenance of numbers; scales
metrics, profile            what is measured; who, and which operation
anchors, cold_start         published courses; the priors computed from them
params                      `MetricParams`, `PopulationParams`: the numbers, as values passed in
measurement                 raw samples -> gate -> one measurement per bin
filter                      `predict`, `condition_on`, `advance`: the one movement
state, fold                 `TwinState`, checkpoints; live, late and rebuilt folding
forecast, surprise          what to expect; what is remarkable
daily_forecast, day_law     forecast rows by postoperative day; how day values spread where that was learned
smooth, milestones, wear    looking back; when a milestone arrives; days not wholly seen
scorecard, simulate         is the twin any good; synthetic patients for the demo
fit_*, population_store     offline: learning the population from a cohort; what was learned, labelled
"""

from recovery.twin.cold_start import cold_start
from recovery.twin.errors import TwinError
from recovery.twin.filter import Belief, Readings, advance, condition_on, predict
from recovery.twin.fold import Fold, Loaded, Request, fold, fold_many, load
from recovery.twin.forecast import Curve, forecast, forecast_days, population_curve, trajectory
from recovery.twin.measurement import Measured, Measurements, Rejection, Samples, measure
from recovery.twin.metrics import METRICS, Metric, Tier, metric, metric_for_code
from recovery.twin.params import MetricParams, PopulationParams, stack
from recovery.twin.profile import PROCEDURES, Profile, procedure, procedure_for_snomed
from recovery.twin.scorecard import Card
from recovery.twin.state import TwinState, rewind_hour
from recovery.twin.surprise import MetricFeatures, RecoveryFeatures, features

__all__ = [
    "METRICS",
    "PROCEDURES",
    "Belief",
    "Card",
    "Curve",
    "Fold",
    "Loaded",
    "Measured",
    "Measurements",
    "Metric",
    "MetricFeatures",
    "MetricParams",
    "PopulationParams",
    "Profile",
    "Readings",
    "RecoveryFeatures",
    "Rejection",
    "Request",
    "Samples",
    "Tier",
    "TwinError",
    "TwinState",
    "advance",
    "cold_start",
    "condition_on",
    "features",
    "fold",
    "fold_many",
    "forecast",
    "forecast_days",
    "load",
    "measure",
    "metric",
    "metric_for_code",
    "population_curve",
    "predict",
    "procedure",
    "procedure_for_snomed",
    "rewind_hour",
    "stack",
    "trajectory",
]
