"""How strongly history and operation move each complication: published odds ratios, as the mean of a fit's prior.

A cohort of a thousand operations holds a dozen to ninety of each complication, too few to tell diabetes from kidney
disease. So each named complication starts from what larger studies found (an odds ratio of an uncommon outcome is close
to its hazard ratio) and departs from it as far as the cohort's own events carry it.

[V] was read in the source's abstract; [G] is recalled or general knowledge, rounded towards none, and to be replaced by
the site's own data, which the fit does. Adjusted ratios where the source gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Ratio:
    """Odds ratio for `per` more of an input of `risk_inputs.static_inputs` (years are decades there, durations and
    blood loss natural logarithms)."""

    ratio: float
    source: str
    per: float = 1.0

    @property
    def log_per_unit(self) -> float:
        return log(self.ratio) / self.per


EFOLD_OF_3_H = log(3.0 / 1.5)
"""'Three hours or more against less' is read as twice the duration [G]."""
OBESE = 9.0
"""Body mass index between the groups that 'obese against not' compares, kg/m2 [G]."""

PUBLISHED_EFFECTS: Mapping[str, Mapping[str, Ratio]] = {
    "ssi": {
        "diabetes": Ratio(1.53, "[V] Martin 2015, 94 studies"),
        "smoker": Ratio(1.43, "[V] meta-analysis, BMJ Open 2025;15:e093072"),
        "bmi": Ratio(1.5, "[G] below the 1.79 of the same, which is not adjusted", OBESE),
        "log_duration": Ratio(1.37, "[G] Cheng 2017, an hour longer, at two to three hours", log(1.5)),
        "asa": Ratio(1.35, "[G] a part of the NNIS index"),
    },
    "pneumonia": {
        "age_decades": Ratio(1.5, "[G] Arozullah 2001, 5.6 from 80 years against below 50"),
        "copd": Ratio(1.72, "[G] Arozullah 2001"),
        "smoker": Ratio(1.28, "[G] Arozullah 2001"),
        "heart_failure": Ratio(1.35, "[G] below Smetana 2006"),
        "asa": Ratio(1.5, "[G] below the 2.55 of class III or more in Smetana 2006, which holds age"),
        "log_duration": Ratio(1.35, "[G] below Smetana 2006"),
        "male": Ratio(1.2, "[G]"),
    },
    "leak": {
        "male": Ratio(1.6, "[G]"),
        "smoker": Ratio(1.5, "[G]"),
        "diabetes": Ratio(1.3, "[G]"),
        "asa": Ratio(1.35, "[G]"),
        "log_duration": Ratio(1.4, "[G]"),
        "log_blood_loss": Ratio(1.2, "[G]"),
    },
    "vte": {
        "age_decades": Ratio(1.2, "[G]"),
        "bmi": Ratio(1.3, "[G]", OBESE),
        "heart_failure": Ratio(1.35, "[G]"),
        "log_duration": Ratio(1.27, "[G] Kim 2015, longest fifth against the middle"),
    },
    "af": {
        "age_decades": Ratio(1.75, "[G] Mathew 2004, after heart surgery"),
        "atrial_fibrillation": Ratio(2.11, "[G] Mathew 2004"),
        "copd": Ratio(1.43, "[G] Mathew 2004"),
        "heart_failure": Ratio(1.28, "[V] 10,390 heart operations, PMC2917532"),
        "male": Ratio(1.2, "[G]"),
    },
    "aki": {
        "kidney_disease": Ratio(3.0, "[G] Kheterpal 2009"),
        "heart_failure": Ratio(2.0, "[G] Kheterpal 2009"),
        "diabetes": Ratio(1.4, "[G] Kheterpal 2009, tablets 1.3 to insulin 1.7"),
        "age_decades": Ratio(1.3, "[G] Kheterpal 2009, 1.7 from 56 years, two decades apart"),
        "male": Ratio(1.4, "[G] Kheterpal 2009"),
        "bmi": Ratio(1.265, "[G] Billings 2012, after heart surgery", 5.0),
        "log_duration": Ratio(1.5, "[G]"),
        "asa": Ratio(1.2, "[G]"),
    },
    "bleeding": {
        "log_blood_loss": Ratio(1.35, "[G]"),
        "log_duration": Ratio(1.5, "[G]"),
        "age_decades": Ratio(1.1, "[G]"),
        "kidney_disease": Ratio(1.35, "[G]"),
    },
    "ileus": {
        "male": Ratio(1.7, "[V] Chapuis 2013, 2,400 resections"),
        "copd": Ratio(1.6, "[V] Chapuis 2013, respiratory comorbidity"),
        "log_duration": Ratio(1.6, "[V] Chapuis 2013, three hours or more", EFOLD_OF_3_H),
        "log_blood_loss": Ratio(1.2, "[G] below the 1.6 of a transfusion in Chapuis 2013"),
        "age_decades": Ratio(1.15, "[G]"),
        "smoker": Ratio(1.2, "[G]"),
    },
}


def log_effects(outcome: str) -> Mapping[str, float]:
    """Input -> published log hazard ratio for one more of it; empty for outcomes that have no row here."""
    return {key: found.log_per_unit for key, found in PUBLISHED_EFFECTS.get(outcome, {}).items()}
