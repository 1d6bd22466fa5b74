"""The 31 source attributes of a predictive decision support intervention: US HTI-1, 45 CFR 170.315(b)(11)(iv)(B).

Each is answered from what the version itself and this unit's own report say, or says "Not known" and why. Nothing here
is written by hand for a particular version; a figure that was not measured is not given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recovery.selectors.models import Report, Version

RULE = "45 CFR 170.315(b)(11)(iv)(B), US ONC HTI-1 final rule (89 FR 1192)"
DEMOGRAPHICS = (
    "race, ethnicity, language, sexual orientation, gender identity, sex, date of birth, social determinants of health,"
    " health status assessments"
)
KIND_WORDS = {
    "hazard": "risk of complications, readmission and death",
    "population": "expected course of readings after an operation",
    "hypotheses": "complications under way that have not been diagnosed yet, by name",
}
SUPPORT = "Decision support for qualified staff; it informs and does not replace a decision."


@dataclass(frozen=True, slots=True)
class Attribute:
    """One source attribute. `known` False: the answer says why it is not known."""

    number: str
    group: str
    name: str
    answer: str
    known: bool

    @property
    def words(self) -> str:
        """The answer as a page shows it, beside a mark for what is not known."""
        said = self.answer.removeprefix("Not known: ")
        return said[:1].upper() + said[1:]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the card is about: one version, and the unit's newest report on the served models, where it has one."""

    version: Version
    report: Report | None

    @property
    def is_synthetic(self) -> bool:
        said = self.version.training.get("synthetic")
        return bool(said) or "synthetic" in self.version.trained_on

    @property
    def is_fitted(self) -> bool:
        return bool(self.version.training)

    @property
    def local(self) -> Mapping[str, Any] | None:
        """The report's figures, when it is about this version."""
        if self.report is None or self.report.content.get(self.version.kind) != self.version.version:
            return None
        return self.report.content


def attributes(subject: Subject) -> tuple[Attribute, ...]:
    """All 31, in the order of the rule."""
    found: list[Attribute] = []
    for number, (group, rows) in enumerate(_groups(subject), start=1):
        for letter, (name, answer) in enumerate(rows, start=1):
            known = not answer.startswith("Not known")
            found.append(Attribute(f"{number}.{_roman(letter)}", group, name, answer, known))
    return tuple(found)


def card_json(subject: Subject) -> dict[str, Any]:
    version = subject.version
    return {
        "rule": RULE,
        "kind": version.kind,
        "version": version.version,
        "status": version.status,
        "trained_on": version.trained_on,
        "attributes": [
            {"number": one.number, "group": one.group, "name": one.name, "known": one.known, "answer": one.answer}
            for one in attributes(subject)
        ],
        "evaluation": dict(version.evaluation),
        "training": dict(version.training),
    }


Rows = list[tuple[str, str]]


def _groups(subject: Subject) -> list[tuple[str, Rows]]:
    return [
        ("Details and output of the intervention", _details(subject)),
        ("Purpose of the intervention", _purpose(subject)),
        ("Cautioned out-of-scope use", _cautions(subject)),
        ("Development details and input features", _development(subject)),
        ("Process used to ensure fairness in development", _fairness(subject)),
        ("External validation process", _external(subject)),
        ("Quantitative measures of performance", _performance(subject)),
        ("Ongoing maintenance of use and implementation", _maintenance(subject)),
        ("Update and continued validation or fairness assessment schedule", _schedule()),
    ]


def _roman(number: int) -> str:
    return ("i", "ii", "iii", "iv", "v")[number - 1]


def _details(subject: Subject) -> Rows:
    who = (
        "The twinweb project; this version was trained on this installation. "
        if subject.version.pk
        else "The twinweb project. "
    )
    return [
        ("Name and contact information for the developer", f"{who}Contact: the administrator of this installation."),
        (
            "Funding source of the technical implementation",
            "Not known: no funding source is recorded with the product.",
        ),
        ("Description of value that the intervention produces as an output", _output(subject)),
        (
            "Type of output",
            "Prediction: probabilities and expected values, each with an interval, or a stated abstention.",
        ),
    ]


def _output(subject: Subject) -> str:
    if subject.version.kind == "hazard":
        return (
            "Probability of a first complication (any and by name), readmission and death within 24 h, 72 h, 7 days and"
            " 30 days, with a 90 % interval, reasons, and the age of the readings under it."
        )
    if subject.version.kind == "hypotheses":
        return (
            "Probability that a complication is under way and not yet diagnosed, with its probable causes by name, when"
            " each may have begun, and the readings for and against."
        )
    return "Expected value of each followed measure over time, as quantiles, personal to one patient, with its sources."


