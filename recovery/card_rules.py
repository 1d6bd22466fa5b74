"""What must stand on a model's card before the model may go into service. An empty field blocks activation.

Half of it is what this project says of each kind of model (`CARDS`), half is what the version itself brings: on what
it was trained, how it did on people it had not seen, in which groups, and the fingerprints of its data and code. Model
documentation in practice covers least the groups and when to stop; both are therefore fields here like any other.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

STOP = (
    "When its 90 % bands hold clearly fewer than 80 or more than 98 of 100 readings here, when alerts are judged useful"
    " in fewer than 1 of 10 cases for a month, or when sensors, operations or patients differ from those it learned"
    " from, until it has been checked again (thresholds: this project's choice, mark G)."
)
INTENDED = (
    "To help qualified staff see, for an adult in the first 30 days after an operation, whether the readings follow the"
    " course expected for that person, and whom on a list to look at first. It informs; a person decides."
)
NOT_FOR = (
    "Replacing observation, examination or a bedside alarm; people under 18; pregnancy; deciding treatment or discharge"
    " alone; deciding that nothing is wrong because nothing was received; comparing patients, staff or hospitals."
)
OWNER = "The numbers belong to the hospital that trained them; the software is used under its own terms."


@dataclass(frozen=True, slots=True)
class CardText:
    """What is true of every version of a kind."""

    intended_use: str
    not_for: str
    inputs: str
    missing_data: str
    outcome: str
    method: str
    known_failures: str
    when_to_stop: str
    licence: str
    pathway: str


CARDS: Mapping[str, CardText] = {
    "hazard": CardText(
        intended_use=INTENDED,
        not_for=NOT_FOR,
        inputs="Age in years, sex, kind of operation and history as coded; deviations from the personal course in"
        " standard deviations; days since surgery.",
        missing_data="A measure that is not there counts as nothing known, not as nothing wrong; with inputs too old or"
        " outside the range learned from it abstains and says why.",
        outcome="First complication (any, and by name), readmission and death within 24 h, 72 h, 7 and 30 days.",
        method="Piecewise hazards, drawn to published incidences and odds ratios; judged by five folds over patients.",
        known_failures="What is not worn, sent or recorded is not seen; beta-blockers, antipyretics and steroids hide"
        " signs; wrist oximeters miss low saturation more often in darker skin.",
        when_to_stop=STOP,
        licence=OWNER,
        pathway="all pathways",
    ),
    "population": CardText(
        intended_use=INTENDED,
        not_for=NOT_FOR,
        inputs="Readings with their unit, source and time; age in years, sex, body mass index in kg/m², kind of"
        " operation.",
        missing_data="Without readings the band is that of like operations and widens with time; nothing is filled in.",
        outcome="Expected value of each measure over the 30 days after surgery, with 50 % and 90 % bands.",
        method="State-space model per measure; population by expectation-maximisation, person by Kalman filter.",
        known_failures="Steps are undercounted with a walking frame; a measure learned from few patients keeps the"
        " published course.",
        when_to_stop=STOP,
        licence=OWNER,
        pathway="all pathways",
    ),
    "hypotheses": CardText(
        intended_use=INTENDED,
        not_for=NOT_FOR,
        inputs="Six-hour means of the deviations of the last three days, in standard deviations, of vital signs, blood"
        " values and answers; age in years, sex, kind of operation and history, through the risk model in service.",
        missing_data="Hours without a reading say nothing for or against; silent without a reading in three days.",
        outcome="Probability that a complication is under way and not yet diagnosed, each named one and harmless rivals"
        " by name; now, not in future.",
        method="Likelihood of the deviations under each cause over its possible onsets, tempered; prior from the risk"
        " model; the sum calibrated by logistic regression; judged by five folds over patients.",
        known_failures="What is not listed cannot be named; harmless rivals are assumptions; another risk model than"
        " the one it was learned with shifts the probabilities; a cause that the unit has not seen is never named.",
        when_to_stop=STOP,
        licence=OWNER,
        pathway="all pathways",
    ),
}
TEXT_WORDS = {
    "intended_use": "Intended use",
    "not_for": "Not for",
    "inputs": "Inputs and units",
    "missing_data": "Rule for missing data",
    "outcome": "Outcome and horizon",
    "method": "Method",
    "known_failures": "Known failures",
    "when_to_stop": "When to stop using it",
    "licence": "Licence",
    "pathway": "Pathway",
}


@dataclass(frozen=True, slots=True)
class CardField:
    """A required field. `words` blank: it is missing."""

    name: str
    words: str


def card_fields(
    kind: str, *, trained_on: str, training: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> tuple[CardField, ...]:
    """All required fields, in the order of the card; those of the version last."""
    texts = asdict(CARDS[kind]) if kind in CARDS else {}
    found = [CardField(label, str(texts.get(key, "")).strip()) for key, label in TEXT_WORDS.items()]
    return (
        *found,
        CardField("Trained on", trained_on.strip()),
        CardField("Population of the training data", str(training.get("cohort") or "").strip()),
        CardField("Validation on people it had not seen", _judged(evaluation)),
        CardField("Figures by group", _groups(evaluation)),
        CardField("Fingerprint of the data", _print(training.get("data_sha256"))),
        CardField("Fingerprint of the code", _print(training.get("code_sha256"))),
    )


def missing(fields: tuple[CardField, ...]) -> tuple[str, ...]:
    return tuple(one.name for one in fields if not one.words)


def _judged(evaluation: Mapping[str, Any]) -> str:
    told = []
    for key, words in (("out_of_fold", "by folds over patients"), ("held_out", "on operations held back")):
        said = evaluation.get(key) or {}
        if said.get("all") or said.get("measures"):
            told.append(words)
    return ", ".join(told)


def _groups(evaluation: Mapping[str, Any]) -> str:
    names = {name for key in ("out_of_fold", "held_out") for name in (evaluation.get(key) or {}).get("subgroups") or ()}
    return "by " + ", ".join(sorted(names)) if names else ""


def _print(value: Any) -> str:
    return f"SHA-256 {value}" if isinstance(value, str) and len(value) == 64 else ""


def sha256_of(plain: Any) -> str:
    """Of numbers and words, however their keys are ordered."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@cache
def code_sha256() -> str:
    """Of the source of the model of recovery (`recovery/twin`), file by file in the order of their names."""
    folder, total = Path(__file__).parent / "twin", hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        total.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
