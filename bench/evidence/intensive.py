"""A shipped score's calibration on the eICU demo; the NEWS2 and KDIGO pipelines on the MIMIC-III demo.

Every patient of the MIMIC demo eventually died: it proves units, missing items and identity of two implementations, not
accuracy.
"""

import numpy as np
import pandas as pd

from bench.evidence import sets
from bench.evidence.news2_again import news2_again
from recovery.twin.evaluate_binary import Study, figures
from recovery.twin.scores import Creatinine, ScoreRefused, kdigo, news2
from recovery.twin.scores.kdigo import UNITS

OPERATIVE = r"\|Operative Organ Systems\|"


def eicu(_seeds):
    """APACHE IVa as shipped, no fit: discrimination and calibration, all stays and those from theatre."""
    stays = sets.eicu()
    stays = stays[stays.shipped.between(0, 1)].reset_index(drop=True)
    reasons = pd.read_csv(sets.folder("eicu-demo") / "admissiondx.csv.gz")
    operative = reasons[reasons.admitdxpath.str.contains(OPERATIVE)].patientunitstayid
    from_theatre = stays.patientunitstayid.isin(operative)
    return {
        "APACHE IVa, hospital death": as_shipped(stays),
        "the same after an operation": as_shipped(stays[from_theatre].reset_index(drop=True)),
    }


def as_shipped(stays):
    study = Study("APACHE IVa", stays, stays.died.to_numpy(bool), (), (), "uniquepid")
    found = figures(study, [stays.shipped.to_numpy(float)])
    deciles = pd.qcut(stays.shipped, 5, labels=False, duplicates="drop")
    table = stays.groupby(deciles).agg(n=("died", "size"), predicted=("shipped", "mean"), observed=("died", "mean"))
    return found | {"fifths": [{k: round(float(v), 4) for k, v in row.items()} for row in table.to_dict("records")]}


ITEMS = {
    "respiratory_rate": (220210, 618),
    "spo2": (220277, 646),
    "pulse": (220045, 211),
    "systolic": (220179, 220050, 455, 51),
    "temperature": (676, 223762, 678, 223761),
}
FAHRENHEIT = (678, 223761)
EYES, VERBAL, MOTOR, TOTAL, DEVICE = 220739, 223900, 223901, 198, (467, 226732)
CARRIED_H = 24
"""A value speaks for the hour it was charted in and the 24 charted hours after it."""
ON_AIR = ("none", "room air")


def observations():
    """One row per admission and charted hour: the items of NEWS2 as charted last, carried forward."""
    rows = pd.read_csv(sets.folder("mimic-iii-demo") / "vitals_chartevents.csv.gz", low_memory=False)
    rows["hour"] = pd.to_datetime(rows.charttime).dt.floor("h")
    rows = rows.sort_values("charttime")
    parts = {key: last(rows[rows.itemid.isin(items)], "valuenum") for key, items in ITEMS.items()}
    fahrenheit = last(rows[rows.itemid.isin(FAHRENHEIT)], "valuenum")
    celsius = last(rows[rows.itemid.isin((676, 223762))], "valuenum")
    parts["temperature"] = celsius.combine_first(((fahrenheit - 32) / 1.8).round(1))
    parts["glasgow"] = glasgow(rows)
    device = last(rows[rows.itemid.isin(DEVICE)], "value").dropna()
    parts["on_oxygen"] = (~device.str.lower().isin(ON_AIR)).astype(float)
    grid = pd.concat(parts, axis=1).sort_index()
    return grid.groupby(level=0).ffill(limit=CARRIED_H)


def last(rows, column):
    return rows.dropna(subset=[column]).groupby(["hadm_id", "hour"])[column].last()


def glasgow(rows):
    """15 means alert. In the newer system the sum of its parts; an intubated voice that obeys with open eyes is 15."""
    parts = {item: last(rows[rows.itemid == item], "valuenum") for item in (EYES, VERBAL, MOTOR)}
    words = last(rows[rows.itemid == VERBAL], "value")
    summed = parts[EYES] + parts[MOTOR] + parts[VERBAL].where(~words.str.contains("ETT"), 5.0)
    return last(rows[rows.itemid == TOTAL], "valuenum").combine_first(summed)