def _purpose(subject: Subject) -> Rows:
    return [
        (
            "Intended use",
            "To help qualified staff see whether a person's readings follow the course expected after the operation,"
            f" and whom on a list to look at first. Here: {KIND_WORDS[subject.version.kind]}.",
        ),
        (
            "Intended patient populations",
            "Adults (18 and over) in the first 30 days after one of the operations listed.",
        ),
        ("Intended users", "Physicians and nurses of the team to which the operation is entrusted."),
        ("Intended decision-making role", SUPPORT),
    ]


def _cautions(subject: Subject) -> Rows:
    risks = [
        "It reads what is measured and recorded: what is not worn, not sent or not recorded is not seen.",
        "Wrist oximeters miss low saturation more often in darker skin; steps are undercounted with a walking frame.",
        "Beta-blockers, antipyretics and steroids hide signs it relies on.",
    ]
    if subject.is_synthetic:
        risks.insert(0, "This version was fitted to synthetic patients: its figures are no evidence about people.")
    return [
        (
            "Tasks, situations or populations where caution is advised",
            "People under 18; pregnancy; later than 30 days; operations not listed; as a bedside or primary alarm;"
            " deciding treatment or discharge alone; concluding that nothing is wrong because nothing was received.",
        ),
        ("Known risks, inappropriate settings and uses, and limitations", " ".join(risks)),
    ]


def _development(subject: Subject) -> Rows:
    training = subject.version.training
    return [
        ("Exclusion and inclusion criteria that influenced the training data", _criteria(subject)),
        ("Use of demographic variables as input features", _demographic_inputs(subject)),
        ("Demographic representativeness of the training data", _representativeness(subject)),
        (
            "Relevance of training data to the intended deployed setting",
            f"Trained on {training.get('cohort')} of this installation." if training.get("run")
            else "Not known: the numbers do not come from this unit's patients; compare with the local figures below.",
        ),
    ]  # fmt: skip


def _criteria(subject: Subject) -> str:
    training = subject.version.training
    if training.get("run"):
        held = [training.get("held_back_from"), training.get("held_back_site")]
        said = "; held back: " + ", ".join(str(one) for one in held if one) if any(held) else ""
        return (
            f"Operations from {training.get('window')} with complete 30-day follow-up, not cancelled, of patients not"
            f" deleted{said}. Training is refused with too few operations or events."
        )
    if subject.is_fitted:
        return (
            f"{subject.version.trained_on}: {training.get('patients', 'a number not stated of')} simulated operations."
        )
    return (
        "No patient data were used: the numbers are published figures and assumptions, each marked on the model page."
    )


def _demographic_inputs(subject: Subject) -> str:
    if subject.version.kind == "hazard":
        return f"Age (from date of birth) and sex are inputs. No other of these: {DEMOGRAPHICS}."
    if subject.version.kind == "hypotheses":
        return (
            f"Age (from date of birth) and sex, through the risk model in service. No other of these: {DEMOGRAPHICS}."
        )
    return (
        "Age (from date of birth), sex and body mass index shift the expected course."
        f" No other of these: {DEMOGRAPHICS}."
    )


def _representativeness(subject: Subject) -> str:
    groups = _evaluated(subject).get("subgroups", {})
    told = [
        f"{name}: " + ", ".join(f"{group} {one['people'] if one else 'under 20'}" for group, one in found.items())
        for name, found in groups.items()
    ]
    if told:
        return (
            "Patients with a judged prediction by "
            + "; ".join(told)
            + ". Race and ethnicity were not inputs and are not counted in training."
        )
    return (
        "Not known: the training data are not described by these variables."
        if subject.is_fitted
        else ("Not known: published figures were used, whose populations are described in the publications named.")
    )


def _fairness(subject: Subject) -> Rows:
    return [
        (
            "Approach to ensure that the output is fair",
            "Performance is computed by sex, age, race, skin tone, device and site, with intervals, and shown before a"
            " version is put into service; two people must agree that it may be.",
        ),
        (
            "Approaches to manage, reduce or eliminate bias",
            "Readings count by the trust tier of their device; optical sensors carry more error; the model abstains"
            " outside its domain; race is no input. No statistical debiasing is applied.",
        ),
    ]


def _external(subject: Subject) -> Rows:
    held = subject.version.evaluation.get("held_out")
    names = (
        "Data source, setting or environment of external validation",
        "Party that conducted the external testing",
        "Demographic representativeness of external data",
        "Description of the external validation process",
    )
    if not held:
        why = "Not known: no external validation of this version has been recorded."
        return [(name, why) for name in names]
    training = subject.version.training
    where = training.get("held_back_site") or f"operations from {training.get('held_back_from') or 'the same period'}"
    answers = (
        f"Operations of this installation that were held back from training: {where}. Not another institution.",
        "This installation itself; nobody independent.",
        _held_people(held),
        "Held-back operations were never fitted to; the finished version was judged on them once.",
    )
    return list(zip(names, answers, strict=True))


