"""Yes/no outcomes on real operations, each against its floor of the data inventory."""

from bench.evidence import sets
from recovery.twin.evaluate_binary import evaluate
from recovery.twin.evaluate_leaks import LeakRefused, by_content, refuse_leaks
from recovery.twin.fit_challenger import Linear, Stack, Trees


def linear(study):
    return Linear(study.numbers, study.categories)


def log_linear(study):
    return Linear(study.numbers, study.categories, log=True, seldom=8)


def trees(study):
    return Trees(study.numbers, study.categories)


def stack(study):
    inputs = (study.numbers, study.categories)
    members = [Linear(*inputs, log=True, seldom=8), Trees(*inputs), Trees(*inputs, depth=6, rounds=150, seed=1)]
    return Stack(members, study.group)


def small_stack(study):
    inputs = (study.numbers, study.categories)
    return Stack([Linear(*inputs), Trees(*inputs, rounds=120)], study.group)


MODELS = {"linear": linear, "log linear": log_linear, "trees": trees, "stack": stack, "small stack": small_stack}


def vitaldb(seeds):
    """Known at the end of anaesthesia. Death has 57 events: a model of four numbers, and an interval."""
    return {
        "licence": "measurement only: aggregate figures, nothing of the set enters the project",
        "any ICU": judged(sets.vitaldb_study("any_icu"), seeds, ("log linear", "stack"), auroc=0.935, brier=0.076),
        "ICU 2 days or more": judged(sets.vitaldb_study("icu_2_days"), seeds, ("log linear", "stack"), auroc=0.92),
        "stay over 7 days": judged(
            sets.vitaldb_study("stay_7_days"), seeds, ("log linear", "stack"), auroc=0.895, brier=0.112
        ),
        "death in hospital": judged(sets.vitaldb_study("death", "four"), seeds, ("linear",), auroc=0.727, brier=0.0086),
    }


def surgery(seeds):
    complication, death = sets.surgery_study("complication"), sets.surgery_study("mort30")
    return {
        "licence": "measurement only: aggregate figures, nothing of the set enters the project",
        "refused": refused(),
        "complication": judged(complication, seeds, ("linear", "small stack"), auroc=0.73, brier=0.107),
        "30-day death": judged(death, seeds, ("linear", "small stack"), auroc=0.865),
    }


def diabetes(seeds):
    return {"readmission within 30 days": judged(sets.diabetes_study(), seeds, ("linear", "small stack"), auroc=0.695)}


def thoracic(seeds):
    """Anything above 0.72 here would be a leak."""
    return {"death within a year": judged(sets.thoracic_study(), seeds, ("linear",), auroc=0.62)}


def refused():
    """The four leaking columns of surgery-timing, each offered as an input: what their names and what the data say."""
    told = {}
    for column in ("mortality_rsi", "complication_rsi", "ccsMort30Rate", "ccsComplicationRate"):
        told[column] = [refusal(sets.surgery_study("complication", (column,)))]
        for outcome in ("complication", "mort30"):
            offered = sets.surgery_study(outcome, (column,))
            found = by_content(offered.frame, offered.happened, offered.numbers, offered.categories)
            told[column] += [f"{leak.column} {leak.sign} ({outcome}, {leak.detail})" for leak in found]
    return told


def refusal(offered):
    try:
        refuse_leaks(offered.frame, offered.happened, offered.numbers, offered.categories)
    except LeakRefused as said:
        return f"refused: {said}"
    raise AssertionError("a leaking column was let through")


def judged(study, seeds, models, auroc, brier=None):
    """Figures by model, and whether the best calibrated one reaches the goal."""
    found = evaluate(study, {name: MODELS[name] for name in models}, seeds)
    best = max(found, key=lambda name: found[name]["auroc"])
    reached = found[best]["auroc"] >= auroc and (brier is None or found[best]["brier"] <= brier)
    goal = f"AUROC >= {auroc}" + (f", Brier <= {brier}" if brier else "")
    return {"goal": goal, "best": best, "reached": bool(reached), "models": found}
