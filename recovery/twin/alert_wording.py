"""Titles and next steps of alerts, one table: steps are options ("consider"), with where they come from.

The steps are ordinary ward practice [G], to be replaced by the site's own pathway text. They are for
clinicians, not for patients.
"""

from __future__ import annotations

TITLES = {
    "suspicion": "The last days look like a complication",
    "deterioration": "Vital signs away from own recovery curve",
    "news2": "NEWS2 at an urgent level",
    "risk": "High risk of a new complication",
    "activity": "Walking well below own recovery curve",
    "pain": "Pain well above own recovery curve",
    "data_stopped": "No readings arriving",
    "device_fault": "Device readings implausible",
    "model_uncertain": "The model cannot judge this patient",
}

STEPS = {
    "suspicion": (
        "Consider seeing or calling the patient with the likeliest cause in mind, and what speaks for it.",
        "Consider the benign causes that were weighed too: exercise, fever without a source, a new beta-blocker.",
        "Consider a full set of observations and the test that would tell the likeliest cause apart.",
    ),
    "deterioration": (
        "Consider a call or visit and a full set of observations, consciousness and blood pressure included.",
        "Consider the ordinary causes first: pain, exercise, fever after a new drug, a loose sensor.",
        "Consider blood tests (C-reactive protein, blood count, creatinine) when the full set is abnormal too.",
    ),
    "news2": (
        "Consider measuring the missing items and completing the NEWS2 by hand.",
        "Consider the response of the hospital's own NEWS2 policy for this level (RCP 2017).",
    ),
    "risk": (
        "Consider reviewing the reasons below with the patient today.",
        "Consider bringing the next planned review forward.",
        "Consider testing for the likeliest named complication.",
    ),
    "activity": (
        "Consider asking about pain, dizziness, breathlessness and fear of moving.",
        "Consider whether a walking frame is in use: it makes the device miss steps.",
        "Consider a physiotherapy contact.",
    ),
    "pain": (
        "Consider reviewing analgesia.",
        "Consider asking for a look at the wound, and at the calf after leg surgery.",
    ),
    "data_stopped": (
        "Consider a call: a patient who stops wearing the device may not be well.",
        "Consider checking charge, app and connection.",
    ),
    "device_fault": ("Consider asking the patient to refit or replace the device.",),
    "model_uncertain": ("Consider judging this patient by bedside assessment and published scores alone.",),
}