def _held_people(held: Mapping[str, Any]) -> str:
    groups = held.get("subgroups")
    if not groups:
        return "Not known: the held-back operations were not described by these variables."
    return "; ".join(
        f"{name}: " + ", ".join(f"{group} {one['people'] if one else 'under 20'}" for group, one in found.items())
        for name, found in groups.items()
    )


def _performance(subject: Subject) -> Rows:
    evaluation = subject.version.evaluation
    held, own = evaluation.get("held_out"), evaluation.get("out_of_fold")
    none = "Not known: not measured for this version."
    return [
        ("Validity in test data from the same source", validity(own) or none),
        ("Fairness in test data from the same source", fairness(own) or none),
        ("Validity in data external to the training data", validity(held) or none),
        ("Fairness in data external to the training data", fairness(held) or none),
        (
            "References to evaluation of use of the intervention on outcomes",
            "Not known: the effect of using it on patients' outcomes has not been studied. No trial has yet shown that"
            " continuous monitoring lowers mortality.",
        ),
    ]


def _evaluated(subject: Subject) -> Mapping[str, Any]:
    said = subject.version.evaluation
    return said.get("out_of_fold") or said.get("held_out") or {}


def validity(said: Mapping[str, Any] | None) -> str:
    """Figures in words; blank without any."""
    if not said:
        return ""
    overall = said.get("all")
    if overall:
        parts = [
            f"{overall['people']} people, {overall['events']} of {overall['rows']} predictions followed by the event"
        ]
        parts += [f"{name} {_estimate(overall[key])}" for key, name in FIGURES if overall.get(key)]
        return "; ".join(parts) + "."
    if said.get("measures"):
        return "; ".join(_measure(key, one) for key, one in sorted(said["measures"].items())) + "."
    return _by_day(said.get("days", {}))


FIGURES = (
    ("auroc", "AUROC"),
    ("slope", "calibration slope"),
    ("observed_over_expected", "observed over expected"),
)


def _estimate(one: Mapping[str, float]) -> str:
    return f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def _measure(key: str, one: Mapping[str, Any]) -> str:
    skill = one.get("skill_over_published")
    better = (
        "" if skill is None else f", error {abs(skill):.0%} {'below' if skill >= 0 else 'above'} the published course"
    )
    return f"{key.replace('_', ' ')}: the 90 % band held {one['coverage90']:.0%} of {one['readings']} readings{better}"


def _by_day(days: Mapping[str, Any]) -> str:
    told = [
        f"day {day}: AUROC {one['auroc']:.2f} ({one['auroc_90'][0]:.2f} to {one['auroc_90'][1]:.2f}, 90 %)"
        f" with {one['events']} events in {one['n']}"
        for day, one in days.items()
        if "auroc" in one
    ]
    return "; ".join(told) + "." if told else ""


def fairness(said: Mapping[str, Any] | None) -> str:
    """AUROC or calibration by group; blank without any."""
    told = []
    for name, found in ((said or {}).get("subgroups") or {}).items():
        for group, one in found.items():
            if one is None:
                told.append(f"{name} {group}: under 20 people, withheld")
            else:
                words = [f"{label} {_estimate(one[key])}" for key, label in FIGURES if one.get(key)]
                if "coverage90" in one:
                    words = [f"the 90 % band held {one['coverage90']:.0%} of {one['readings']} readings"]
                told.append(f"{name} {group} ({one['people']} people): {', '.join(words) or 'too few events'}")
    return "; ".join(told) + "." if told else ""


def _maintenance(subject: Subject) -> Rows:
    local = subject.local
    none = "Not known: this unit's report has no figures about this version yet."
    return [
        (
            "Process and frequency by which validity is monitored",
            "A job computes calibration, discrimination, drift and alert burden from the unit's own snapshots and"
            " outcomes every night; the models page shows it.",
        ),
        ("Validity in local data", _local_validity(local) or none),
        (
            "Process and frequency by which fairness is monitored",
            "The same nightly job, by sex, age, race, skin tone, device and site; groups under 20 people are withheld.",
        ),
        ("Fairness in local data", _local_fairness(local) or none),
    ]


def _local_validity(local: Mapping[str, Any] | None) -> str:
    return validity({"all": local["risk"]["all"]}) if local and local.get("risk", {}).get("all") else ""


def _local_fairness(local: Mapping[str, Any] | None) -> str:
    if not local:
        return ""
    groups = {
        name: {one["group"]: one["figures"] for one in rows} for name, rows in (local.get("subgroups") or {}).items()
    }
    return fairness({"subgroups": groups})


def _schedule() -> Rows:
    return [
        (
            "Process and frequency by which the intervention is updated",
            "Never by itself: a person asks for a training, a second person must approve a version, and one step goes"
            " back. Versions are plain numbers that do not change.",
        ),
        (
            "Frequency by which performance is corrected when risks are identified",
            "Not known: no schedule is set by the product; the unit sets its own. The report is renewed nightly and"
            " says when to stop.",
        ),
    ]
