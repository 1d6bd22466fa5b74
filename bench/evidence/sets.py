"""Reads the reference sets into studies: outcome, inputs by kind, whose row it is. Raises Absent where a set is not.

VitalDB and surgery-timing are for measurement only: nothing of them but aggregate figures may leave this process.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from recovery.twin.evaluate_binary import Study

DATA = Path(os.environ.get("TWINWEB_REFERENCE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
MEASURE_ONLY = ("vitaldb-cases", "surgery-timing")


class Absent(Exception):
    """The set is not on this machine; the evidence that needs it is skipped with a word."""


def folder(name):
    path = DATA / name
    if not path.is_dir():
        raise Absent(f"{name} is not here (looked in {DATA.name}); its figures are skipped")
    return path


def study(name, frame, happened, numbers, categories, group=None):
    frame = frame.copy()
    if group is None:
        group = "row"
        frame["row"] = np.arange(len(frame))
    for column in categories:
        frame[column] = frame[column].astype(str)
    return Study(name, frame, np.asarray(happened, bool), tuple(numbers), tuple(categories), group)


VITALDB_PRE = (
    "age height weight bmi asa emop preop_htn preop_dm preop_hb preop_plt preop_pt preop_aptt preop_na preop_k"
    " preop_gluc preop_alb preop_ast preop_alt preop_bun preop_cr"
).split()
VITALDB_PRE_WORDS = "sex department optype approach ane_type preop_pft".split()
VITALDB_MORE_PRE = "preop_ph preop_hco3 preop_be preop_pao2 preop_paco2 preop_sao2 days_in_hospital".split()
VITALDB_MORE_WORDS = "preop_ecg position airway cormack tubesize aline1 cline1 opname dx".split()
VITALDB_INTRA = (
    "hours intraop_ebl intraop_uo intraop_rbc intraop_ffp intraop_crystalloid intraop_colloid intraop_eph"
    " intraop_phe intraop_epi"
).split()
VITALDB_MORE_INTRA = (
    "anaesthesia_hours induction_hours emergence_hours intraop_ppf intraop_mdz intraop_ftn intraop_rocu intraop_vecu"
    " intraop_ca lines"
).split()
VITALDB_LINES = "iv1 iv2 aline1 aline2 cline1 cline2 dltubesize lmasize".split()


def vitaldb():
    """Cases known at the end of anaesthesia: nothing later is derived. Ages over 89 are text in the file."""
    cases = pd.read_csv(folder("vitaldb-cases") / "clinical_information.csv", low_memory=False)
    cases["age"] = pd.to_numeric(cases.age.astype(str).str.replace(">", "").str.strip(), errors="coerce")
    words = {*VITALDB_PRE_WORDS, *VITALDB_MORE_WORDS}
    for column in cases:
        if column in ("height", "weight") or (column.startswith(("preop_", "intraop_")) and column not in words):
            cases[column] = pd.to_numeric(cases[column], errors="coerce")
    cases["hours"] = (cases.opend - cases.opstart) / 3600
    cases["anaesthesia_hours"] = (cases.aneend - cases.anestart) / 3600
    cases["induction_hours"] = (cases.opstart - cases.anestart) / 3600
    cases["emergence_hours"] = (cases.aneend - cases.opend) / 3600
    cases["days_in_hospital"] = -cases.adm / 86400
    cases["lines"] = cases[VITALDB_LINES].notna().sum(axis=1)
    cases["stay_days"] = (cases.dis - cases.opend) / 86400
    return cases


def vitaldb_study(outcome, inputs="all"):
    """Outcome: any_icu, icu_2_days, stay_7_days or death. Inputs: all, or the four of the mortality floor."""
    cases = vitaldb()
    if outcome == "stay_7_days":
        cases = cases[cases.stay_days > 0].reset_index(drop=True)  # 27 rows leave before the operation ends
    happened = {
        "any_icu": cases.icu_days > 0,
        "icu_2_days": cases.icu_days >= 2,
        "stay_7_days": cases.stay_days > 7,
        "death": cases.death_inhosp == 1,
    }[outcome]
    numbers = [*VITALDB_PRE, *VITALDB_MORE_PRE, *VITALDB_INTRA, *VITALDB_MORE_INTRA]
    words = [*VITALDB_PRE_WORDS, *VITALDB_MORE_WORDS]
    if inputs == "four":
        numbers, words = ["age", "asa", "emop", "preop_alb"], []
    return study(f"VitalDB {outcome}", cases, happened, numbers, words, "subjectid")


SURGERY_WORDS = (
    "asa_status baseline_cancer baseline_charlson baseline_cvd baseline_dementia baseline_diabetes baseline_digestive"
    " baseline_osteoart baseline_psych baseline_pulmonary ahrq_ccs gender race"
).split()


def surgery():
    return pd.read_csv(folder("surgery-timing") / "surgery_timing.csv")


SURGERY_HISTORY = [word for word in SURGERY_WORDS if word.startswith("baseline_") and word != "baseline_charlson"]
SURGERY_CALENDAR = ("dow", "comorbidities")
"""Offered to the complication beside the others: weekday of the operation, number of the eight histories."""
SURGERY_CALENDAR_WORDS = ("weekday", "month_word")


def surgery_study(outcome, extra=()):
    """Outcome: complication or mort30. The severity words enter twice: as words and as the numbers they are."""
    rows = surgery()
    rows["comorbidities"] = rows[SURGERY_HISTORY].sum(axis=1)
    rows["weekday"], rows["month_word"] = rows.dow.astype(str), rows.month.astype(str)
    rows["asa"], rows["charlson"] = rows.asa_status, rows.baseline_charlson
    rows["age_squared"] = (rows.age - 55) ** 2 / 100
    numbers = ["age", "age_squared", "bmi", "asa", "charlson", "hour", "month", *extra]
    return study(f"Surgery timing {outcome}", rows, rows[outcome] == 1, numbers, SURGERY_WORDS)


def diabetes_study():
    rows = pd.read_csv(folder("diabetes130-surgical") / "surgical_encounters.csv.gz", low_memory=False)
    rows["dx1"] = rows.diag_1.astype(str).str[:3]
    numbers = (
        "time_in_hospital num_lab_procedures num_procedures num_medications number_outpatient number_emergency"
        " number_inpatient number_diagnoses"
    ).split()
    words = (
        "age race gender admission_type_id discharge_disposition_id medical_specialty A1Cresult insulin change"
        " diabetesMed dx1"
    ).split()
    return study("Diabetes-130 readmission", rows, rows.readmitted == "<30", numbers, words, "patient_nbr")


def thoracic_study():
    names, rows = [], []
    for line in (folder("thoracic-surgery-uci") / "ThoraricSurgery.arff").read_text().splitlines():
        line = line.strip()
        if line.lower().startswith("@attribute"):
            names.append(line.split()[1])
        elif line and line[0] not in "@%":
            rows.append(line.split(","))
    frame = pd.DataFrame(rows, columns=names)
    numbers = ["PRE4", "PRE5", "AGE"]
    frame[numbers] = frame[numbers].apply(pd.to_numeric)
    frame.loc[frame.PRE5 > 10, "PRE5"] = np.nan  # 14 rows in another unit (SOURCE.txt)
    words = [name for name in names[:-1] if name not in numbers]
    return study("Thoracic 1-year death", frame, frame[names[-1]] == "T", numbers, words)


def eicu():
    """Stays with a known hospital outcome, first-day physiology and the APACHE IVa prediction as shipped."""
    root = folder("eicu-demo")
    stays, physiology, results = (
        pd.read_csv(root / f"{name}.csv.gz", low_memory=False)
        for name in ("patient", "apacheapsvar", "apachepatientresult")
    )
    shipped = results[results.apacheversion == "IVa"].drop_duplicates("patientunitstayid")
    stays = stays.merge(physiology, on="patientunitstayid")
    stays = stays.merge(
        shipped[["patientunitstayid", "predictedhospitalmortality"]], on="patientunitstayid", how="left"
    )
    stays = stays[stays.hospitaldischargestatus.isin(["Alive", "Expired"])].reset_index(drop=True)
    stays["shipped"] = pd.to_numeric(stays.predictedhospitalmortality, errors="coerce")
    stays["died"] = stays.hospitaldischargestatus == "Expired"
    return stays
