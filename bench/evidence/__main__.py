"""Measures the product on real data and writes docs/evidence.

    python -m bench.evidence [PART ...] [--seeds 3]

Parts run one after the other on one core. A set that is not on this machine is skipped with a word, and its page is
left as it was.
"""

import argparse
import sys
import time

from bench.evidence import binary, intensive, pages, survival, wearable_forecasts, wearables
from bench.evidence.sets import Absent

PARTS = {
    "surgery-complication": (binary.surgery_complication, "Complication on 32,001 real operations"),
    "surgery-death": (binary.surgery_death, "30-day death on 32,001 real operations"),
    "vitaldb-icu": (binary.vitaldb_icu, "Intensive care on 6,388 real operations"),
    "vitaldb-stay": (binary.vitaldb_stay, "Long stays and death on 6,388 real operations"),
    "diabetes130": (binary.diabetes, "Readmission of surgical patients"),
    "thoracic": (binary.thoracic, "Death within a year of lung resection"),
    "survival": (survival.survival, "Cox models on the reference sets"),
    "discharge": (survival.discharge, "Time to live discharge"),
    "competing-risks": (survival.competing, "Competing risks: Aalen-Johansen"),
    "apache": (intensive.eicu, "Calibration of a shipped score: APACHE IVa on the eICU demo"),
    "news2": (intensive.mimic_news2, "NEWS2 pipeline on the MIMIC-III demo"),
    "kdigo": (intensive.mimic_kdigo, "KDIGO pipeline on the MIMIC-III demo"),
    "wearable-forecasts": (wearable_forecasts.forecasts, "Forecasts of the twin on healthy wear"),
    "false-onsets": (wearables.false_onsets, "False onsets of the rule set on healthy wear"),
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    for name in asked.parts or PARTS:
        run(name, range(asked.seeds))


def run(name, seeds):
    measure, title = PARTS[name]
    started = time.monotonic()
    try:
        found = measure(seeds)
    except Absent as absent:
        sys.stdout.write(f"skipped {name}: {absent}\n")
        return
    pages.write(
        name, title, " ".join((measure.__doc__ or sys.modules[measure.__module__].__doc__).split()), found, seeds
    )
    sys.stdout.write(f"{name}: written in {time.monotonic() - started:.0f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