def mimic_news2(_seeds):
    grid = observations()
    complete = refused = different = 0
    missing, points = {}, []
    for values in grid.itertuples(index=False):
        row = {k: None if pd.isna(v) else float(v) for k, v in values._asdict().items()}
        consciousness = None if row["glasgow"] is None else ("A" if row["glasgow"] == 15 else "V")
        oxygen = None if row["on_oxygen"] is None else bool(row["on_oxygen"])
        asked = {k: row[k] for k in ("respiratory_rate", "spo2", "pulse", "systolic", "temperature")}
        asked |= {"consciousness": consciousness, "on_oxygen": oxygen}
        try:
            found = news2(age_years=60, **asked)
        except ScoreRefused:
            refused += 1
            continue
        different += (found.value, found.missing) != news2_again(asked)
        complete += found.complete or found.missing == ("air or oxygen",)
        points += [found.value]
        for name in found.missing:
            missing[name] = missing.get(name, 0) + 1
    return {
        "NEWS2, hourly sets": {
            "sets": len(grid),
            "complete_but_for_the_oxygen_device": complete,
            "refused_as_impossible": refused,
            "missing_items": missing,
            "different_from_second_implementation": different,
            "share_of_5_or_more": round(float(np.mean(np.array(points, float) >= 5)), 3),
            "goal": "no set differs between two implementations, missing items named",
            "reached": different == 0,
        }
    }


CREATININE = 50912
POSSIBLE = UNITS["mg/dL"][2:]
BEFORE_H, FOLLOWED_H = 365 * 24.0, 30 * 24.0


def mimic_kdigo(_seeds):
    """Highest creatinine stage by admission, reference from before admission; rolling minimum beside it (rule 9)."""
    root = sets.folder("mimic-iii-demo")
    labs = pd.read_csv(root / "labevents_loinc.csv.gz", low_memory=False)
    labs = labs[(labs.itemid == CREATININE) & labs.valuenum.notna()]
    impossible = int((~labs.valuenum.between(*POSSIBLE)).sum())
    labs = labs[labs.valuenum.between(*POSSIBLE)]
    labs["when"] = pd.to_datetime(labs.charttime)
    stages = {"before admission": {}, "rolling minimum": {}}
    unknown = 0
    for stay in pd.read_csv(root / "admissions.csv.gz", parse_dates=["admittime", "dischtime"]).itertuples():
        own = labs[labs.subject_id == stay.subject_id]
        hours = (own.when - stay.admittime).dt.total_seconds() / 3600
        kept = hours.between(-BEFORE_H, min(FOLLOWED_H, (stay.dischtime - stay.admittime).total_seconds() / 3600))
        rows = [Creatinine(float(h), float(v)) for h, v in zip(hours[kept], own.valuenum[kept], strict=True)]
        found = kdigo(rows, unit="mg/dL", incision_h=0.0)
        unknown += found.creatinine_stage is None
        count(stages["before admission"], found.creatinine_stage)
        count(stages["rolling minimum"], rolling([r for r in rows if r.hours >= 0]))
    return {
        "KDIGO, highest creatinine stage by admission": {
            "admissions": sum(stages["rolling minimum"].values()),
            "reference_from_before_admission": stages["before admission"],
            "no_reference_so_not_staged": unknown,
            "results_left_out_because_kdigo_refuses_them": impossible,
            "rolling_48_h_minimum_as_reference": stages["rolling minimum"],
            "note": "the hour of admission stands for the operation; without a value before it there is no stage",
        }
    }


def rolling(rows):
    """What the product refuses to do: the lowest value of the last 48 h as the reference."""
    worst = None
    for row in rows:
        past = [r.value for r in rows if row.hours - 48 <= r.hours <= row.hours]
        ratio, rise = row.value / min(past), row.value - min(past)
        stage = 3 if ratio >= 3 else 2 if ratio >= 2 else int(ratio >= 1.5 or rise >= 0.3 - 1e-9)
        worst = stage if worst is None else max(worst, stage)
    return worst


def count(table, stage):
    table[str(stage)] = table.get(str(stage), 0) + 1
